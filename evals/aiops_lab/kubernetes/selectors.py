"""Label and field selectors: what they say and what they choose."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aiops.errors import InvalidInput

Operator = Literal["in", "notin", "exists", "absent", "gt", "lt"]
_SET = re.compile(r"([^\s!=,()]+)\s+(in|notin)\s*\(([^()]*)\)$")
_PAIR = re.compile(r"([^\s!=<>,()]+)\s*(==|=|!=|>|<)\s*([^\s!=<>,()]*)$")
_KEY = re.compile(r"(!?)\s*([^\s!=<>,()]+)$")
_SPLIT = re.compile(r",(?![^()]*\))")


class InvalidSelector(InvalidInput):
    """A selector that cannot be parsed."""

    def __init__(self, text: str) -> None:
        super().__init__(f"unable to parse requirement: {text!r}; write key=value, or key in (a,b)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on a label or field."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, found: Mapping[str, str]) -> bool:
        """Whether what was found meets it; "notin" holds where the key is absent."""
        value = found.get(self.key)
        match self.operator:
            case "in":
                return value in self.values
            case "notin":
                return value not in self.values
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case "gt" | "lt":
                if value is None or not value.lstrip("-").isdigit():
                    return False
                left, right = int(value), int(self.values[0])
                return left > right if self.operator == "gt" else left < right


@dataclass(frozen=True, slots=True)
class Selector:
    """All of its requirements must hold; none choose everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, found: Mapping[str, str]) -> bool:
        """Whether something with these labels or fields is chosen."""
        return all(requirement.holds(found) for requirement in self.requirements)


EVERYTHING = Selector()
NOTHING = Selector((Requirement("", "in", ()),))


def parse_selector(text: str) -> Selector:
    """A selector as kubectl writes it: "app=web,tier in (a,b),!canary".

    Raises:
        InvalidSelector: a part is no requirement.
    """
    parts = [part.strip() for part in _SPLIT.split(text)] if text.strip() else []
    return Selector(tuple(_requirement(part) for part in parts))


def _requirement(text: str) -> Requirement:
    if found := _SET.match(text):
        values = tuple(sorted({value.strip() for value in found[3].split(",")}))
        return Requirement(found[1], "in" if found[2] == "in" else "notin", values)
    if found := _PAIR.match(text):
        operators: dict[str, Operator] = {"!=": "notin", ">": "gt", "<": "lt"}
        operator = operators.get(found[2], "in")
        if operator in ("gt", "lt") and not found[3].lstrip("-").isdigit():
            raise InvalidSelector(text)
        return Requirement(found[1], operator, (found[3],))
    if found := _KEY.match(text):
        return Requirement(found[2], "absent" if found[1] else "exists")
    raise InvalidSelector(text)


_OPERATORS: dict[str, Operator] = {
    "In": "in",
    "NotIn": "notin",
    "Exists": "exists",
    "DoesNotExist": "absent",
    "Gt": "gt",
    "Lt": "lt",
}


def requirements_of(expressions: list[Mapping[str, Any]]) -> tuple[Requirement, ...]:
    """`matchExpressions` of an object."""
    return tuple(
        Requirement(e["key"], _OPERATORS[e["operator"]], tuple(e.get("values") or ()))
        for e in expressions
    )


def label_selector(spec: Mapping[str, Any] | None) -> Selector:
    """A LabelSelector of an object; a missing one chooses nothing, an empty one everything."""
    if spec is None:
        return NOTHING
    pairs = tuple(
        Requirement(key, "in", (value,)) for key, value in (spec.get("matchLabels") or {}).items()
    )
    return Selector(pairs + requirements_of(spec.get("matchExpressions") or []))


def equals(labels: Mapping[str, str] | None) -> Selector:
    """The selector of a Service: every pair must be there; an empty one chooses nothing."""
    if not labels:
        return NOTHING
    return Selector(tuple(Requirement(key, "in", (value,)) for key, value in labels.items()))


def _at(path: str) -> Callable[[Mapping[str, Any]], str]:
    steps = path.split(".")

    def read(found: Mapping[str, Any]) -> str:
        value: Any = found
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)

    return read


# The fields each resource can be selected by, as the real API server allows.
_COMMON = ("metadata.name", "metadata.namespace")
_POD = "nodeName restartPolicy schedulerName serviceAccountName hostNetwork"
_EVENT = "kind namespace name uid apiVersion resourceVersion fieldPath"
_FIELDS = {
    "pods": (
        *(f"spec.{field}" for field in _POD.split()),
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        *(f"involvedObject.{field}" for field in _EVENT.split()),
        *("reason", "reportingComponent", "source", "type"),
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "jobs.batch": ("status.successful",),
    "replicasets.apps": ("status.replicas",),
    "replicationcontrollers": ("status.replicas",),
}
# events.k8s.io writes the same fields under its own names.
_ALIASES = {"regarding": "involvedObject", "reportingController": "reportingComponent"}


def field_selector(text: str, resource: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an object is chosen by a field selector such as "status.phase!=Running".

    Raises:
        InvalidSelector: a part is no requirement, or no field of the resource.
    """
    allowed = {*_COMMON, *_FIELDS.get(resource, ())}
    readers = []
    for requirement in parse_selector(text).requirements:
        first, dot, rest = requirement.key.partition(".")
        key = _ALIASES.get(first, first) + dot + rest
        if key not in allowed:
            raise InvalidSelector(f"{requirement.key} (not a field of {resource})")
        path = "source.component" if key == "source" else key
        readers.append((Requirement(key, requirement.operator, requirement.values), _at(path)))
    return lambda found: all(r.holds({r.key: read(found)}) for r, read in readers)
