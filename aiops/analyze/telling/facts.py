"""The facts of a text that no summary may lose: codes, quantities, thresholds, ids, times.

They are cut out as they stand, never rounded or reworded.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "errors",
        re.compile(
            r"\b(?:[A-Z][A-Za-z]{1,60}(?:Error|Exception|Failed|Killed|BackOff|Pressure|Timeout)"
            r"|(?:ImagePull|CrashLoop|Err)[A-Z]\w+|E[A-Z]{4,15}|NXDOMAIN|SERVFAIL|SIG[A-Z]{3,6}"
            r"|[A-Z]{1,6}-[0-9]{3,6}|exit(?:ed)?(?: with)?(?: code)?[ :=]{1,2}[0-9]{1,3}"
            r"|(?:status|code|HTTP/[0-9.]+\"?)[ :=\"]{1,3}[3-5][0-9]{2})\b"
        ),
    ),
    (
        "thresholds",
        re.compile(
            r"(?:[<>]=?|≥|≤|\b(?:limit|threshold|max(?:imum)?|min(?:imum)?|quota)[ :=]{1,3})"
            r"\s?[0-9]+(?:\.[0-9]+)?\s?(?:%|[kKMGT]i?B?|m?s|min|h)?(?![\w.])"
        ),
    ),
    (
        "quantities",
        re.compile(
            r"(?<![\w.:-])[0-9]+(?:\.[0-9]+)?\s?(?:%|ns|us|µs|ms|s|sec|min|minutes?|seconds?|hours?|h|d"
            r"|[kKMGT]i?B|[KMGT]i|bytes|m|cores?|req/s|rps|qps|ops|restarts?|replicas?)(?![\w/:.-])"
        ),
    ),
    (
        "ids",
        re.compile(
            r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])"
            r"[0-9a-f]{16,64}|[a-z]{1,8}-[0-9a-f]{8,17}|<secret:[0-9a-f]{8}>)\b"
        ),
    ),
    (
        "times",
        re.compile(
            r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
            r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one kind.

    Attributes:
        kind: "errors", "thresholds", "quantities", "ids", "times".
        told: as they stand in the text, with how often; the most frequent first, of times the
            first and the last.
        more: how many different ones are not told.
    """

    kind: str
    told: tuple[tuple[str, int], ...]
    more: int = 0


def facts_of(text: str, *, each: int = 12) -> tuple[Facts, ...]:
    """The facts of ``text``, at most ``each`` of a kind."""
    found = []
    for kind, pattern in _KINDS:
        counts = Counter(match.group().strip() for match in pattern.finditer(text))
        if not counts:
            continue
        if kind == "times":
            told = _ends(counts)
        else:
            told = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:each]
        found.append(Facts(kind, tuple(told), len(counts) - len(told)))
    return tuple(found)


def fact_spans(line: str) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of the facts of one line, in order and apart; of two that overlap the one
    that begins first, of two that begin together the longer.
    """
    spans = [
        (match.start(), -match.end(), kind)
        for kind, pattern in _KINDS
        for match in pattern.finditer(line)
    ]
    at = 0
    for start, end, kind in sorted(spans):
        if start >= at:
            yield kind, start, -end
            at = -end


def written(facts: Iterable[Facts]) -> str:
    """The facts, one kind a line."""
    lines = []
    for one in facts:
        told = ", ".join(f"{text} ({n}x)" if n > 1 else text for text, n in one.told)
        lines.append(f"{one.kind}: {told}" + (f", and {one.more} more" if one.more else ""))
    return "\n".join(lines)


def _ends(counts: Counter[str]) -> list[tuple[str, int]]:
    return [(time, counts[time]) for time in dict.fromkeys((min(counts), max(counts)))]
