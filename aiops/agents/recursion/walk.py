"""The walk itself: three actions, a limit, and a conclusion drawn from the leaves up.

RCLAgent (arXiv 2508.20370) and ThinkFL (arXiv 2504.18776) let a model walk a trace by Trace
(look at direct calls), Metrics (look at one service) and Print (conclude), at most ten deep. Here
the walker is a rule: it enters a call where errors or much of the lost time come from, or whose
service has signs of its own; and at the limit it concludes with what it has.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from aiops.model.ranking import EvidenceKind

MOST_DEPTH: Final = 10
"""Calls down: those that matter nest less deep, and what is deeper reads as noise."""
MOST_STOPS: Final = 120
"""In all: a wide tree is entered where most is lost."""
LEAST_SHARE: Final = 0.2
"""Of what a step lost, what a call below it must carry to be entered for that alone."""
CLOSE: Final = 1.15
"""Times by which one sign must be stronger than another to count for more whatever their kinds."""
MOST: Final = 0.5
"""Of the trouble of a call, what one below it must carry to be where it comes from."""
PRIORITY: Final[tuple[EvidenceKind, ...]] = (
    "state",
    "event",
    "change",
    "log",
    "metric",
    "trace",
)
"""Of signs that are about as strong, what is declared tells more than what is logged, that more
than what is measured, and that more than time lost on the way (RCLAgent's order, and ours)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """All calls of one (service, operation) below one other such stop.

    Attributes:
        operation: "" where the call graph knows of the call and no span does.
        spans: their rows, opaque to the walk.
        lost: seconds that they took longer than usual, together; 0 or more.
        failed: how many of them failed.
    """

    service: str
    operation: str
    spans: tuple[int, ...] = ()
    lost: float = 0.0
    failed: int = 0


class Calls(Protocol):
    """The requests that are walked down."""

    def below(self, stop: Stop) -> Sequence[Stop]:
        """Its direct calls, collapsed by service and operation."""
        ...


@dataclass(frozen=True, slots=True)
class Sign:
    """What speaks against one service, whatever calls it.

    Attributes:
        strength: nats; comparable within one incident.
        kinds: of the evidence for it.
    """

    strength: float
    kinds: frozenset[EvidenceKind] = frozenset()

    @property
    def grounds(self) -> int:
        """Place of its most telling kind of evidence, 0 the most telling."""
        places = [place for place, kind in enumerate(PRIORITY) if kind in self.kinds]
        return min(places, default=len(PRIORITY))


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that the walker did, on its way."""

    act: Literal["trace", "metrics", "print"]
    depth: int
    about: str


@dataclass(frozen=True, slots=True)
class Found:
    """A service with signs of its own, and how the walker came to it.

    Attributes:
        path: the stops from the top to it.
    """

    path: tuple[Stop, ...]
    sign: Sign

    @property
    def service(self) -> str:
        """Which."""
        return self.path[-1].service


@dataclass(frozen=True, slots=True)
class Walk:
    """Where the walker went and what it concludes.

    Attributes:
        found: every service with signs of its own that was met, on the first way to it.
        end: the one that the others give way to; None where nobody has any.
        forced: whether a limit made it conclude with calls unread.
    """

    actions: tuple[Action, ...]
    found: tuple[Found, ...]
    end: Found | None
    forced: bool


def walk(tops: Iterable[Stop], calls: Calls, signs: Mapping[str, Sign]) -> Walk:
    """Down from ``tops``, the worst first. It ends, whatever ``calls`` answers.

    Args:
        signs: by service; a service without any is only passed through.
    """
    walker = _Walker(calls, signs)
    end: Found | None = None
    for top in _worst_first(tops, signs):
        end = _stronger(end, walker.enter((top,)))
    walker.note("print", 0, end.service if end is not None else "nobody")
    return Walk(tuple(walker.actions), tuple(walker.found.values()), end, walker.forced)


class _Walker:
    def __init__(self, calls: Calls, signs: Mapping[str, Sign]) -> None:
        self._calls, self._signs, self._stops = calls, signs, 0
        self.actions: list[Action] = []
        self.found: dict[str, Found] = {}
        self.forced = False

    def note(self, act: Literal["trace", "metrics", "print"], depth: int, about: str) -> None:
        self.actions.append(Action(act, depth, about))

    def enter(self, path: tuple[Stop, ...]) -> Found | None:
        """The strongest of a stop and all that is below it: a finding from the leaves up."""
        stop, depth = path[-1], len(path)
        self._stops += 1
        own = self._look(path)
        if depth >= MOST_DEPTH or self._stops >= MOST_STOPS:
            self.forced = True
            return own
        self.note("trace", depth, f"{stop.service} {stop.operation}".strip())
        met = {(one.service, one.operation) for one in path}
        below = [
            one
            for one in self._calls.below(stop)
            if (one.service, one.operation) not in met and self._unusual(one, stop)
        ]
        deepest: Found | None = None
        for one in _worst_first(below, self._signs):
            if self._stops >= MOST_STOPS:
                self.forced = True
                break
            deepest = _stronger(deepest, self.enter((*path, one)))
        return _stronger(own, deepest)

    def _look(self, path: tuple[Stop, ...]) -> Found | None:
        service = path[-1].service
        sign = self._signs.get(service)
        if service in self.found or sign is None:
            return self.found.get(service)
        self.note("metrics", len(path), service)
        self.found[service] = Found(path, sign)
        return self.found[service]

    def _unusual(self, stop: Stop, above: Stop) -> bool:
        much = stop.lost > 0 and stop.lost >= LEAST_SHARE * above.lost
        return stop.failed > 0 or much or stop.service in self._signs


def _stronger(one: Found | None, other: Found | None) -> Found | None:
    """The one that the other gives way to: the stronger; of two that are about as strong, the more
    telling; of two such, the lower one where most of the trouble comes from it."""
    if one is None or other is None:
        return other if one is None else one
    if one.sign.strength > CLOSE * other.sign.strength:
        return one
    if other.sign.strength > CLOSE * one.sign.strength:
        return other
    if one.sign.grounds != other.sign.grounds:
        return one if one.sign.grounds < other.sign.grounds else other
    below = other.path[: len(one.path)] == one.path
    return other if _carried(other.path[-1], one.path[-1]) >= (MOST if below else 1.0) else one


def _carried(stop: Stop, other: Stop) -> float:
    """The trouble at ``stop`` as a share of that at the other; 1 where nobody can tell."""
    if not stop.spans or not other.spans:
        return 1.0
    if other.failed:
        return stop.failed / other.failed
    return stop.lost / other.lost if other.lost else 1.0


def _worst_first(stops: Iterable[Stop], signs: Mapping[str, Sign]) -> list[Stop]:
    def badness(stop: Stop) -> tuple[float, int, float, str, str]:
        sign = signs.get(stop.service)
        strength = sign.strength if sign is not None else 0.0
        return -strength, -stop.failed, -stop.lost, stop.service, stop.operation

    return sorted(stops, key=badness)
