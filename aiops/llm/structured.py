"""One JSON value out of a model's words, valid by a schema (draft 2020-12)."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from aiops.errors import InvalidInput
from aiops.model.canonical import canonical

_SHOWN: Final = 300
_TRIES: Final = 200
"""Braces that may be looked at: half-open ones, a million deep, would be read for hours."""
_THOUGHTS: Final = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
"""What reasoning models say to themselves, where nobody between them and us takes it away."""


class NoValue(ValueError):
    """The words hold no value by the schema; the text says why, to the model as to a reader."""


def spoken(text: str) -> str:
    """``text`` without the thoughts before it."""
    return _THOUGHTS.sub("", text).strip()


def value_in(text: str, schema: str) -> str:
    """The value that ``text`` is, or holds exactly one of, as canonical JSON.

    Args:
        text: of a model: JSON, a fenced block, or JSON amid prose.
        schema: JSON schema, as JSON.

    Raises:
        NoValue: there is none, there are several different ones, or it is not valid.
    """
    shape = json.loads(schema)
    try:
        found = list(dict.fromkeys(canonical(value) for value in _values(spoken(text))))
    except InvalidInput as error:  # a number beyond all numbers
        raise NoValue(str(error)) from error
    if not found:
        raise NoValue("there is no JSON object in it")
    wrongs = [wrong_with(json.loads(value), shape) for value in found]
    valid = [value for value, wrong in zip(found, wrongs, strict=True) if wrong is None]
    if len(valid) > 1:
        raise NoValue(f"there are {len(valid)} different JSON objects in it, one is wanted")
    if not valid:
        raise NoValue(f"its JSON is not what the schema asks for: {wrongs[-1]}")
    return valid[0]


def wrong_with(value: object, schema: Any) -> str | None:
    """The first thing by which ``value`` is not valid, with its place; None where it is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # With a registry of its own no $ref is fetched; without one, jsonschema asks the web for it.
    validator = Draft202012Validator(schema, registry=Registry())
    try:
        wrong = best_match(validator.iter_errors(value))
    except Unresolvable as error:
        return f"its schema refers to what is not there: {error}"
    if wrong is None:
        return None
    place = "/".join(str(part) for part in wrong.absolute_path)
    words = str(wrong.message)
    words = words if len(words) <= _SHOWN else words[:_SHOWN] + "..."
    return f"at {place!r}: {words}" if place else words


def wanted(schema: str) -> str:
    """The request for a value, in words, for endpoints that take no schema."""
    return (
        f"Answer with one JSON object and nothing else. It must be valid by this schema: {schema}"
    )


def is_strict(schema: Any) -> bool:
    """Whether every object names all its properties as required and takes no others.

    Only such schemas may be enforced token by token (OpenAI, "Structured outputs").
    """
    if isinstance(schema, list):
        return all(is_strict(one) for one in schema)
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" and (
        not isinstance(properties, dict)
        or schema.get("additionalProperties") is not False
        or set(schema.get("required", ())) != set(properties)
    ):
        return False
    return all(is_strict(one) for one in schema.values())


def _values(text: str) -> Iterator[Any]:
    """Every outermost JSON object in ``text``; the whole of it where that is JSON."""
    try:
        yield _read(text)
    except ValueError:
        yield from _objects(text)


def _objects(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder(parse_constant=_no_number)
    at, tries = text.find("{"), 0
    while at >= 0 and tries < _TRIES:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, at)
        except RecursionError:  # whatever is inside is as deep
            return
        except ValueError:
            at = text.find("{", at + 1)
        else:
            yield value
            at = text.find("{", end)


def _read(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
