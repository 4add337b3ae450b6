"""A change: how an action edits one object, as functions without I/O."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiops.model.tool import BlastRadius, Risk
from aiops_tools.kubernetes.actions.asked import OnObject
from aiops_tools.kubernetes.actions.scene import Scene
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.writer import Writer
from aiops_tools.watching import Standing

Asked = TypeVar("Asked", bound=OnObject)
Inverse = tuple[str, Mapping[str, Any]]
"""The verb that takes a change back, and its arguments."""


@dataclass(frozen=True, slots=True)
class Change(Generic[Asked]):
    """One kind of change to one object.

    Attributes:
        verb: the tool's name without its toolset.
        look: reads what stands around the object; the only one of these that does I/O.
        edit: the object as it should become, a new one; raises ToolFailed where it cannot.
        undo: what brings the object back exactly, given it before and after; None: nothing does.
        radius: what stops serving meanwhile, given the object after.
        warn: what whoever approves has to know, a sentence each, given the object after.
        standing: how far it is, given the object and its pods as they are by now.
        waits_for_pods: whether pods have to start or end until it is reached.
    """

    verb: str
    description: str
    asks: type[Asked]
    risk: Risk
    look: Callable[[Writer, Api], Scene]
    edit: Callable[[Asked, Scene], Api]
    undo: Callable[[Asked, Scene, Api], Inverse | None]
    radius: Callable[[Scene, Api], BlastRadius]
    warn: Callable[[Asked, Scene, Api], Sequence[str]]
    standing: Callable[[Asked, Api, Sequence[Api]], Standing]
    idempotent: bool = True
    waits_for_pods: bool = True
    examples: tuple[str, ...] = ()
