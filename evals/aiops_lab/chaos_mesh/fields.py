"""Reads the fields of a resource, and collects what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiops_lab.kubernetes.problems import Cause, required, unsupported, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Fields:
    """One object of a resource; what cannot be read is noted and read as if it were not there.

    Args:
        at: the object's path, such as "spec.selector".
        causes: where problems are noted.
    """

    def __init__(self, found: Any, at: str, causes: list[Cause]) -> None:
        self.at, self._causes = at, causes
        self._found: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
        if found is not None and not isinstance(found, Mapping):
            self.refuse("", wrong(at, found, "must be an object"))

    def __contains__(self, name: str) -> bool:
        return name in self._found

    def path(self, name: str) -> str:
        """A field's whole path."""
        return f"{self.at}.{name}" if name else self.at

    def refuse(self, name: str, cause: Cause | str) -> None:
        """Note what is wrong with a field."""
        if not isinstance(cause, Cause):
            cause = wrong(self.path(name), self._found.get(name), cause)
        self._causes.append(cause)

    def inner(self, name: str) -> Fields:
        """The object in a field; an empty one where there is none."""
        return Fields(self._found.get(name), self.path(name), self._causes)

    def require(self, name: str) -> None:
        """Note that a field is missing, where it is."""
        if self._found.get(name) in (None, "", [], {}):
            self.refuse(name, required(self.path(name)))

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self._found.get(name, default)
        if isinstance(value, str):
            return value
        self.refuse(name, "must be a string")
        return default

    def one_of(self, name: str, options: tuple[str, ...], default: str = "") -> str:
        """One of some words; without a default it must be there."""
        value = self.text(name, default)
        if not value:
            self.require(name)
        elif value not in options:
            self.refuse(name, unsupported(self.path(name), value, options))
        return value

    def number(self, name: str, default: float = 0.0) -> float:
        """A number, or one in a text, such as "25"; not negative."""
        value = self._found.get(name, default)
        try:
            number = float(value) if not isinstance(value, bool) else -1.0
        except (TypeError, ValueError):
            number = -1.0
        if 0 <= number < float("inf"):
            return number
        self.refuse(name, "must be a number that is not negative")
        return default

    def percent(self, name: str, default: float = 100.0) -> float:
        """A percentage, as a share of 1."""
        number = self.number(name, default)
        if number > 100:
            self.refuse(name, "must be between 0 and 100")
        return min(number, 100.0) / 100

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self._found.get(name, False)
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return value is True

    def seconds(self, name: str, default: float | None = None) -> float | None:
        """A duration as Go writes it, such as "1m30s" or "-10ms"."""
        text = self.text(name)
        if not text:
            return default
        value = seconds_of(text)
        if value is None:
            self.refuse(name, "must be a duration such as 500ms, 30s or 1h30m")
        return value if value is not None else default

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._found.get(name) or []
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.refuse(name, "must be a list of strings")
        return ()

    def pairs(self, name: str) -> Mapping[str, str]:
        """Texts by text."""
        value = self._found.get(name) or {}
        if isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()):
            return value
        self.refuse(name, "must be an object of strings")
        return {}

    def each(self, name: str) -> Iterator[Fields]:
        """The objects in a list."""
        value = self._found.get(name) or []
        if not isinstance(value, list):
            self.refuse(name, "must be a list")
            return
        for number, one in enumerate(value):
            yield Fields(one, f"{self.path(name)}[{number}]", self._causes)

    def names(self) -> tuple[str, ...]:
        """The fields there are."""
        return tuple(self._found)

    def whole(self) -> Mapping[str, Any]:
        """Everything, as it was sent."""
        return self._found


def seconds_of(text: str) -> float | None:
    """A duration of Go's time.ParseDuration in seconds; ``None``: it is none."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return 0.0
    parts = _PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        return None
    return sign * sum(float(number) * _UNITS[unit] for number, unit in parts)
