"""Calls that pushed spans only tell of (to databases, queues, peers), as a source of the graph."""

from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from typing import Final

from aiops.analyze.service_graph import FADE_WINDOWS, SeenCall, graph_of, merged, unfaded
from aiops.errors import InvalidWindow
from aiops.model import ServiceGraph

WINDOW_S: Final = 300.0
"""One window of fading: an edge is gone an hour after its last call."""
_MOST: Final = 10_000
"""Calls remembered; of more, those not seen for longest are forgotten."""


class PushedCalls:
    """A GraphSource of this process alone, for several threads."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self._window_s, self._lock = window_s, Lock()
        self._seen: tuple[SeenCall, ...] = ()

    def take(self, calls: Iterable[SeenCall]) -> None:
        """Add what one request told of (``Decoded.calls``)."""
        with self._lock:
            seen = merged([*self._seen, *calls])
            if len(seen) > _MOST:
                seen = tuple(sorted(seen, key=lambda one: -one.last)[:_MOST])
            self._seen = seen

    def graph(self, at: datetime) -> ServiceGraph:
        """See GraphSource: what was seen before ``at`` and has not faded. Raises InvalidWindow."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        now = at.timestamp()
        begun = (one for one in self._seen if one.first <= now)
        return graph_of(unfaded(begun, now, self._window_s, FADE_WINDOWS))
