"""What users saw: latency per route over the last seconds, and errors."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Requests over the last WINDOW_S seconds; latencies in milliseconds, 0 where none ended.

    Attributes:
        errors: of them, those without an answer or with one from 400 up.
    """

    route: str
    requests: int
    errors: int
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / WINDOW_S


class Record:
    """Ended requests of the last WINDOW_S seconds, and totals since the start."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, str, float, bool]] = deque()
        self.requests = self.errors = 0

    def add(self, now: float, route: str, seconds: float, *, failed: bool) -> None:
        """One request ended at ``now`` (monotonic seconds)."""
        self._ended.append((now, route, seconds, failed))
        self.requests += 1
        self.errors += failed

    def seen(self, now: float) -> tuple[Seen, ...]:
        """Per route, and first of all routes together under the name "all"."""
        while self._ended and self._ended[0][0] < now - WINDOW_S:
            self._ended.popleft()
        routes: dict[str, list[tuple[float, bool]]] = {"all": []}
        for _, route, seconds, failed in self._ended:
            routes["all"].append((seconds, failed))
            routes.setdefault(route, []).append((seconds, failed))
        return tuple(_seen(route, ended) for route, ended in routes.items())


def _seen(route: str, ended: list[tuple[float, bool]]) -> Seen:
    times = sorted(seconds * 1e3 for seconds, _ in ended)
    return Seen(
        route=route,
        requests=len(ended),
        errors=sum(failed for _, failed in ended),
        p50_ms=round(quantile(times, 0.5), 2),
        p99_ms=round(quantile(times, 0.99), 2),
    )


def quantile(ordered: list[float], share: float) -> float:
    """The smallest value that at least ``share`` of them do not pass (nearest rank)."""
    if not ordered:
        return 0.0
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]
