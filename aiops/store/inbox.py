"""The inbox of alerts in this process: the twin of the SQL one."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from threading import Lock

from aiops.model.alert import Delivery, RefusedDelivery


class MemoryInbox:
    """An AlertInbox; see ``ports.incidents``. Keeps nothing once the process ends."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._waiting: deque[Delivery] = deque()
        self._refused: list[RefusedDelivery] = []
        self._lock = Lock()

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Keep those with an unknown id, in their order."""
        with self._lock:
            for delivery in deliveries:
                if delivery.id not in self._known:
                    self._known.add(delivery.id)
                    self._waiting.append(delivery)

    def refuse(self, delivery: RefusedDelivery) -> None:
        """Keep what could not be understood."""
        with self._lock:
            self._refused.append(delivery)

    def refused(self, *, limit: int = 50) -> tuple[RefusedDelivery, ...]:
        """What could not be understood, newest first."""
        with self._lock:
            return tuple(islice(reversed(self._refused), limit))

    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def oldest_waiting(self) -> datetime | None:
        """When the oldest was received."""
        with self._lock:
            return self._waiting[0].received_at if self._waiting else None

    def take(self, limit: int) -> tuple[Delivery, ...]:
        """Hand out the oldest ones; for the transaction that takes them in."""
        with self._lock:
            return tuple(self._waiting.popleft() for _ in range(min(limit, len(self._waiting))))

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Put those of an undone transaction where they were: in front."""
        with self._lock:
            self._waiting.extendleft(reversed(deliveries))
