"""The fields of each type: what may stand in them and how lists merge."""

import gzip
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Form = Literal[
    "string",
    "integer",
    "number",
    "boolean",
    "any",
    "quantity",
    "int_or_string",
    "time",
    "bytes",
    "list",
    "map",
    "object",
]
_SCALARS: dict[str, Form] = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "datetime": "time",
    "bytes": "bytes",
    "object": "any",
}
_GENERIC = re.compile(r"(List|Dict)\[(?:str, )?(.+)\]$")


@dataclass(frozen=True, slots=True)
class Shape:
    """What may stand in a place.

    Args:
        of: the elements of a list or map.
        type_name: the type of an object.
        keys: what tells the elements of a list apart when it merges; empty: replaced as a whole.
        is_set: a list of plain values that merges as a set.
        retain_keys: strategic merge patches drop the keys that `$retainKeys` does not name.
        atomic: server-side apply owns it as a whole.
    """

    form: Form
    of: "Shape | None" = None
    type_name: str = ""
    keys: tuple[str, ...] = ()
    is_set: bool = False
    retain_keys: bool = False
    atomic: bool = False


ANY = Shape("any")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type."""

    name: str
    shape: Shape
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Type:
    """One object type and its fields by name."""

    name: str
    description: str
    fields: dict[str, Field]


@dataclass(frozen=True, slots=True)
class _Marks:
    lists: dict[str, tuple[str, ...]]
    sets: frozenset[str]
    retain_keys: frozenset[str]
    atomic: frozenset[str]
    quantities: frozenset[str]
    int_or_string: frozenset[str]


@cache
def _marks() -> _Marks:
    import yaml

    text = Path(__file__).with_name("marks.yaml").read_text(encoding="utf-8")
    raw = yaml.safe_load(text)
    return _Marks(
        {place: tuple(keys) for place, keys in raw["lists"].items()},
        *(
            frozenset(raw[name])
            for name in ("sets", "retain_keys", "atomic", "quantities", "int_or_string")
        ),
    )


def _shape(expression: str, place: str) -> Shape:
    marks = _marks()
    generic = _GENERIC.match(expression)
    if generic and generic[1] == "List":
        return Shape(
            "list",
            _shape(generic[2], f"{place}[]"),
            keys=marks.lists.get(place, ()),
            is_set=place in marks.sets,
            retain_keys=place in marks.retain_keys,
            atomic=place not in marks.lists and place not in marks.sets,
        )
    if generic:
        of = Shape("quantity") if place in marks.quantities else _shape(generic[2], f"{place}{{}}")
        return Shape("map", of, atomic=place.endswith(".nodeSelector"))
    if place in marks.quantities:
        return Shape("quantity")
    if place in marks.int_or_string:
        return Shape("int_or_string")
    if expression in _SCALARS:
        return Shape(_SCALARS[expression])
    return Shape(
        "object",
        type_name=expression,
        retain_keys=place in marks.retain_keys,
        atomic=expression in marks.atomic,
    )


@cache
def types() -> dict[str, Type]:
    """Every type by its name in the official client, such as "V1PodSpec"."""
    raw: dict[str, Any] = json.loads(
        gzip.decompress(Path(__file__).with_name("types.json.gz").read_bytes())
    )
    return {
        name: Type(
            name,
            entry["d"],
            {
                field: Field(field, _shape(expression, f"{name}.{field}"), bool(required), text)
                for field, (expression, required, text) in entry["f"].items()
            },
        )
        for name, entry in raw.items()
    }


def shape_of(type_name: str) -> Shape:
    """The shape of a whole object; anything goes where the type has no schema."""
    return Shape("object", type_name=type_name) if type_name in types() else ANY


def inside(shape: Shape, key: str) -> Shape:
    """The shape of what stands under a key of an object or map; ANY where nothing is known."""
    if shape.form == "map":
        return shape.of or ANY
    if shape.form == "object":
        field = types()[shape.type_name].fields.get(key)
        return field.shape if field else ANY
    return ANY
