"""Reading an object as its type: unknown fields, wrong types, missing fields."""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiops_lab.kubernetes.quantities import InvalidQuantity, parse_quantity
from aiops_lab.kubernetes.schema.types import ANY, Shape, types


@dataclass(slots=True)
class Findings:
    """What reading found: nothing in it means that the object is well formed.

    Args:
        unknown: paths of fields the type does not have.
        wrong: (path, what is wrong) where a value cannot stand.
        missing: paths of required fields that are not there.
        bad_values: (path, value, what is wrong) of well-typed values that mean nothing.
    """

    unknown: list[str] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    bad_values: list[tuple[str, Any, str]] = field(default_factory=list)


def decode(value: Any, shape: Shape, path: str = "") -> tuple[Any, Findings]:
    """The value as it is kept, and what was found on the way; the input is left alone.

    Null fields are dropped, unknown fields too, and quantities become text, as a real server does.
    """
    findings = Findings()
    return _read(value, shape, path, findings), findings


def _read(value: Any, shape: Shape, path: str, found: Findings) -> Any:
    match shape.form:
        case "object":
            return _object(value, shape, path, found)
        case "list":
            if not isinstance(value, list):
                found.wrong.append((path, f"expected a list, got {_name(value)}"))
                return value
            of = shape.of or ANY
            return [_read(item, of, f"{path}[{i}]", found) for i, item in enumerate(value)]
        case "map":
            if not isinstance(value, dict):
                found.wrong.append((path, f"expected an object, got {_name(value)}"))
                return value
            of = shape.of or ANY
            # A null in a map of strings decodes to the empty string (encoding/json).
            return {
                key: _read("" if item is None else item, of, f"{path}.{key}", found)
                for key, item in value.items()
            }
        case _:
            return _scalar(value, shape, path, found)


def _object(value: Any, shape: Shape, path: str, found: Findings) -> Any:
    if not isinstance(value, dict):
        found.wrong.append((path, f"expected an object, got {_name(value)}"))
        return value
    fields = types()[shape.type_name].fields
    kept = {}
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        if key not in fields:
            found.unknown.append(inner)
        elif item is not None:
            kept[key] = _read(item, fields[key].shape, inner, found)
    found.missing += [
        f"{path}.{name}" if path else name
        for name, known in fields.items()
        if known.required and name not in kept
    ]
    return kept


def _scalar(value: Any, shape: Shape, path: str, found: Findings) -> Any:
    if shape.form == "quantity":
        return _quantity(value, path, found)
    if not _fits(value, shape.form):
        found.wrong.append((path, f"expected {_WORDS[shape.form]}, got {_name(value)}"))
        return value
    if shape.form == "time":
        try:
            datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            found.wrong.append((path, f"cannot parse {value!r} as an RFC 3339 time"))
    if shape.form == "bytes":
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            found.wrong.append((path, "illegal base64 data"))
    return value


def _quantity(value: Any, path: str, found: Findings) -> Any:
    text = str(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        found.wrong.append((path, f"expected a quantity, got {_name(value)}"))
        return value
    try:
        parse_quantity(text)
    except InvalidQuantity as wrong:
        found.wrong.append((path, str(wrong)))
    return text


_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "time": "a time",
    "bytes": "base64 text",
    "int_or_string": "an integer or a string",
    "any": "anything",
}


def _fits(value: Any, form: str) -> bool:
    match form:
        case "any":
            return True
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "int_or_string":
            return isinstance(value, int | str) and not isinstance(value, bool)
        case _:
            return isinstance(value, str)


def _name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case str():
            return "string"
        case int() | float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"
