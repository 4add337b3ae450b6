"""Text that reads like orders to whoever reads it: in results of tools and in descriptions of them.

A result is data. What a log line, a ticket or a web page asks for is never done because of that
(the gateway sees to it); a mark tells model and people that somebody tried. The rules look for an
order together with the one it is given to, or with what only an attack needs: the kinds are those
of Greshake et al., "Not what you've signed up for" (AISec 2023), and of the tool-poisoning lints of
MCP clients (arXiv 2506.13538). They stand in marks.toml; what none of them names is weighed
(weighed.py). Text is looked at as it is written, as it reads, and as what it encodes (folded.py).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Literal

from aiops.toolbelt.folded import encodings, folded
from aiops.toolbelt.weighed import ordering

MarkKind = Literal["override", "order", "role", "hidden", "comment", "encoded", "link", "call"]
MAX_MARKS = 100
"""Places that are told of one text; whoever plants more has been seen."""
_EXCERPT = 120


@dataclass(frozen=True, slots=True)
class Mark:
    """One place that reads like an instruction.

    Attributes:
        kind: "override" of earlier instructions, "order" to an assistant, a "role" tag, "hidden"
            characters, a "comment" that a page does not show, an "encoded" order, a "link" that
            would carry something away, a "call" of a tool.
        line: from 1.
        start: character in the text, from 0.
        excerpt: what stands there, printable, at most 120 characters.
    """

    kind: MarkKind
    line: int
    start: int
    excerpt: str


# Characters that a reader does not see: zero width, joiners between no letters of scripts that need
# them, directions, tags, invisible operators, soft hyphens (Boucher et al., "Trojan Source", 2021).
_UNSEEN = re.compile(
    "[\u200b\u2060-\u2064\u202a-\u202e\u2066-\u2069\u206a-\u206f\U000e0000-\U000e007f\u180e]"
    "|(?<=[A-Za-z])[\u200c\u200d\ufeff\u00ad](?=[A-Za-z])"
    # What tools show in their place (see analyze.wording): between every two letters, since single
    # ones stand for bytes of other encodings.
    "|(?:[A-Za-z]\ufffd){4}"
)
_SHOWN = 40
_FLAG = "\U0001f3f4"  # flags of regions are written with tag characters


def marks(text: str) -> tuple[Mark, ...]:
    """The places of ``text`` that read like instructions, in order: of each kind the first in a
    line, at most MAX_MARKS.
    """
    found = sorted([*_read(text), *_unseen(text), *_encoded(text)], key=lambda mark: mark.start)
    first = {(mark.kind, mark.line): mark for mark in reversed(found)}
    return tuple(sorted(first.values(), key=lambda mark: mark.start)[:MAX_MARKS])


def suspicious(text: str) -> bool:
    """Whether any place of it reads like an instruction."""
    return bool(marks(text))


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: MarkKind
    needs: tuple[str, ...]
    pattern: re.Pattern[str]


@cache
def _rules() -> tuple[_Rule, ...]:
    document = tomllib.loads(files("aiops.toolbelt").joinpath("marks.toml").read_text("utf-8"))
    rules = []
    for entry in document["rules"]:
        pattern = entry["pattern"]
        for name, words in document["lists"].items():
            pattern = pattern.replace(name, words)
        flags = re.IGNORECASE | re.MULTILINE | re.VERBOSE
        rules.append(_Rule(entry["kind"], tuple(entry["needs"]), re.compile(pattern, flags)))
    return tuple(rules)


def _read(text: str) -> Iterator[Mark]:
    """As it is written, and as it reads where that is something else."""
    yield from _worded(text)
    if (seen := folded(text)) is None:
        return
    first = 0
    # Folding leaves lines lines: those that read as they are written have been looked at.
    for written, read in zip(text.split("\n"), seen.text.split("\n"), strict=True):
        if read != written:
            for mark in _worded(read):
                start = seen.at(first + mark.start)
                yield _mark(mark.kind, text, start, start + _EXCERPT)
        first += len(read) + 1


def _worded(text: str) -> Iterator[Mark]:
    """By a rule; where none fits, by signs that weigh together."""
    ruled = set()
    for mark in _ruled(text):
        ruled.add(mark.line)
        yield mark
    for start, end in islice(ordering(text), MAX_MARKS):
        mark = _mark("order", text, start, end)
        if mark.line not in ruled:
            yield mark


def _ruled(text: str) -> Iterator[Mark]:
    low = text.lower()
    for rule in _rules():
        if any(word in low for word in rule.needs):
            for match in islice(rule.pattern.finditer(text), MAX_MARKS):
                yield _mark(rule.kind, text, match.start(), match.end())


def _unseen(text: str) -> Iterator[Mark]:
    if text.isascii():
        return
    end = -1
    for match in islice(_UNSEEN.finditer(text), MAX_MARKS * _SHOWN):
        before = text[max(0, match.start() - 8) : match.start()]
        if match.start() >= end and _FLAG not in before:
            end = match.start() + _SHOWN
            yield _mark("hidden", text, match.start(), end)


def _encoded(text: str) -> Iterator[Mark]:
    for start, end, content in islice(encodings(text), MAX_MARKS * 10):
        if any(True for _ in _worded(content)):
            yield _mark("encoded", text, start, end)


def _mark(kind: MarkKind, text: str, start: int, end: int) -> Mark:
    shown = "".join(
        c if c.isprintable() and unicodedata.category(c) != "Cf" else f"\\u{ord(c):04x}"
        for c in text[start : min(end, start + _EXCERPT)]
    )
    return Mark(kind, text.count("\n", 0, start) + 1, start, shown[:_EXCERPT])
