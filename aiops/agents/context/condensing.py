"""A tool's result in the context of whoever reasons about it: by its shape, its facts first.

The whole stays in the store under its evidence id; only this goes into a prompt.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiops.analyze.telling.shapes import shaped, tokens
from aiops.analyze.telling.statements import statements

LIMIT_TOKENS: Final = 12_000
SHARE: Final = 0.25
"""Of a long result, at most this much is told."""
LEAST_TOKENS: Final = 1_500
"""A result this short is told whole, and a longer one in no less: there is little to win."""
_MANY_LINES: Final = 10
_PROSE_CHARS: Final = 30
"""A column whose texts are on average longer than this holds messages, not names."""


@dataclass(frozen=True, slots=True)
class Condensed:
    """A result as it goes into a context.

    Attributes:
        text: what is told.
        was: tokens of the whole.
        told: tokens of ``text``.
    """

    text: str
    was: int
    told: int

    @property
    def saved(self) -> float:
        """Share of the tokens that were not spent, 0 to 1."""
        return 1.0 - self.told / self.was if self.was else 0.0


def condensed(result: str, *, limit_tokens: int = LIMIT_TOKENS) -> Condensed:
    """``result`` by its shape: log lines and tables of messages by their statements, other tables
    by their columns, other JSON by its outline; a short one as it is.

    Args:
        limit_tokens: the most that may be told, at least 100; a token is four bytes.
    """
    was = tokens(result)
    if was <= min(LEAST_TOKENS, limit_tokens):
        return Condensed(result, was, was)
    room = min(limit_tokens, max(int(was * SHARE), LEAST_TOKENS))
    lines = _lines_of(result)
    text = shaped(result, room) if lines is None else statements(lines, room * 4)
    return Condensed(text, was, tokens(text))


def _lines_of(result: str) -> Sequence[str] | None:
    """The lines, where the result is a log or a table of messages; None where it is neither."""
    try:
        value = json.loads(result)
    except (ValueError, RecursionError):
        lines = result.splitlines()
        return lines if len(lines) >= _MANY_LINES else None
    rows = _longest_list(value)
    if len(rows) < _MANY_LINES:
        return None
    if all(isinstance(row, str) for row in rows):
        return [str(row) for row in rows]
    texts = [row for row in rows if isinstance(row, Mapping)]
    if len(texts) < len(rows) or not any(_is_prose(texts, name) for name in texts[0]):
        return None
    return [" ".join(f"{name}={_plain(one)}" for name, one in row.items()) for row in texts]


def _longest_list(value: object) -> Sequence[object]:
    if isinstance(value, Mapping):
        return max((one for one in value.values() if isinstance(one, list)), key=len, default=[])
    return value if isinstance(value, list) else []


def _is_prose(rows: Sequence[Mapping[str, object]], name: str) -> bool:
    texts = [one for row in rows if isinstance(one := row.get(name), str)]
    return bool(texts) and sum(map(len, texts)) > _PROSE_CHARS * len(rows)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
