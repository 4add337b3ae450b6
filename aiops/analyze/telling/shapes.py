"""Big results in few words: tables by their columns, logs by their statements, JSON by its shape.

A summary is made of what stands in the result and of counts; nothing is reworded.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from aiops.analyze.telling.facts import facts_of, written
from aiops.analyze.telling.statements import statements

_STAMPED = re.compile(
    r"\s*[\[{\"]?(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{2}:[0-9]{2}:[0-9]{2}|[IWEF][0-9]{4} |ts=|time="
    r"|level=|(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\b|[0-9a-fA-F.:]+ - \S+ \[)"
)
_LINE_CHARS = 400
_ROWS, _COLUMNS, _VALUES, _LOG_LINES = 5, 20, 5, 10
_DEPTH = 6
_FACTS_SHARE = 0.3
"""Of the room, at most this much goes to the list of facts."""


def tokens(text: str) -> int:
    """What a text costs a model, estimated without one: a token is four bytes."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4)


def shaped(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` tokens: itself where it fits, else a summary and its facts."""
    if tokens(text) <= limit:
        return text
    size = (
        f"{len(text.encode('utf-8', 'surrogatepass')):,} bytes, {text.count(chr(10)) + 1:,} lines"
    )
    lines = [line for line in text.splitlines() if line.strip()]
    if is_log(lines):
        return f"{size}\n{statements(lines, (limit - tokens(size) - 1) * 4)}"
    facts = _fitted(written(facts_of(text)).splitlines(), int(limit * _FACTS_SHARE))
    room = limit - tokens(facts) - tokens(size) - 8
    body = _fitted(_body(text, lines), room)
    return "\n".join(part for part in (size, body, facts) if part)


def is_log(lines: Sequence[str]) -> bool:
    """Whether most lines begin as those of a log do: with a time or a level."""
    stamped = sum(_STAMPED.match(line) is not None for line in lines[:500])
    return len(lines) >= _LOG_LINES and stamped * 2 >= min(len(lines), 500)


def _body(text: str, lines: Sequence[str]) -> list[str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict | list):
        table = _table_in(value)
        return _shape_of(value) if table is None else [*_around(value, table), *_columns(table)]
    return _head_and_tail(lines)


def _table_in(value: object) -> Sequence[Mapping[str, object]] | None:
    """The rows of a table: a list of objects, alone or as the one big field of an object."""
    if isinstance(value, Mapping):
        tables = [rows for one in value.values() if (rows := _table_in_list(one)) is not None]
        return max(tables, key=len, default=None)
    return _table_in_list(value)


def _table_in_list(value: object) -> Sequence[Mapping[str, object]] | None:
    if not isinstance(value, list) or len(value) < _ROWS:
        return None
    return value if all(isinstance(row, Mapping) for row in value) else None


def _around(value: object, table: object) -> list[str]:
    if not isinstance(value, Mapping):
        return []
    return [f"{name}: {_short(one)}" for name, one in value.items() if one is not table]


def _columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    lines = [f"{len(rows):,} rows"]
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names[:_COLUMNS]:
        counts = Counter(_short(row[name], 80) for row in rows if name in row)
        told = ", ".join(f"{value} ({n}x)" for value, n in counts.most_common(_VALUES))
        rest = len(counts) - min(len(counts), _VALUES)
        lines.append(f"column {name}: {told}" + (f", and {rest:,} other values" if rest else ""))
    if len(names) > _COLUMNS:
        lines.append(f"and {len(names) - _COLUMNS} more columns")
    return [*lines, "first rows:", *(_short(row) for row in rows[:_ROWS])]


def _shape_of(value: object, name: str = "", depth: int = 0) -> list[str]:
    pad = "  " * depth
    label = f"{pad}{name}: " if name else pad
    if isinstance(value, Mapping) and value and depth < _DEPTH:
        lines = [f"{label}object of {len(value)}"]
        for key, one in list(value.items())[:_COLUMNS]:
            lines += _shape_of(one, str(key), depth + 1)
        more = len(value) - _COLUMNS
        return [*lines, f"{pad}  and {more} more"] if more > 0 else lines
    if isinstance(value, list) and value and depth < _DEPTH:
        lines = [f"{label}list of {len(value):,}, the first:"]
        for one in value[:2]:
            lines += _shape_of(one, "-", depth + 1)
        return lines
    return [f"{label}{_short(value)}"]


def _head_and_tail(lines: Sequence[str]) -> list[str]:
    if len(lines) <= 40:
        return [_cut(line) for line in lines]
    left_out = f"... {len(lines) - 40:,} lines left out ..."
    return [*(_cut(one) for one in lines[:25]), left_out, *(_cut(one) for one in lines[-15:])]


def _fitted(lines: Sequence[str], room: int) -> str:
    """As many lines as there is room for, and how many there is none for."""
    kept: list[str] = []
    left = room * 4 - 32
    for line in lines:
        cost = len(line.encode("utf-8", "surrogatepass")) + 1
        if cost > left:
            line = line.encode("utf-8", "ignore")[: max(left - 5, 0)].decode("utf-8", "ignore")
            kept += [line + " ..."] if line else []
            break
        kept.append(line)
        left -= cost
    gone = len(lines) - len(kept)
    return "\n".join([*kept, f"({gone:,} lines not shown)"] if gone > 0 else kept)


def _short(value: object, chars: int = _LINE_CHARS) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, sort_keys=True), chars)


def _cut(text: str, chars: int = _LINE_CHARS) -> str:
    return text if len(text) <= chars else f"{text[: chars - 4]} ..."
