"""Model objects as JSON text and back, by their type hints: exact both ways.

Every object of the model is a frozen dataclass of texts, numbers, times, enums, tuples and other
such dataclasses, so its annotations say all there is to know; no type is listed here. The text is
ASCII: whatever characters a sender put into a label, every database and every pipe carries it.
"""

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from aiops.errors import AiopsError

T = TypeVar("T")
_Turn = Callable[[Any], Any]
"""One value, from the model's form into JSON's or back; None in its place leaves it as it is."""


class Unreadable(AiopsError):
    """What is kept cannot be read by this version: written by another one, or damaged.

    Args:
        kind: the type that was expected.
        reason: what is wrong, in one clause.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(
            f"a kept {kind} cannot be read: {reason}; read it with the version that wrote it, "
            "or restore a backup"
        )


class Codec(Generic[T]):
    """Writes and reads one type. ``read(write(x)) == x``, to the last bit of a float.

    Reading ignores fields it does not know and fills in the defaults of those that are not there,
    so that rows outlive the version that wrote them.

    Raises:
        TypeError: the type holds something that JSON has no exact form for.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._out, self._back = _turns(cast("Any", kind))
        self._encoder = json.JSONEncoder(separators=(",", ":"))

    def write(self, value: T) -> str:
        """As one line of ASCII JSON; equal values give equal texts."""
        return self._encoder.encode(self._out(value) if self._out else value)

    def read(self, text: str) -> T:
        """The value that was written.

        Raises:
            Unreadable: the text is no JSON, or lacks what has no default.
        """
        try:
            plain = json.loads(text)
            value: T = self._back(plain) if self._back else plain
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unreadable(self._kind.__name__, str(error)) from error
        return value


@cache
def _turns(kind: Any) -> tuple[_Turn | None, _Turn | None]:
    """How values of a type are written and read."""
    if kind in (str, int, float, bool, NoneType) or get_origin(kind) is Literal:
        return None, None
    if kind is datetime:
        return datetime.isoformat, datetime.fromisoformat
    if get_origin(kind) in (Union, UnionType):
        return _optional(kind)
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return attrgetter("value"), kind
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind)
    raise TypeError(f"no exact JSON form for {kind!r}")


def _optional(kind: Any) -> tuple[_Turn | None, _Turn | None]:
    """``X | None``; a wider union could not be told apart again."""
    others = [each for each in get_args(kind) if each is not NoneType]
    if len(others) > 1:
        raise TypeError(f"no exact JSON form for {kind!r}")
    out, back = _turns(others[0])
    return _unless_none(out), _unless_none(back)


def _unless_none(turn: _Turn | None) -> _Turn | None:
    if turn is None:
        return None
    return lambda value: None if value is None else turn(value)


def _tuple(items: tuple[Any, ...]) -> tuple[_Turn | None, _Turn]:
    """``tuple[X, ...]`` and ``tuple[X, Y]``, as a JSON array."""
    if len(items) == 2 and items[1] is Ellipsis:
        out, back = _turns(items[0])
        return (
            (lambda values: [out(each) for each in values]) if out else None,
            (lambda plain: tuple(map(back, plain))) if back else tuple,
        )
    turns = [_turns(item) for item in items]
    outs, backs = [out for out, _ in turns], [back for _, back in turns]
    return (
        (lambda values: list(map(_turned, outs, values))) if any(outs) else None,
        (lambda plain: tuple(map(_turned, backs, plain))) if any(backs) else tuple,
    )


def _turned(turn: _Turn | None, value: Any) -> Any:
    return turn(value) if turn else value


def _dataclass(kind: Any) -> tuple[_Turn, _Turn]:
    """A dataclass, as a JSON object under its fields' names."""
    hints = get_type_hints(kind)
    named = [(field.name, *_turns(hints[field.name])) for field in fields(kind)]
    needed = {
        field.name
        for field in fields(kind)
        if field.default is MISSING and field.default_factory is MISSING
    }

    def out(value: Any) -> dict[str, Any]:
        return {
            name: turn(getattr(value, name)) if turn else getattr(value, name)
            for name, turn, _ in named
        }

    def back(plain: dict[str, Any]) -> Any:
        given = {
            name: turn(plain[name]) if turn else plain[name]
            for name, _, turn in named
            if name in plain
        }
        if len(given) < len(named) and (missing := needed - given.keys()):
            raise ValueError(f"it has no {', '.join(sorted(missing))}")
        return kind(**given)

    return out, back
