"""Where a call goes: cluster, namespace, kind and name, read off its arguments or its preview."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from aiops.model.canonical import parsed
from aiops.model.tool import Target, ToolSpec
from aiops.toolbelt.refusals import Refused

EVERY: Final = "*"
"""What stands for a dimension that the tool has and the call leaves open: all of them."""
_DIMENSIONS: Final = {
    "cluster": ("cluster", "account", "project"),
    "namespace": ("namespace",),
    "kind": ("kind",),
    "name": ("name", "pod", "workload", "node", "service"),
}
"""Formats, and names of arguments, that say each dimension."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place; None where the tool has no such dimension, ``EVERY`` where the call left it open.

    All in lower case; the kind in the singular and without its API group.
    """

    cluster: str | None = None
    namespace: str | None = None
    kind: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        parts = (self.cluster, self.namespace, self.kind, self.name)
        return "/".join(part for part in parts if part is not None)


def plain_kind(word: str) -> str:
    """ "Secrets", "secrets.v1" and "v1/Secret" are "secret"."""
    last = word.casefold().strip().rpartition("/")[2].partition(".")[0]
    if last.endswith(("ies", "sses")):
        return last[:-3] + "y" if last.endswith("ies") else last[:-2]
    return last.removesuffix("s") if not last.endswith("ss") else last


def place_of(target: Target) -> Place:
    """Where ``target`` is."""
    namespace = None if target.namespace is None else target.namespace.casefold()
    return Place(
        target.cluster.casefold(), namespace, plain_kind(target.kind), target.name.casefold()
    )


class Places:
    """Reads places off the arguments of one tool."""

    def __init__(self, spec: ToolSpec) -> None:
        schema = parsed(spec.arguments)
        definitions = schema.get("$defs", {})
        self._by: dict[str, list[str]] = {dimension: [] for dimension in _DIMENSIONS}
        self._defaults: dict[str, object] = {}
        for name, given in schema.get("properties", {}).items():
            self._defaults[name] = given.get("default")
            formats = {name, *_formats(given, definitions, 0)}
            for dimension, words in _DIMENSIONS.items():
                if formats.intersection(words):
                    self._by[dimension].append(name)

    def of(self, arguments: Mapping[str, Any]) -> tuple[Place, ...]:
        """Every combination of what the arguments say; at least one.

        Raises:
            Refused: "schema": a cluster, namespace, kind or name that is not plain ASCII, which
                could look like another one.
        """
        found = [self._values(dimension, arguments) for dimension in _DIMENSIONS]
        return tuple(Place(*each) for each in product(*found))

    def _values(self, dimension: str, arguments: Mapping[str, Any]) -> list[str | None]:
        if not self._by[dimension]:
            return [None]
        found: list[str | None] = []
        for name in self._by[dimension]:
            given = arguments.get(name, self._defaults[name])
            for value in given if isinstance(given, list) else [given]:
                found += [_plain(name, value, dimension)] if isinstance(value, str) else []
        return found or [EVERY]


def _plain(argument: str, value: str, dimension: str) -> str:
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise Refused(
            "schema",
            f"{argument} {value!a} is not plain ASCII: it could look like another name; write the "
            "name as the cluster has it",
        )
    return plain_kind(value) if dimension == "kind" else value.casefold()


def _formats(schema: object, definitions: Mapping[str, object], depth: int) -> Iterator[str]:
    if not isinstance(schema, dict) or depth > len(definitions) + 4:
        return
    if isinstance(schema.get("format"), str):
        yield schema["format"]
    for inner in (*schema.get("anyOf", ()), *schema.get("allOf", ()), schema.get("items")):
        yield from _formats(inner, definitions, depth + 1)
    if isinstance(schema.get("$ref"), str):
        referred = definitions.get(schema["$ref"].rpartition("/")[2])
        yield from _formats(referred, definitions, depth + 1)
