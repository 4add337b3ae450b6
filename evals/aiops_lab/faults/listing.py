"""Which faults there are for a system, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops_lab.faults.catalogue import KINDS
from aiops_lab.faults.fault import Choice, Level, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_lab.faults.fault import Fault, Parameter
    from aiops_lab.faults.ports import Ground

MIDDLE = 0.5


def listing(ground: Ground) -> list[dict[str, Any]]:
    """Every kind with its parameters, defaults (at intensity 0.5) and targets."""
    return [_kind(kind, ground) for kind in KINDS]


def _kind(kind: Fault, ground: Ground) -> dict[str, Any]:
    targets = kind.targets(ground)
    return {
        "kind": kind.name,
        "fault_type": kind.type.value,
        "says": kind.says,
        "needs": kind.needs,
        "indicator": {"kind": "metric", "name": kind.metric},
        "targets": list(targets),
        "parameters": [_parameter(one, ground, targets) for one in kind.parameters],
    }


def _parameter(one: Parameter, ground: Ground, targets: tuple[str, ...]) -> dict[str, Any]:
    about: dict[str, Any] = {"name": one.name, "says": one.says}
    match one:
        case Level():
            bounds = {"unit": one.unit, "least": one.least, "most": one.most}
            return {**about, "default": one.value(MIDDLE), **bounds}
        case Choice():
            listed = [one.options(ground, target) for target in targets]
            options = tuple(dict.fromkeys(name for names in listed for name in names))
            return {**about, "default": options[0] if options else "", "options": list(options)}
        case Text():
            return {**about, "default": one.default}


def lines(kinds: list[dict[str, Any]], services: int) -> Iterator[str]:
    """The listing as text; ``services``: how many there are, to say "every service"."""
    for kind in kinds:
        needs = "" if kind["needs"] == "processes" else "  [Kubernetes API]"
        yield f"{kind['kind']}  ({kind['fault_type']}): {kind['says']}{needs}"
        for one in kind["parameters"]:
            yield f"    --set {one['name']}={_default(one)}  {one['says']}{_range(one)}"
        targets = kind["targets"]
        every = len(targets) == services
        yield f"    on: {'every service' if every else ', '.join(targets) or 'nothing here'}"


def _default(one: dict[str, Any]) -> str:
    default = one["default"]
    return f"{default:g}" if isinstance(default, float) else default or "''"


def _range(one: dict[str, Any]) -> str:
    if "options" in one:
        return f" ({', '.join(one['options'])})"
    if "least" in one:
        return f" ({one['least']:g} to {one['most']:g} {one['unit']})"
    return ""
