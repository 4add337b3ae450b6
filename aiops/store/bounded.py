"""An inbox that says no before it grows without bound."""

from collections.abc import Sequence
from datetime import datetime
from threading import Lock
from typing import Final

from aiops.errors import Backlogged
from aiops.model.alert import Delivery, RefusedDelivery
from aiops.ports.clock import Clock
from aiops.ports.incidents import AlertInbox

FULL_S: Final = 1.0
"""How often a full inbox is counted anew: as soon as it has room, it takes again."""
OTHERS_S: Final = 10.0
"""How often any is: other processes put into it, too."""


class BoundedInbox:
    """An AlertInbox of which at most ``most`` deliveries wait.

    Counting costs a query, so in between it is reckoned: what waited then, and all that was put
    since as if nothing had been taken in. So one process never goes beyond ``most``, and several
    go beyond by no more than each puts in ``OTHERS_S``.
    """

    def __init__(self, inbox: AlertInbox, most: int, clock: Clock) -> None:
        self._inbox, self._most, self._clock = inbox, most, clock
        self._lock = Lock()
        self._reckoned = 0
        self._counted_at = float("-inf")

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Keep them all; raises StoreUnavailable, Backlogged: none is kept."""
        self._reserve(len(deliveries))
        self._inbox.put(deliveries)

    def _reserve(self, more: int) -> None:
        with self._lock:
            since = self._clock.stopwatch() - self._counted_at
            full = self._reckoned + more > self._most
            if since > OTHERS_S or (full and since > FULL_S):
                self._reckoned = self._inbox.waiting()
                self._counted_at = self._clock.stopwatch()
            if self._reckoned + more > self._most:
                raise Backlogged(
                    f"{self._reckoned:,} deliveries wait and {self._most:,} may (setting "
                    "'web.backlog_most'); send this again, there will be room"
                )
            self._reckoned += more

    def refuse(self, delivery: RefusedDelivery) -> None:
        """See AlertInbox."""
        self._inbox.refuse(delivery)

    def refused(self, *, limit: int = 50) -> tuple[RefusedDelivery, ...]:
        """See AlertInbox."""
        return self._inbox.refused(limit=limit)

    def waiting(self) -> int:
        """See AlertInbox."""
        return self._inbox.waiting()

    def oldest_waiting(self) -> datetime | None:
        """See AlertInbox."""
        return self._inbox.oldest_waiting()
