"""Identifiers: random ones that sort by time, and counted ones for tests and replays."""

import secrets
from datetime import datetime

from aiops.ports.clock import Clock


def since(kind: str, at: datetime) -> str:
    """What no id of ``kind`` made by TimedIds from ``at`` on is less than."""
    return f"{kind}-{int(at.timestamp() * 1000):011x}"


class TimedIds:
    """``kind-<milliseconds, 11 hex><40 random bits>``: sorts by time, safe across processes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self, kind: str) -> str:
        """A fresh id."""
        return since(kind, self._clock.now()) + secrets.token_hex(5)


class CountedIds:
    """``kind-1``, ``kind-2``, ... per kind."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def new(self, kind: str) -> str:
        """The next id of ``kind``."""
        self._last[kind] = self._last.get(kind, 0) + 1
        return f"{kind}-{self._last[kind]}"
