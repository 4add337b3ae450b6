"""Many log lines in few words: each statement once, the rare and the loud with all their facts.

A fact matters the more the fewer lines say the like of it (surprise, after Shannon: -log of a
line's share), so room is given in that order; a statement that complains counts as rarer than it
is. What the example of a statement has not told yet is told as it stands.
"""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiops.analyze.logs.templates import Miner
from aiops.analyze.telling.facts import fact_spans

_LOUD = re.compile(
    r"\b(?:WARN(?:ING)?|ERROR|SEVERE|FATAL|CRITICAL|PANIC|warn(?:ing)?|error|fatal|critical|panic)\b"
    r"|(?:Exception|Error)\b|\b(?:fail(?:ed|ure)|refused|timed? ?out|denied|killed|unavailable)\b"
)
_ALSO = "  also: "
_TIERS = (("errors", "thresholds", "quantities"), ("ids", "times"), ("word",))
"""Kinds of facts in the order in which they are given room, over all statements."""
_TIER_OF = {kind: tier for tier, kinds in enumerate(_TIERS) for kind in kinds}
_LOUD_WEIGHT = 0.1
"""A line that complains is as telling as a line of a statement so much rarer."""
_HEADS_SHARE, _SHARE = 0.4, 0.1
"""Of the room, at most this much goes to the examples, and to the facts of one statement."""
_LEAST_CHARS, _MOST_CHARS = 40, 600


@dataclass(frozen=True, slots=True)
class _Statement:
    lines: tuple[str, ...]
    loud: bool

    @property
    def expected(self) -> float:
        return len(self.lines) * (_LOUD_WEIGHT if self.loud else 1.0)

    def head(self, chars: int) -> str:
        first = self.lines[0].strip()
        told = first if len(first) <= chars else f"{first[: chars - 4]} ..."
        return f"{len(self.lines)}x {told}"


def statements(lines: Sequence[str], room: int) -> str:
    """The lines in at most about ``room`` bytes, UTF-8.

    Every statement is told once with its count and as much of its example as there is room for;
    most of the room goes to facts, each told once. What is not told is counted.
    """
    found = sorted(_grouped(lines), key=lambda one: one.expected)
    title = f"{len(lines):,} lines of {len(found):,} statements, the rare and the loud first:"
    room -= _bytes(title) + 80
    heads = _heads(found, int(room * _HEADS_SHARE))
    room -= sum(map(_bytes, heads))
    facts, unsaid = _facts(found, heads, room)
    parts = [title]
    untold = 0
    for head, also in zip(heads, facts, strict=True):
        untold += not head and not also
        parts += [head] if head else []
        parts += [_ALSO + ", ".join(also)] if also else []
    if untold:
        parts.append(f"({untold:,} more statements not told)")
    if unsaid:
        parts.append(f"({unsaid:,} more values of these statements not told)")
    return "\n".join(parts)


def _heads(found: Sequence[_Statement], room: int) -> list[str]:
    """For each statement its count and example; "" from where there is no more room."""
    chars = int(room / max(len(found), 1)) - 8
    chars = min(max(chars, _LEAST_CHARS), _MOST_CHARS)
    heads = []
    for one in found:
        head = one.head(chars)
        room -= _bytes(head)
        heads.append(head if room >= 0 else "")
    return heads


def _facts(
    found: Sequence[_Statement], heads: Sequence[str], room: int
) -> tuple[list[list[str]], int]:
    """For each statement the facts that nothing told yet, and how many had no room.

    First each gets its fair share of the room, then in order what is left.
    """
    said = {atom for head in heads for _, atom in _atoms(head.removesuffix(" ..."))}
    told: list[list[str]] = [[] for _ in found]
    waiting = [_by_tier(one.lines) for one in found]
    fair, most = room // max(len(found), 1), max(int(room * _SHARE), 256)
    for tier in range(len(_TIERS)):
        for cap in (fair, most):
            for tiers, also in zip(waiting, told, strict=True):
                room -= _take(tiers[tier], also, said, min(cap, room))
    unsaid = {atom for tiers in waiting for queue in tiers for atom in queue} - said
    return told, len(unsaid)


def _take(queue: deque[str], also: list[str], said: set[str], room: int) -> int:
    """Move to ``also`` what is not said yet, while there is room; returns the room taken."""
    spent = 0
    while queue:
        cost = 0
        if queue[0] not in said:
            cost = _bytes(queue[0]) + (1 if also else len(_ALSO))
        if spent + cost > room:
            break
        atom = queue.popleft()
        if cost:
            also.append(atom)
            said.add(atom)
            spent += cost
    return spent


def _by_tier(lines: Sequence[str]) -> list[deque[str]]:
    tiers: list[dict[str, None]] = [{} for _ in _TIERS]
    for line in lines:
        for kind, atom in _atoms(line):
            tiers[_TIER_OF[kind]][atom] = None
    return [deque(tier) for tier in tiers]


def _grouped(lines: Sequence[str]) -> Iterator[_Statement]:
    groups: dict[int, list[str]] = {}
    for template, line in zip(Miner().add(lines).tolist(), lines, strict=True):
        if line.strip():
            groups.setdefault(template, []).append(line)
    for group in groups.values():
        yield _Statement(tuple(group), _LOUD.search(group[0]) is not None)


def _atoms(line: str) -> Iterator[tuple[str, str]]:
    """(kind, text): the facts of a line as they stand, and its other words that hold a digit."""
    at = 0
    for kind, start, end in fact_spans(line):
        yield from (("word", word) for word in _words(line[at:start]))
        yield kind, line[start:end].strip()
        at = end
    yield from (("word", word) for word in _words(line[at:]))


def _words(text: str) -> Iterator[str]:
    for word in text.split():
        if any(char.isdigit() for char in word):
            yield word.strip("\"'`,;()[]{}<>")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass")) + 1
