"""Streaming template mining: which statement of the program wrote a line.

A drain-style tree (He et al., "Drain: an online log parsing approach with fixed depth tree", ICWS
2017): lines are bucketed by their number of words and their first literal words, and join the most
similar template of their bucket. Two things make it fast: words that hold a digit (numbers, ids,
addresses, times, hexadecimal) are masked in bulk over the bytes of many lines at once, and the
tree sees each masked line only once.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import IntArray

WILDCARD = "<*>"
MAX_CHARS = 500
"""Characters of a line that are looked at: statements differ at their beginning, payloads at the
end."""
HUGE_CHARS = 65_536
"""Characters from which a line is reported as cut: no person reads as much in one line."""
MAX_TEMPLATES = 20_000
"""Templates kept; a program has thousands of statements, not tens of thousands."""
MAX_SHAPES = 200_000
"""Masked lines remembered (about 40 MB); when full they are forgotten and met again."""
MAX_SEARCHES = 50_000
"""Masked lines that go through the tree one by one; beyond that a line takes the most frequent
template of its bucket, so that text without any repetition cannot cost more than seconds."""
MAX_IN_BUCKET = 64
"""Templates of one bucket that are compared; the next line joins the most similar, however poor."""
SIMILAR = 0.75
"""Share of the literal words that agree from which two lines are one statement. Drain's st is .5 of
all words; masked words say nothing here, so fewer are asked, and more of them must agree."""
PREFIX = 3
"""Literal words that must agree (Drain's depth less its first two levels)."""
CHUNK_CHARS = 500_000
"""Characters masked at a time: small enough to stay in the caches."""

_LEVELS = frozenset(
    {"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "SEVERE", "FATAL", "CRITICAL"}
)
# Where structured lines keep their sentence; the keys before it are the same in all of them.
_MESSAGES = frozenset({"message", "msg"})
# A warning and a remark are two statements even where all their other words agree.
_DIGIT, _WORD, _GAP = 2, 1, 0
_MARK = b"\x01"
_WORDS = re.compile(rb"\x01|[^\s\"'`=:,;()\[\]{}<>|/\\&?!@*\x01]+")
# A value in single quotes, not an apostrophe; double quotes frame the keys of JSON as well.
_QUOTED = re.compile(rb"(?<=[ =(@:])'[^']{1,80}'(?=[ ,.;:)@\]]|$)")
_REPEATED = re.compile(rb"\x01(?:[^A-Za-z\x80-\xff\x01]*\x01)+")


def _byte_classes() -> npt.NDArray[np.uint8]:
    classes = np.full(256, _WORD, dtype=np.uint8)
    classes[:33] = _GAP
    classes[127] = _GAP
    for gap in b"\"'`=:,;()[]{}<>|/\\&?!@*":
        classes[gap] = _GAP
    classes[np.frombuffer(b"0123456789", dtype=np.uint8)] = _DIGIT
    return classes


_CLASSES = _byte_classes().tobytes()
# Control characters become blanks, so that the mark and the line end are ours alone.
_CLEAN = bytes(32 if (c < 32 and c != 10) or c == 127 else c for c in range(256))


@dataclass(slots=True)
class Template:
    """One statement, as far as its lines show it.

    Attributes:
        words: its words, WILDCARD where they vary; () for the one that takes the overflow.
        example: the first line of it, masked nowhere, cut to MAX_CHARS.
        lines: how many joined it.
    """

    words: list[str]
    example: str
    lines: int = 0

    def text(self) -> str:
        """The template on one line."""
        return " ".join(self.words) if self.words else WILDCARD


@dataclass(slots=True)
class Damage:
    """Lines that were not plain text, counted.

    Attributes:
        cut: longer than HUGE_CHARS; no part of a line beyond MAX_CHARS decides its template.
        binary: hold NUL or undecodable bytes.
        coarse: took the most frequent template of their bucket.
    """

    cut: int = 0
    binary: int = 0
    coarse: int = 0


@dataclass(slots=True)
class Miner:
    """Learns templates from a stream of lines; memory is bounded, ids never change.

    Template 0 takes empty lines and what no longer fits.
    """

    templates: list[Template] = field(default_factory=lambda: [Template([], "")])
    damage: Damage = field(default_factory=Damage)
    _shapes: dict[bytes, int] = field(default_factory=dict)
    _buckets: dict[tuple[object, ...], list[int]] = field(default_factory=dict)
    _searches: int = 0

    def add(self, messages: Sequence[object]) -> IntArray:
        """(n,) the template of each message, in order. Anything but text is shown as text."""
        found = np.empty(len(messages), dtype=np.int32)
        for low, high, lines in _chunks(messages, self.damage):
            found[low:high] = self._ids(lines)
        counts = np.bincount(found, minlength=len(self.templates))
        for template, more in zip(self.templates, counts.tolist(), strict=True):
            template.lines += more
        return found

    def _ids(self, lines: list[str]) -> list[int]:
        shapes = masked(lines)
        known = self._shapes
        ids = [known.get(shape, -1) for shape in shapes]
        if -1 in ids:
            for i, template in enumerate(ids):
                if template < 0:
                    ids[i] = self._learn(shapes[i], lines[i])
        return ids

    def _learn(self, shape: bytes, line: str) -> int:
        template = self._shapes.get(shape)
        if template is None:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.clear()
            template = self._shapes[shape] = self._search(words_of(shape), line)
        return template

    def _search(self, words: list[str], line: str) -> int:
        if not words:
            return 0
        begin = next((at + 1 for at, word in enumerate(words) if word in _MESSAGES), 0)
        literal = [word for word in words[begin : begin + PREFIX + 3] if word != WILDCARD][:PREFIX]
        level = next((word for word in words if word.upper() in _LEVELS), "")
        bucket = self._buckets.setdefault((len(words), level, *literal), [])
        self._searches += 1
        if self._searches > MAX_SEARCHES and bucket:
            self.damage.coarse += 1
            return bucket[0]
        best, likeness = -1, -1.0
        for at, candidate in enumerate(bucket):
            same = _likeness(self.templates[candidate].words, words)
            if same > likeness:
                best, likeness = at, same
        full = len(bucket) >= MAX_IN_BUCKET or len(self.templates) >= MAX_TEMPLATES
        if best >= 0 and (likeness >= SIMILAR or full):
            template = bucket[best]
            _generalise(self.templates[template].words, words)
            return template
        if full:
            self.damage.coarse += 1
            return 0
        self.templates.append(Template(words, line[:MAX_CHARS]))
        bucket.append(len(self.templates) - 1)
        return len(self.templates) - 1


def masked(lines: Sequence[str]) -> list[bytes]:
    """Each line as UTF-8 with every word that holds a digit replaced by one mark.

    Words end at blanks and at the punctuation that frames values (quotes, brackets, ``=:,/``); a
    UUID, an IPv4 address, a number with its decimals are one word each.
    """
    if not lines:
        return []
    raw = "\n".join(lines).encode("utf-8", "replace")
    if raw.count(b"\n") != len(lines) - 1:
        clean = [line.replace("\n", " ") for line in lines]
        raw = "\n".join(clean).encode("utf-8", "replace")
    data = np.frombuffer(raw.translate(_CLEAN), dtype=np.uint8).copy()
    if not len(data):
        return [b""] * len(lines)
    classes = np.frombuffer(raw.translate(_CLASSES), dtype=np.uint8)
    inside = classes != _GAP
    starts = np.flatnonzero(inside[1:] & ~inside[:-1]) + 1
    if inside[0]:
        starts = np.concatenate([[0], starts])
    if not len(starts):
        return data.tobytes().split(b"\n")
    varies = np.maximum.reduceat(classes, starts) == _DIGIT
    lengths = np.diff(starts, append=len(data))
    keep = np.ones(len(data), dtype=np.bool_)
    keep[starts[0] :] = ~(np.repeat(varies, lengths) & inside[starts[0] :])
    marks = starts[varies]
    keep[marks] = True
    data[marks] = _MARK[0]
    return data[keep].tobytes().split(b"\n")


def words_of(shape: bytes) -> list[str]:
    """The words of a masked line, quoted values masked too; runs of masked words are one."""
    if b"': '" not in shape:  # no printed dictionary, whose text is in single quotes
        shape = _QUOTED.sub(_MARK, shape)
    folded = _REPEATED.sub(_MARK, shape)
    return [
        WILDCARD if word == _MARK else word.decode("utf-8", "replace")
        for word in _WORDS.findall(folded)
    ]


def _chunks(messages: Sequence[object], damage: Damage) -> Iterable[tuple[int, int, list[str]]]:
    """(from, to, lines) of at most CHUNK_CHARS after cutting, as text."""
    step = CHUNK_CHARS // MAX_CHARS
    for low in range(0, len(messages), step):
        some = messages[low : low + step]
        lines = [m if type(m) is str else _as_text(m) for m in some]
        if max(map(len, lines), default=0) > MAX_CHARS:
            damage.cut += sum(len(line) > HUGE_CHARS for line in lines)
            lines = [line[:MAX_CHARS] for line in lines]
        damage.binary += _binary(lines)
        yield low, low + len(lines), lines


def _binary(lines: list[str]) -> int:
    together = "".join(lines)
    if "\x00" not in together and "\ufffd" not in together:
        return 0
    return sum("\x00" in line or "\ufffd" in line for line in lines)


def _as_text(message: object) -> str:
    if isinstance(message, bytes | bytearray):
        return bytes(message[: 4 * MAX_CHARS]).decode("utf-8", "replace")
    return "" if message is None else str(message)


def _likeness(template: list[str], words: list[str]) -> float:
    same = literal = 0
    for a, b in zip(template, words, strict=True):
        if b != WILDCARD:
            literal += 1
            same += a == b
    return same / literal if literal else 1.0


def _generalise(template: list[str], words: list[str]) -> None:
    for i, (old, new) in enumerate(zip(template, words, strict=True)):
        if old != new:
            template[i] = WILDCARD
