"""Telling that a worker has died without asking the time of day."""

from collections.abc import Iterable
from typing import Final

from aiops.model.job import Held

LEASE_S: Final = 10.0
"""How long a holder may give no sign of life."""
BEAT_S: Final = LEASE_S / 4
LOOK_S: Final = LEASE_S / 10
"""How often signs of life of others are looked for."""
DIED: Final = "its worker died or stood still"


class LeaseWatch:
    """Sees which holders have given no sign of life while it looked on.

    Only the watcher's own stopwatch counts, so neither a clock that jumps nor two clocks that
    differ end a lease. While the watcher could not look (its database was down, its machine stood
    still) nobody is said to be silent: they could not give a sign either.

    Args:
        lease_s: how long a holder may be silent.
    """

    def __init__(self, lease_s: float = LEASE_S) -> None:
        self._lease_s = lease_s
        self._since: dict[tuple[str, str, int], float] = {}
        self._looked_at = float("-inf")

    def silent(self, held: Iterable[Held], now: float) -> tuple[Held, ...]:
        """Those of ``held``, which is all there are, that have been silent for a lease's time.

        Args:
            now: seconds of a stopwatch.
        """
        blind = now - self._looked_at > self._lease_s / 2
        before = {} if blind else self._since
        seen = {(each.job.key, each.holder, each.beats): each for each in held}
        self._since = {sign: before.get(sign, now) for sign in seen}
        self._looked_at = now
        return tuple(
            each for sign, each in seen.items() if now - self._since[sign] >= self._lease_s
        )
