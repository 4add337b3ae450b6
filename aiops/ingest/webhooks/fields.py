"""Bounded, typed reading of one JSON object; what nobody asked for is kept."""

import json
from collections.abc import Mapping
from datetime import datetime

from aiops.errors import BadPayload
from aiops.ingest.webhooks.moments import moment
from aiops.ingest.webhooks.payload import decode

MOST_TEXT = 4_096
"""Characters kept of one text."""
_MOST_POINTER = 80


class Fields:
    """One object of a payload while it is read.

    Remembers which members were asked for, so that ``rest`` can tell what found no place. A member
    that is absent and one that is null read alike.

    Attributes:
        at: JSON pointer of the object.
        notes: what had to be cut or replaced, in sentences; shared with the objects inside.
    """

    __slots__ = ("_inner", "_seen", "_values", "at", "notes")

    def __init__(
        self, values: Mapping[str, object], at: str = "", notes: list[str] | None = None
    ) -> None:
        self._values, self.at = values, at
        self.notes: list[str] = [] if notes is None else notes
        self._seen: set[str] = set()
        self._inner: dict[str, Fields] = {}

    def __contains__(self, key: str) -> bool:
        return self._values.get(key) is not None

    def has(self, key: str) -> bool:
        """Whether the member is there and not empty, without reading it."""
        return bool(self._values.get(key))

    def names(self) -> tuple[str, ...]:
        """Names of all members, in the order of the payload."""
        return tuple(self._values)

    def raw(self, key: str) -> object:
        """The member as JSON gave it; None where it is absent."""
        self._seen.add(key)
        return self._values.get(key)

    def text(self, key: str) -> str:
        """The member as text of at most ``MOST_TEXT`` characters; "" where it is absent.

        Raises:
            BadPayload: it is an object or a list.
        """
        value = self.raw(key)
        if isinstance(value, dict | list):
            raise self.refuse(key, f"{_kind(value)} where text is expected")
        said = as_text(value)
        if len(said) > MOST_TEXT:
            self.notes.append(f"{key} cut to {MOST_TEXT} of its {len(said)} characters")
        return said[:MOST_TEXT]

    def required(self, key: str) -> str:
        """The member as text; raises BadPayload where it is absent or empty."""
        said = self.text(key)
        if not said:
            raise self.refuse(key, "missing or empty")
        return said

    def time(self, key: str) -> datetime | None:
        """The member as a time, UTC; None where it is absent or empty.

        Raises:
            BadPayload: it is no time in any form we know.
        """
        value = self.raw(key)
        if value is None or value == "":
            return None
        try:
            return moment(value)
        except ValueError as error:
            raise self.refuse(key, str(error)) from error

    def labels(self, key: str) -> dict[str, str]:
        """The members of an object as texts, whatever their types; {} where it is absent.

        Raises:
            BadPayload: it is not an object.
        """
        return {name: as_text(value) for name, value in self._object(key).items()}

    def inside(self, key: str) -> "Fields":
        """An object inside; one without members where it is absent.

        Raises:
            BadPayload: it is not an object.
        """
        if key not in self._inner:
            self._inner[key] = Fields(self._object(key), self._pointer(key), self.notes)
        return self._inner[key]

    def each(self, key: str) -> tuple["Fields", ...]:
        """The objects of a list, each with notes of its own; () where it is absent.

        Raises:
            BadPayload: it is not a list, or one of its items is not an object.
        """
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.refuse(key, f"{_kind(value)} where a list is expected")
        at = self._pointer(key)
        for n, item in enumerate(value):
            if not isinstance(item, dict):
                raise BadPayload(f"{_kind(item)} where an object is expected", f"{at}/{n}")
        return tuple(Fields(item, f"{at}/{n}") for n, item in enumerate(value))

    def skip(self, *keys: str) -> None:
        """Let these members go: they say again what stands elsewhere."""
        self._seen.update(keys)

    def rest(self) -> dict[str, object]:
        """The members nobody asked for, with those of objects inside."""
        kept = {key: value for key, value in self._values.items() if key not in self._seen}
        for key, inner in self._inner.items():
            left = inner.rest()
            if left:
                kept[key] = left
        return kept

    def refuse(self, key: str, reason: str) -> BadPayload:
        """The exception that says what is wrong with a member."""
        return BadPayload(reason, self._pointer(key))

    def _object(self, key: str) -> Mapping[str, object]:
        value = self.raw(key)
        # Languages without a type for it write an empty object as an empty list or text.
        if value is None or value in ("", []):
            return {}
        if not isinstance(value, dict):
            raise self.refuse(key, f"{_kind(value)} where an object is expected")
        return value

    def _pointer(self, key: str) -> str:
        return f"{self.at}/{key[:_MOST_POINTER].replace('~', '~0').replace('/', '~1')}"


def read(body: bytes, at: str = "") -> Fields:
    """The object that a body is.

    Args:
        at: JSON pointer of a text inside another payload that is itself JSON.

    Raises:
        BadPayload: it is not JSON, or JSON of another kind.
    """
    return Fields(members(decode(body), at), at)


def members(value: object, at: str = "") -> dict[str, object]:
    """The members of a JSON value; raises BadPayload where it is no object."""
    if not isinstance(value, dict):
        raise BadPayload(f"{_kind(value)} where an object is expected", at or "/")
    return value


def as_text(value: object) -> str:
    """A JSON value as people write it; objects and lists as JSON, null as ""."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    kinds = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
