"""Orders in words that no rule names: signs of them are weighed together, sentence by sentence.

Whoever plants an order has to speak to its reader, and to want something of them that the reader's
people would not: void what they were told, do without consent, keep it from people, carry something
away, say what is not so. Each is a sign; honest text has one of them at a time. The signs and their
weights stand in weighed.toml.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Final

_AROUND: Final = 300
"""Characters on either side of a sign that are taken for its sentence at most."""
_MOST: Final = 200
"""Places of one sign that are looked at in one text: whoever plants more has been seen, and none
makes us weigh for seconds."""


@dataclass(frozen=True, slots=True)
class _Sign:
    weight: float
    anchor: bool
    needs: tuple[str, ...]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Scales:
    threshold: float
    signs: tuple[_Sign, ...]


@cache
def _scales() -> _Scales:
    document = tomllib.loads(files("aiops.toolbelt").joinpath("weighed.toml").read_text("utf-8"))
    flags = re.IGNORECASE | re.MULTILINE | re.VERBOSE
    signs = []
    for entry in document["signs"]:
        pattern = entry["pattern"]
        for name, words in document["lists"].items():
            pattern = pattern.replace(name, words)
        signs.append(
            _Sign(
                entry["weight"],
                entry["anchor"],
                tuple(entry["needs"]),
                re.compile(pattern, flags),
            )
        )
    return _Scales(document["threshold"], tuple(signs))


def ordering(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of what reads like orders, for each sign that leads there."""
    scales, low = _scales(), text.lower()
    there = [sign for sign in scales.signs if not sign.needs or any(w in low for w in sign.needs)]
    weights: dict[str, float] = {}
    for sign in there:
        if sign.anchor:
            for match in islice(sign.pattern.finditer(text), _MOST):
                window = _window(text, match.start(), match.end())
                if window not in weights:
                    weights[window] = _weight(window, there)
                if weights[window] >= scales.threshold:
                    yield match.span()


def _window(text: str, start: int, end: int) -> str:
    """The line around a place, as far as one sentence may go."""
    first = max(text.rfind("\n", 0, start) + 1, start - _AROUND)
    last = text.find("\n", end)
    last = len(text) if last < 0 else last
    return text[first : min(last, end + _AROUND)]


def _weight(window: str, signs: list[_Sign]) -> float:
    return sum(sign.weight for sign in signs if sign.pattern.search(window))
