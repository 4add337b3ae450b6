"""What a kind of fault is: whom it can hit, its parameters, what it does, and how it shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aiops.errors import InvalidInput, UnknownName
from aiops.model.entity import Entity, Indicator
from aiops_lab.faults.effects import Phase, Strained
from aiops_lab.topology.model import STORES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiops.model.faults import FaultType
    from aiops_lab.faults.effects import Effect
    from aiops_lab.faults.ports import Ground, Sight
    from aiops_lab.topology.model import Behaviour, Topology

Value = float | str


class BadParameter(InvalidInput):
    """A parameter's value cannot be used."""

    def __init__(self, kind: str, name: str, value: object, wanted: str) -> None:
        super().__init__(f"{kind}: {name}={value} cannot be used; {name} is {wanted}")


@dataclass(frozen=True, slots=True)
class Level:
    """A number.

    Attributes:
        mild, severe: its value at intensity 0 and 1; between them it goes evenly.
        least, most: what may be asked for.
    """

    name: str
    unit: str
    mild: float
    severe: float
    least: float
    most: float
    says: str

    def value(self, intensity: float) -> float:
        """At an intensity of 0 to 1."""
        return round(self.mild + intensity * (self.severe - self.mild), 4)

    def read(self, kind: str, text: str) -> float:
        """A value as asked for.

        Raises:
            BadParameter: it is no number, or too small or large.
        """
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if self.least <= number <= self.most:
            return number
        unit = f" {self.unit}" if self.unit else ""
        raise BadParameter(kind, self.name, text, f"{self.least:g} to {self.most:g}{unit}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some names, the first unless asked otherwise."""

    name: str
    options: Callable[[Ground, str], tuple[str, ...]]
    says: str

    def read(self, kind: str, text: str, ground: Ground, target: str) -> str:
        """A value as asked for.

        Raises:
            UnknownName: it is none of them.
        """
        options = self.options(ground, target)
        if text not in options:
            raise UnknownName(f"{self.name} of {kind} on {target}", text, options)
        return text


@dataclass(frozen=True, slots=True)
class Text:
    """Any text."""

    name: str
    default: str
    says: str


Parameter = Level | Choice | Text


@dataclass(frozen=True, slots=True)
class Aim:
    """One fault about to begin.

    Attributes:
        values: every parameter of its kind.
        at: the time of day.
    """

    ground: Ground
    target: str
    values: Mapping[str, Value]
    sight: Sight
    at: datetime

    @property
    def topology(self) -> Topology:
        """The system."""
        return self.ground.topology

    def level(self, name: str) -> float:
        """A Level's value."""
        return float(self.values[name])

    def text(self, name: str) -> str:
        """A Choice's or a Text's value."""
        return str(self.values[name])


def every(ground: Ground) -> tuple[str, ...]:
    """All services."""
    return tuple(ground.topology.services)


def a_service(ground: Ground, target: str) -> Entity:
    """The target, where it is a service."""
    return Entity("service", target, namespace=ground.topology.namespace, service=target)


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """A kind of fault.

    Attributes:
        type: what a report should call it.
        says: what happens, in one clause.
        metric: of the target, or of calls to it or of it, that moves, as recordings name it.
        metric_of: the same for one injection, where it depends on the parameters.
        phases: what it does, from its start on; raises AiopsError where the lab is not in a state
            for it.
        targets: whom it can hit.
        entity: what is at fault.
        needs: "kubernetes" where it acts on objects of that API.
    """

    name: str
    type: FaultType
    says: str
    metric: str
    phases: Callable[[Aim], tuple[Phase, ...]]
    parameters: tuple[Parameter, ...] = ()
    targets: Callable[[Ground], tuple[str, ...]] = every
    entity: Callable[[Ground, str], Entity] = a_service
    needs: Literal["processes", "kubernetes"] = "processes"
    metric_of: Callable[[Topology, Mapping[str, Value]], str] | None = None

    def indicator(self, topology: Topology, values: Mapping[str, Value]) -> Indicator:
        """The signal that moves."""
        return Indicator(
            "metric", self.metric_of(topology, values) if self.metric_of else self.metric
        )


def throughout(*effects: Effect) -> tuple[Phase, ...]:
    """The same effects from its start to its end."""
    return (Phase(0.0, effects),)


def strain(behaviour: Callable[[Aim], Behaviour]) -> Callable[[Aim], tuple[Phase, ...]]:
    """The target's processes misbehave all the time."""
    return lambda aim: throughout(Strained(aim.target, behaviour(aim)))


def callers(topology: Topology, callee: str) -> tuple[str, ...]:
    """Services that call another."""
    return tuple(caller for caller, to in topology.edges if to == callee)


def called(ground: Ground) -> tuple[str, ...]:
    """Services that other services call."""
    topology = ground.topology
    return tuple(name for name in topology.services if callers(topology, name))


def calling(ground: Ground) -> tuple[str, ...]:
    """Services that call others."""
    return tuple(name for name, service in ground.topology.services.items() if service.targets)


def serving(ground: Ground) -> tuple[str, ...]:
    """Services that answer requests: those with routes, and stores."""
    return tuple(n for n, s in ground.topology.services.items() if s.routes or s.role in STORES)


def keeping(ground: Ground) -> tuple[str, ...]:
    """Databases and caches."""
    services = ground.topology.services.items()
    return tuple(name for name, one in services if one.role in {"database", "cache"})
