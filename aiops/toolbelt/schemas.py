"""JSON schemas of a tool's arguments and results, closed: what they do not name is refused."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from aiops.errors import InvalidInput, ToolFailed
from aiops.model.canonical import parsed
from aiops.model.tool import ToolSpec
from aiops.toolbelt.refusals import Refused

_COMBINING: Final = ("allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties")
_ALONE: Final = ("enum", "const", "default", "examples")
"""Keywords whose values are instances, not schemas."""
_SHOWN: Final = 160
_REMEMBERED: Final = 1000
"""Schemas whose check is not repeated: a belt is made for each answer of a chat, and looking
through those of our own tools takes half a second."""


class Schemas:
    """Both schemas of one tool (JSON schema, draft 2020-12), compiled once.

    Raises:
        InvalidInput: one is no schema, or the arguments' is not that of an object.
    """

    def __init__(self, spec: ToolSpec) -> None:
        self._name = spec.name
        arguments = closed(_schema(spec, spec.arguments))
        if not isinstance(arguments, dict) or arguments.get("type") != "object":
            raise InvalidInput(f"tool {spec.name!r}: its arguments must be a JSON object")
        self._arguments = _validator(spec, {"additionalProperties": False, **arguments})
        self._result = _validator(spec, _schema(spec, spec.result))

    def check_arguments(self, arguments: Mapping[str, Any]) -> None:
        """Raises Refused, "schema", with the first thing that is wrong."""
        wrong = _first(self._arguments, arguments)
        if wrong is not None:
            raise Refused("schema", f"{self._name} is not called: {wrong}; correct the arguments")

    def check_result(self, content: str) -> None:
        """Raises ToolFailed, "invalid", where a tool answers something else than it promised."""
        try:
            result = parsed(content)
        except (ValueError, RecursionError) as error:
            raise ToolFailed("invalid", f"{self._name} answered no JSON: {error}") from error
        wrong = _first(self._result, result)
        if wrong is not None:
            raise ToolFailed("invalid", f"{self._name} answered what it did not promise: {wrong}")


def closed(schema: object) -> object:
    """``schema`` where every object with properties takes no others, unless it says it does."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in _ALONE else closed(value) for key, value in schema.items()}
    combined = any(word in found for word in _COMBINING)
    if isinstance(found.get("properties"), dict) and found.get("type") == "object" and not combined:
        found.setdefault("additionalProperties", False)
    return found


def _schema(spec: ToolSpec, text: str) -> Any:
    try:
        return parsed(text)
    except ValueError as error:
        raise InvalidInput(f"tool {spec.name!r}: its schema is no JSON: {error}") from error


def _validator(spec: ToolSpec, schema: Any) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    wrong = _wrong_as_schema(json.dumps(schema, sort_keys=True))
    if wrong is not None:
        raise InvalidInput(f"tool {spec.name!r}: no JSON schema: {wrong}")
    # With a registry of its own no $ref is fetched; without one, jsonschema asks the web for it.
    return Draft202012Validator(schema, registry=Registry())


@lru_cache(maxsize=_REMEMBERED)
def _wrong_as_schema(schema: str) -> str | None:
    """Why this is no JSON schema; None where it is one."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    try:
        Draft202012Validator.check_schema(json.loads(schema))
    except SchemaError as error:
        return str(error.message)
    return None


def _first(validator: Any, instance: object) -> str | None:
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    try:
        wrong = best_match(validator.iter_errors(instance))
    except Unresolvable as error:  # a $ref to somewhere else is never fetched
        return f"its schema refers to what is not there: {error}"
    if wrong is None:
        return None
    place = "/".join(str(part) for part in wrong.absolute_path)
    words = str(wrong.message)
    words = words if len(words) <= _SHOWN else words[:_SHOWN] + "..."
    return f"at {place!r}: {words}" if place else words
