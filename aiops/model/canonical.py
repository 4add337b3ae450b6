"""JSON in one form only, so that equal values have equal texts and equal hashes."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiops.errors import InvalidInput


def canonical(value: object) -> str:
    """``value`` as JSON with sorted keys and no spaces, as RFC 8785 orders it.

    Raises:
        InvalidInput: it is no JSON: a NaN, an infinity, a key that is no text, another type.
    """
    try:
        return json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"this cannot be written as JSON: {error}") from error


def parsed(text: str) -> Mapping[str, Any]:
    """The object that canonical ``text`` stands for."""
    value: Mapping[str, Any] = json.loads(text)
    return value


def texts_in(value: object) -> Iterator[str]:
    """Every text in a value of JSON, in its order; names of fields apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_in(each)


def digest(value: object) -> str:
    """sha256 of the canonical JSON of ``value``, 64 lower-case hex digits."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()
