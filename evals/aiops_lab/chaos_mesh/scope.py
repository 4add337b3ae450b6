"""Which pods an experiment hits: its selector, and how many of those it selects."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import floor
from typing import TYPE_CHECKING, Literal, cast

from aiops_lab.kubernetes.selectors import InvalidSelector, Selector, label_selector

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from aiops_lab.chaos_mesh.fields import Fields

Mode = Literal["one", "all", "fixed", "fixed-percent", "random-max-percent"]
MODES: tuple[Mode, ...] = ("one", "all", "fixed", "fixed-percent", "random-max-percent")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


@dataclass(frozen=True, slots=True)
class Target:
    """A running pod.

    Attributes:
        ip: its address in the lab; service: which service's it is.
        memory: its first container's limit, in bytes; ``None``: it has none.
    """

    namespace: str
    name: str
    service: str
    ip: str
    containers: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    node: str = ""
    memory: int | None = None

    @property
    def id(self) -> str:
        """As records name it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Scope:
    """A selector and a mode (Chaos Mesh: PodSelectorSpec, PodSelector).

    Attributes:
        pods: names by namespace; where there are any they alone count.
        value: of the modes that take a number or a percentage.
    """

    mode: Mode
    value: float = 0.0
    namespaces: tuple[str, ...] = ()
    labels: Selector = field(default_factory=Selector)
    annotations: Selector = field(default_factory=Selector)
    pods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()

    def matches(self, pod: Target) -> bool:
        """Whether the selector selects a pod."""
        if self.pods:
            return pod.name in self.pods.get(pod.namespace, ())
        return (
            pod.namespace in self.namespaces
            and self.labels.matches(pod.labels)
            and self.annotations.matches(pod.annotations)
            and (not self.nodes or pod.node in self.nodes)
        )


def choose(scope: Scope, pods: Iterable[Target], chance: random.Random) -> tuple[Target, ...]:
    """The pods that are hit, by name; none where none is selected.

    As in Chaos Mesh, a percentage is rounded down.
    """
    found = sorted(filter(scope.matches, pods), key=lambda pod: pod.id)
    match scope.mode:
        case "all":
            count = len(found)
        case "one":
            count = 1
        case "fixed":
            count = int(scope.value)
        case "fixed-percent":
            count = floor(len(found) * scope.value / 100)
        case "random-max-percent":
            count = floor(len(found) * chance.uniform(0, scope.value) / 100)
    return tuple(sorted(chance.sample(found, min(count, len(found))), key=lambda pod: pod.id))


def read_scope(fields: Fields, namespace: str) -> Scope:
    """The scope that an object with ``selector``, ``mode`` and ``value`` says.

    Args:
        namespace: of the resource, whose pods are meant where it names no namespaces.
    """
    fields.require("selector")
    mode = cast("Mode", fields.one_of("mode", MODES))
    value = 0.0
    if mode in ("fixed", "fixed-percent", "random-max-percent"):
        fields.require("value")
        value = fields.number("value")
        if mode == "fixed":
            if value < 1 or value % 1:
                fields.refuse("value", f"must be a whole number from 1 for mode {mode}")
        elif not 0 < value <= 100:
            fields.refuse("value", f"must be from 1 to 100 for mode {mode}")
    selector = fields.inner("selector")
    for name in ("fieldSelectors", "podPhaseSelectors", "nodeSelectors", "physicalMachines"):
        if selector.whole().get(name):
            selector.refuse(name, "is not supported in the lab; select by labels or names")
    names = selector.inner("pods")
    return Scope(
        mode=mode,
        value=value,
        namespaces=selector.texts("namespaces") or (namespace,),
        labels=_labels(selector),
        annotations=label_selector({"matchLabels": selector.pairs("annotationSelectors")}),
        pods={where: names.texts(where) for where in names.names()},
        nodes=selector.texts("nodes"),
    )


def _labels(selector: Fields) -> Selector:
    for one in selector.each("expressionSelectors"):
        one.require("key")
        one.one_of("operator", _OPERATORS)
        one.texts("values")
    try:
        return label_selector(
            {
                "matchLabels": selector.pairs("labelSelectors"),
                "matchExpressions": [
                    dict(one.whole())
                    for one in selector.each("expressionSelectors")
                    if one.whole().get("key") and one.whole().get("operator") in _OPERATORS
                ],
            }
        )
    except InvalidSelector as error:
        selector.refuse("expressionSelectors", str(error))
        return Selector()
