"""What an experiment does to the pods it hits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Protocol

from aiops.errors import AiopsError
from aiops_lab.faults.effects import Strained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_lab.chaos_mesh.scope import Scope, Target
    from aiops_lab.faults.effects import Effect
    from aiops_lab.topology.model import Behaviour, Topology


class CannotEnact(AiopsError):
    """An experiment that is well-formed and that nothing in the lab can carry out; says why."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Who is hit.

    Attributes:
        others: of the second selector, such as the far end of a network's fault; ``None``:
            it has none.
    """

    pods: tuple[Target, ...]
    others: tuple[Target, ...] | None
    topology: Topology


class Attack(Protocol):
    """What one experiment does, without saying to whom."""

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """What it means in the lab.

        Raises:
            CannotEnact: nothing in the lab is like it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Experiment:
    """A resource of Chaos Mesh, understood.

    Attributes:
        duration_s: ``None``: until it is deleted.
        once: it happens at a moment, so that there is nothing to recover.
        containers: of each pod; empty: the first, where it works on containers.
        by_container: its records name containers.
    """

    scope: Scope
    attack: Attack
    duration_s: float | None = None
    others: Scope | None = None
    once: bool = False
    containers: tuple[str, ...] = ()
    by_container: bool = False

    def records(self, pods: tuple[Target, ...]) -> Iterator[str]:
        """The ids of what is hit: "namespace/pod", or "namespace/pod/container"."""
        for pod in pods:
            if self.by_container:
                named = [name for name in pod.containers if name in self.containers]
                for name in named if self.containers else pod.containers[:1]:
                    yield f"{pod.id}/{name}"
            else:
                yield pod.id


def by_service(pods: tuple[Target, ...]) -> Iterator[tuple[str, tuple[Target, ...]]]:
    """The pods of each service."""
    for service, own in groupby(sorted(pods, key=lambda p: p.service), key=lambda p: p.service):
        yield service, tuple(own)


def strained(pods: tuple[Target, ...], behaviour: Behaviour) -> tuple[Effect, ...]:
    """All of the pods behave so."""
    return tuple(
        Strained(service, behaviour, only=frozenset(pod.name for pod in own))
        for service, own in by_service(pods)
    )
