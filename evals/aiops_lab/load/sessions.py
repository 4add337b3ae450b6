"""Who does what next: users in the middle of their visits."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from aiops_lab.topology.model import Topology, Visit

THINK_S = 2.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a session; ``route`` is the path as the topology writes it."""

    session: str
    method: str
    path: str
    route: str


class Sessions:
    """Hands out one request at a time; a session's next only after its last has ended.

    Args:
        rate: requests a second there will be; so many sessions are under way that each has about
            THINK_S seconds between its requests.
    """

    def __init__(self, topology: Topology, rate: float, rng: random.Random) -> None:
        self._topology, self._rng = topology, rng
        self._idle: deque[tuple[str, Visit, int]] = deque()
        self._busy: dict[str, tuple[Visit, int]] = {}
        self.rate = rate

    def next(self) -> Request:
        """The next request, of a session that goes on or of a new one."""
        if len(self._idle) > self.rate * THINK_S:
            session, visit, step = self._idle.popleft()
        else:
            session, visit, step = self._new()
        method, route = visit.requests[step]
        self._busy[session] = (visit, step)
        item = self._rng.randrange(self._topology.items)
        path = route.format(session=session, item=item)
        return Request(session, method, path, f"{method} {route}")

    def ended(self, session: str) -> None:
        """The session's request has ended; it goes on where there is more to its visit."""
        visit, step = self._busy.pop(session)
        if step + 1 < len(visit.requests):
            self._idle.append((session, visit, step + 1))

    def _new(self) -> tuple[str, Visit, int]:
        visits = self._topology.visits
        visit = self._rng.choices(visits, [one.weight for one in visits])[0]
        return f"{self._rng.getrandbits(48):012x}", visit, 0
