"""The kinds the API serves, as data: `kinds.yaml`, and custom resources as they are defined."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Column:
    """One printed column: `source` is a path in the object or the name of a function."""

    name: str
    type: str
    source: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version of its API group.

    Args:
        type_name: its model in the schema; empty for what has none (metrics, custom resources).
        stored_as: group and version its objects are kept in.
        subresources: beyond status and scale, which have their own flags.
        effect: False where objects are kept and nothing acts on them.
        custom: the kind comes from a CustomResourceDefinition.
    """

    group: str
    version: str
    kind: str
    plural: str
    type_name: str
    stored_as: tuple[str, str]
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    subresources: tuple[str, ...] = ()
    status: bool = True
    scale: bool = False
    effect: bool = True
    verbs: tuple[str, ...] = ALL_VERBS
    custom: bool = False

    @property
    def api_version(self) -> str:
        """As objects carry it: "v1" or "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """What the store keeps it under, whatever the version: "pods" or "deployments.apps"."""
        group = self.stored_as[0]
        return f"{self.plural}.{group}" if group else self.plural

    @property
    def qualified(self) -> str:
        """As errors name it: "deployments.apps"."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_stored_version(self) -> bool:
        """Whether objects are kept in this version."""
        return self.stored_as == (self.group, self.version)

    @property
    def singular(self) -> str:
        """The name kubectl accepts for one."""
        return self.kind.lower()


def _columns(rows: list[list[Any]]) -> tuple[Column, ...]:
    return tuple(Column(row[0], row[1], row[2], row[3] if len(row) > 3 else 0) for row in rows)


def _versions(row: Mapping[str, Any]) -> list[Kind]:
    group, version = row.get("group", ""), row.get("version", "v1")
    first = Kind(
        group=group,
        version=version,
        kind=row["kind"],
        plural=row["plural"],
        type_name=row["type"],
        stored_as=(group, version),
        namespaced=row.get("namespaced", True),
        short_names=tuple(row.get("short", ())),
        categories=tuple(row.get("categories", ())),
        columns=_columns(row.get("columns", [])),
        subresources=tuple(row.get("subresources", ())),
        status=row.get("status", True),
        scale=row.get("scale", False),
        effect=row.get("effect", True),
        verbs=tuple(row.get("verbs", ALL_VERBS)),
    )
    return [
        first,
        *(replace(first, group=g, version=v, type_name=t) for g, v, t in row.get("also", ())),
    ]


@cache
def built_in_kinds() -> tuple[Kind, ...]:
    """Every kind in every version, as `kinds.yaml` has them."""
    import yaml

    text = Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8")
    return tuple(kind for row in yaml.safe_load(text) for kind in _versions(row))


def _custom_columns(version: Mapping[str, Any]) -> tuple[Column, ...]:
    declared = tuple(
        Column(c["name"], c["type"], c["jsonPath"], c.get("priority", 0))
        for c in version.get("additionalPrinterColumns", ())
    )
    return declared or (Column("Age", "date", "age"),)


def kinds_of(definition: Mapping[str, Any]) -> list[Kind]:
    """The kinds a CustomResourceDefinition defines, one for each version it serves."""
    spec = definition["spec"]
    names, versions = spec["names"], spec["versions"]
    stored = next((v["name"] for v in versions if v.get("storage")), versions[0]["name"])
    return [
        Kind(
            group=spec["group"],
            version=version["name"],
            kind=names["kind"],
            plural=names["plural"],
            type_name="",
            stored_as=(spec["group"], stored),
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames", ())),
            categories=tuple(names.get("categories", ())),
            columns=_custom_columns(version),
            status="status" in version.get("subresources", {}),
            scale="scale" in version.get("subresources", {}),
            custom=True,
        )
        for version in versions
        if version.get("served", True)
    ]


class Registry:
    """Finds kinds; custom ones come and go with their definitions."""

    def __init__(self) -> None:
        self._kinds = {(k.group, k.version, k.plural): k for k in built_in_kinds()}
        self._custom: dict[str, list[Kind]] = {}

    def define(self, name: str, kinds: list[Kind]) -> None:
        """Serve the kinds of the definition `name` in place of those it had; none: forget it."""
        for old in self._custom.pop(name, []):
            del self._kinds[old.group, old.version, old.plural]
        if kinds:
            self._custom[name] = kinds
            self._kinds.update({(k.group, k.version, k.plural): k for k in kinds})

    def all(self) -> tuple[Kind, ...]:
        """Every kind in every version, in a stable order."""
        return tuple(self._kinds.values())

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind behind a URL, or None."""
        return self._kinds.get((group, version, plural))

    def of(self, api_version: str, kind: str) -> Kind | None:
        """The kind an object says it is, or None."""
        group, _, version = api_version.rpartition("/")
        wanted = (group, version, kind)
        return next((k for k in self.all() if (k.group, k.version, k.kind) == wanted), None)

    def stored(self, resource: str) -> Kind:
        """The version in which the objects of a resource ("deployments.apps") are kept."""
        return next(
            k for k in self._kinds.values() if k.resource == resource and k.is_stored_version
        )
