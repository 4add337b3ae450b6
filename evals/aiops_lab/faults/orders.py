"""A fault as it is asked for, and as ground truth: checked against the lab it is meant for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiops.errors import InvalidInput, UnknownName
from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.catalogue import find_kind
from aiops_lab.faults.fault import Choice, Level, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.faults.fault import Fault, Parameter, Value
    from aiops_lab.faults.ports import Ground


class NoFault(InvalidInput):
    """What is to be injected cannot be read."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        aim: "TARGET/KIND".
        intensity: 0 (mild) to 1 (severe), of every level that ``settings`` leaves out.
        at_s: seconds from now to the start.
        duration_s: from the start to the revert; ``None``: until it is reverted.
        settings: "NAME=VALUE" parameters.
    """

    aim: str
    intensity: float = 0.5
    at_s: float = 0.0
    duration_s: float | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Injection:
    """An order that can be carried out."""

    kind: Fault
    target: str
    intensity: float
    at_s: float
    duration_s: float | None
    values: Mapping[str, Value]

    @property
    def name(self) -> str:
        """As it was asked for."""
        return f"{self.target}/{self.kind.name}"


@dataclass(frozen=True, slots=True)
class Truth:
    """What was broken, for whoever grades a diagnosis; times of day with a time zone.

    Attributes:
        start: when it was or will be broken; end: when it was put right, as far as is known.
    """

    id: str
    kind: str
    entity: Entity
    fault_type: FaultType
    indicator: Indicator
    start: datetime
    end: datetime | None
    intensity: float
    parameters: Mapping[str, Value]

    @property
    def name(self) -> str:
        """Target and kind, as they are asked for."""
        return f"{self.entity.name}/{self.kind}"

    def ended(self, end: datetime) -> Truth:
        """The same, put right at a time."""
        return replace(self, end=end)


def read_order(order: Order, ground: Ground) -> Injection:
    """The order, with every parameter.

    Raises:
        NoFault: it is no TARGET/KIND, or a number of it cannot be used.
        UnknownName: there is no such fault, target, parameter or choice.
        BadParameter: a parameter's value cannot be used.
    """
    target, slash, name = order.aim.rpartition("/")
    if not slash or not target:
        raise NoFault(f"{order.aim!r} is no fault; write TARGET/KIND, as aiops lab faults lists")
    kind = find_kind(name)
    targets = kind.targets(ground)
    if kind.needs == "kubernetes" and not ground.nodes:
        raise NoFault(f"{name} acts on the Kubernetes API, and this lab has none")
    if target not in targets:
        raise UnknownName(f"target of {name}", target, targets)
    if not 0 <= order.intensity <= 1:
        raise NoFault(f"intensity {order.intensity:g} cannot be used; it is 0 (mild) to 1 (severe)")
    lasts = math.inf if order.duration_s is None else order.duration_s
    if not (0 <= order.at_s < math.inf and lasts > 0):
        raise NoFault("--at is 0 or more seconds from now, --duration more than 0 seconds")
    values = dict(_values(kind, ground, target, order))
    duration = None if lasts == math.inf else lasts
    return Injection(kind, target, order.intensity, order.at_s, duration, values)


def _values(kind: Fault, ground: Ground, target: str, order: Order) -> dict[str, Value]:
    known = {one.name: one for one in kind.parameters}
    asked: dict[str, str] = {}
    for setting in order.settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise NoFault(f"--set {setting} cannot be read; write --set NAME=VALUE")
        if name not in known:
            if not known:
                raise NoFault(f"{kind.name} has no parameters, so none named {name!r}")
            raise UnknownName(f"parameter of {kind.name}", name, tuple(known))
        asked[name] = text
    return {
        name: _value(one, asked.get(name), kind.name, ground, target, order.intensity)
        for name, one in known.items()
    }


def _value(
    one: Parameter, asked: str | None, kind: str, ground: Ground, target: str, intensity: float
) -> Value:
    match one:
        case Level():
            return one.value(intensity) if asked is None else one.read(kind, asked)
        case Choice():
            options = one.options(ground, target)
            return options[0] if asked is None else one.read(kind, asked, ground, target)
        case Text():
            return one.default if asked is None else asked


def truth_to_json(truth: Truth) -> dict[str, Any]:
    """As the journal keeps it and ``--json`` prints it."""
    entity = truth.entity
    return {
        "id": truth.id,
        "kind": truth.kind,
        "entity": {
            "kind": entity.kind,
            "name": entity.name,
            "namespace": entity.namespace,
            "service": entity.service,
        },
        "fault_type": truth.fault_type.value,
        "indicator": {"kind": truth.indicator.kind, "name": truth.indicator.name},
        "start": truth.start.isoformat(timespec="milliseconds"),
        "end": truth.end.isoformat(timespec="milliseconds") if truth.end else None,
        "intensity": truth.intensity,
        "parameters": dict(truth.parameters),
    }


def truth_from_json(document: Mapping[str, Any]) -> Truth:
    """Back again.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    end = document["end"]
    return Truth(
        id=document["id"],
        kind=document["kind"],
        entity=Entity(**document["entity"]),
        fault_type=FaultType(document["fault_type"]),
        indicator=Indicator(**document["indicator"]),
        start=datetime.fromisoformat(document["start"]),
        end=datetime.fromisoformat(end) if end else None,
        intensity=document["intensity"],
        parameters=document["parameters"],
    )
