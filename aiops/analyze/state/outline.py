"""Indented "Key: value" text, as ``kubectl describe`` prints it, and aligned tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINES = 5000
"""Lines of one read-out that are looked at; a describe of anything healthy has a few hundred."""
_ENTRY = re.compile(r"\s*([^:]{1,120}):(?:\s+(.*))?$")
_GAP = re.compile(r"\s{2,}")
_CELL = re.compile(r"\S+(?: \S+)*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key at one depth, the value beside it, and the deeper lines below it."""

    key: str
    value: str
    below: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[str, ...]:
        """The value and the lines below it, stripped, without "<none>"."""
        lines = (self.value, *(line.strip() for line in self.below))
        return tuple(line for line in lines if line and line != "<none>")

    def children(self) -> "Outline":
        """The lines below, as an outline of their own."""
        return Outline(self.below)


class Outline:
    """The entries of the shallowest depth of some lines, by key."""

    def __init__(self, lines: tuple[str, ...] | list[str]) -> None:
        self.all = tuple(_entries([line for line in lines[:MAX_LINES] if line.strip()]))
        self.entries: dict[str, Entry] = {}
        for entry in self.all:
            self.entries.setdefault(entry.key, entry)

    def value(self, key: str) -> str:
        """The value beside ``key``; "" for "<none>", "<unset>" and where it is missing."""
        entry = self.entries.get(key)
        return "" if entry is None or entry.value in ("<none>", "<unset>") else entry.value

    def items(self, key: str) -> tuple[str, ...]:
        """The values of ``key``: beside it and below it."""
        entry = self.entries.get(key)
        return entry.items if entry else ()

    def below(self, key: str) -> "Outline":
        """The outline below ``key``; empty where it is missing."""
        entry = self.entries.get(key)
        return entry.children() if entry else Outline(())

    def lines(self, key: str) -> tuple[str, ...]:
        """The raw lines below ``key``."""
        entry = self.entries.get(key)
        return entry.below if entry else ()

    def pairs(self, key: str, separator: str = "=") -> dict[str, str]:
        """The items of ``key`` as a mapping ("a=b", one a line or between commas)."""
        found = {}
        for item in self.items(key):
            for part in item.split(",") if separator == "=" else (item,):
                name, mark, value = part.partition(separator)
                if mark:
                    found[name.strip()] = value.strip()
        return found


def outline(text: str) -> Outline:
    """The outline of a whole read-out."""
    return Outline(text.splitlines())


def rows(lines: list[str] | tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Rows of a table whose columns begin where the words of its header do.

    Cells are parted by gaps of two blanks; where some are empty, each goes to the column that
    begins nearest. Rulers ("----") are skipped.
    """
    lines = [line for line in lines[:MAX_LINES] if line.strip()]
    if not lines:
        return
    header = lines[0]
    names = _GAP.split(header.strip())
    starts = _starts(header, names)
    for line in lines[1:]:
        if set(line.strip()) <= set("- "):
            continue
        cells = _GAP.split(line.strip(), maxsplit=len(names) - 1)
        if len(cells) != len(names):
            cells = _by_place(line, starts)
        yield dict(zip(names, cells, strict=False))


def _starts(header: str, names: list[str]) -> list[int]:
    starts, at = [], 0
    for name in names:
        at = header.index(name, at)
        starts.append(at)
        at += len(name)
    return starts


def _by_place(line: str, starts: list[int]) -> list[str]:
    """Each cell goes to the column that begins nearest to it, none before its predecessor's."""
    cells = [""] * len(starts)
    least = 0
    for cell in _CELL.finditer(line):
        places = range(least, len(starts))
        at = cell.start()
        column = min(places, key=lambda i: abs(starts[i] - at), default=None)
        if column is None:
            break
        cells[column], least = cell[0], column + 1
    return cells


def _entries(lines: list[str]) -> Iterator[Entry]:
    if not lines:
        return
    depths = [len(line) - len(line.lstrip()) for line in lines]
    least = min(depths)
    key, value, below = "", "", list[str]()
    for line, depth in zip(lines, depths, strict=True):
        found = _ENTRY.match(line) if depth == least else None
        if found is None:
            below.append(line)
            continue
        if key:
            yield Entry(key, value, tuple(below))
        key, value, below = found[1].strip(), (found[2] or "").strip(), []
    if key:
        yield Entry(key, value, tuple(below))
