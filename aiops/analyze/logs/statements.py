"""Statements: the place in the program that wrote a line, by its own word or by its template."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from aiops.analyze.logs.lines import Lines
from aiops.analyze.logs.templates import WILDCARD, Miner
from aiops.model.telemetry import IntArray

Level = Literal["error", "warn", "info"]

SAMPLED = 100
"""Lines of a service that are looked at to learn whether it names its statements."""
KEYED_SHARE = 0.5
"""Share of them that must name their statement for the rest to be read that way."""
REF_WORDS = 12
"""Words of a template that are cited: enough to find its lines, few enough to be read."""

_LEVELS = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|FATAL|CRITICAL|PANIC"
# A level, then within three words a source file or class with its line ("a.b.Order#31",
# "pkg/cart.go:123"), as many loggers write it.
_KEYED = re.compile(
    rf"(?:[\[\d]\S* +){{0,3}}\[?({_LEVELS})\]?:? +(?:\S+ +){{0,3}}?"
    r"(\S*[A-Za-z\]$](?:#|\.(?:go|py|java|js|ts|rb|rs|cc|cpp|cs|kt|scala|php):)\d{1,5})(?=[\s\]:,)])"
)
_GLOG = re.compile(r"([IWEF])\d{4} \S+ +\d+ (\S+\.\w+:\d{1,5})\]")
_GLOG_LEVELS = {"I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
_FIELD = re.compile(r"\b(?:severity|level|lvl)\"?\s*[:=]\s*\"?([A-Za-z]+)", re.IGNORECASE)
# Levels stand in capitals, in brackets, or in front with a colon; the same words in a sentence are
# no level.
_WORD = re.compile(
    rf"\b({_LEVELS}|EMERG|ALERT|CRIT)\b|\[(error|crit|alert|emerg|fatal|warn|warning|info|debug|"
    r"notice|Note|Warning|Error|ERROR)\]|^(?:\S+Z? )?(fail|crit|error|fatal|panic|warn|info): "
)
# The word that programs of other languages write where English ones write ERROR.
_WORD_ABROAD = re.compile(
    r"\b(?:FEHLER|ERREUR|ERRO|ERRORE|FOUT|FEL|BŁĄD|ОШИБКА|ПОМИЛКА|HATA)\b"
    r"|(?:エラー|错误|錯誤|오류|에러)\s*[\]:：】]"
)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_GRAVE = frozenset(
    {"error", "err", "severe", "fatal", "critical", "crit", "panic", "emerg", "alert", "fail"}
)
# Where no level is written, a thrown exception is one.
_THROWN = re.compile(r"(?:Exception|Error)\b\s*[:(]|\b(?:panic:|fatal error:|segfault)")


@dataclass(frozen=True, slots=True)
class Statement:
    """One place in the program, as far as its lines show it.

    Attributes:
        key: its name: class or file and line as the source writes them, else the template.
        ref: what selects its lines in the source (see evidence).
        example: the first line of it.
    """

    key: str
    level: Level
    ref: str
    example: str


def level_of(text: str) -> Level:
    """How grave a line says it is; thrown exceptions are errors where it says nothing."""
    head = _COLOUR.sub("", text[:1_000])
    field_found = _FIELD.search(head)
    if field_found is not None:
        return _level(field_found[1])
    word = _WORD.search(head)
    if word is not None:
        return _level(next(group for group in word.groups() if group))
    return "error" if _THROWN.search(head) or _WORD_ABROAD.search(head) else "info"


def _level(word: str) -> Level:
    lower = word.lower()
    return "error" if lower in _GRAVE else "warn" if lower.startswith("warn") else "info"


@dataclass(slots=True)
class Statements:
    """Numbers statements across tables: the same place has the same number in all of them."""

    known: list[Statement] = field(default_factory=list)
    miner: Miner = field(default_factory=Miner)
    _of_key: dict[tuple[str, str], int] = field(default_factory=dict)
    _of_template: list[int] = field(default_factory=list)

    def number(self, lines: Lines) -> IntArray:
        """(n,) the statement of each line."""
        found = np.full(len(lines), -1, dtype=np.int32)
        keyed = self._keyed_services(lines)[lines.service_of]
        for i in np.flatnonzero(keyed):
            found[i] = self._by_key(lines.texts[i])
        rest = np.flatnonzero(found < 0)
        if len(rest):
            found[rest] = self._mined(lines.texts[rest])
        return found

    def _keyed_services(self, lines: Lines) -> npt.NDArray[np.bool_]:
        keyed = np.zeros(len(lines.services), dtype=np.bool_)
        order = np.argsort(lines.service_of, kind="stable")
        bounds = np.searchsorted(lines.service_of[order], np.arange(len(lines.services) + 1))
        for service, (low, high) in enumerate(pairwise(bounds.tolist())):
            if high > low:
                some = order[low : high : max(1, (high - low) // SAMPLED)]
                named = sum(_key_of(lines.texts[i]) is not None for i in some)
                keyed[service] = named >= KEYED_SHARE * len(some)
        return keyed

    def _by_key(self, text: str) -> int:
        key = _key_of(text)
        if key is None:
            return -1
        found = self._of_key.get(key)
        if found is None:
            level, place = key
            start = text.find(place)
            ref = f"{place}{text[start + len(place) : start + len(place) + 1]}"
            found = self._of_key[key] = self._new(Statement(place, _level(level), ref, text))
        return found

    def _mined(self, texts: npt.NDArray[np.object_]) -> npt.NDArray[np.int32]:
        templates = self.miner.add(texts)  # type: ignore[arg-type]
        for template in self.miner.templates[len(self._of_template) :]:
            # Text and ref are settled later: a template goes on generalising.
            level = level_of(template.example)
            self._of_template.append(self._new(Statement("", level, "", template.example)))
        return np.array(self._of_template, dtype=np.int32)[templates]

    def _new(self, statement: Statement) -> int:
        self.known.append(statement)
        return len(self.known) - 1

    def settled(self) -> tuple[Statement, ...]:
        """All statements, mined ones under the template they have by now."""
        found = list(self.known)
        for number, template in zip(self._of_template, self.miner.templates, strict=False):
            words = template.words[:REF_WORDS]
            example = found[number].example
            # Punctuation between words is not in the template, so anything may stand there.
            literal = [word for word in words if word != WILDCARD]
            ref = WILDCARD.join(literal)
            if not literal or not any(_follow(literal, line) for line in example.split("\n")):
                ref = ""
            found[number] = Statement(
                " ".join(words) or WILDCARD, found[number].level, ref, example
            )
        return tuple(found)


def _follow(words: Sequence[str], text: str) -> bool:
    """Whether all ``words`` stand in ``text``, in their order and none within another."""
    at = 0
    for word in words:
        found = text.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return True


def _key_of(text: str) -> tuple[str, str] | None:
    found = _KEYED.match(text)
    if found is not None:
        return found[1], found[2]
    found = _GLOG.match(text)
    return (_GLOG_LEVELS[found[1]], found[2]) if found is not None else None
