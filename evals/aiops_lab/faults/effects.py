"""What faults do to a lab, as data: so that it adds up, is written down and can be taken back.

An effect either lasts while its fault does (the lab is told all that hold, and makes exactly
those so), or it changes an object of the Kubernetes API, and its reverse is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.net.weather import Link, Lookup
    from aiops_lab.topology.model import Behaviour

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Strained:
    """A service's processes behave so, those that come later too.

    Attributes:
        pods: that many at most.
        only: names of the pods that are meant; ``None``: all of the service's.
    """

    service: str
    behaviour: Behaviour
    pods: int | None = None
    only: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """Bad weather between two services."""

    link: Link


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Names that do not resolve."""

    lookup: Lookup


@dataclass(frozen=True, slots=True)
class Surged:
    """Users send so many times the requests."""

    factor: float


@dataclass(frozen=True, slots=True)
class Pressed:
    """A condition such as "MemoryPressure" holds on a node."""

    node: str
    condition: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A value in an object is another one.

    Attributes:
        resource: plural and group, such as "deployments.apps".
        path: keys and list positions; what is missing on the way is made.
        value: JSON; ``None``: there is no such value.
    """

    resource: str
    name: str
    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Made:
    """An object is there that was not."""

    resource: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Removed:
    """An object is gone; a pod that is wanted is made anew by who wants it.

    Attributes:
        grace_s: for a pod to end; ``None``: what it says itself.
    """

    resource: str
    name: str
    grace_s: int | None = None


@dataclass(frozen=True, slots=True)
class Evicted:
    """The node's kubelet ends a service's pods, for want of a resource such as "memory"."""

    service: str
    of: str


@dataclass(frozen=True, slots=True)
class Swept:
    """What is left of a service's evicted pods, their objects, is gone."""

    service: str


@dataclass(frozen=True, slots=True)
class Killed:
    """A container's process is killed; the pod's restart policy says what comes next."""

    pod: str
    container: str


Lasting = Strained | Linked | Unresolved | Surged | Pressed
OnObjects = Edited | Made | Removed | Evicted | Swept | Killed
Effect = Lasting | OnObjects


@dataclass(frozen=True, slots=True)
class Phase:
    """The effects of a fault from so many seconds after its start, until its next phase."""

    after_s: float
    effects: tuple[Effect, ...]
