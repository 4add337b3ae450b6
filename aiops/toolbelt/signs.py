"""Signs of life of the calls that this process has in hand, so that others do not bury them."""

import time
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final

from aiops.errors import StoreUnavailable
from aiops.model.tool import ToolCall
from aiops.ports.approvals import CallLedger

BEAT_S: Final = 10.0


class Signs:
    """Renews the calls in hand from a thread of its own, which a busy loop does not hold up.

    The thread begins with the first call and ends once there is none, so nothing is to be closed.

    Args:
        pause: waits between two signs.
    """

    def __init__(
        self, ledger: CallLedger, *, pause: Callable[[], object] = lambda: time.sleep(BEAT_S)
    ) -> None:
        self._ledger, self._pause = ledger, pause
        self._held: dict[str, ToolCall] = {}
        self._thread: Thread | None = None
        self._lock = Lock()

    def hold(self, call: ToolCall) -> None:
        """It was begun here."""
        with self._lock:
            self._held[call.id] = call
            if self._thread is None:
                self._thread = Thread(target=self._beat, name="signs of life", daemon=True)
                self._thread.start()

    def release(self, call: ToolCall) -> None:
        """It has ended, or nobody works on it any more."""
        with self._lock:
            self._held.pop(call.id, None)

    def _beat(self) -> None:
        while True:
            self._pause()
            with self._lock:
                held = tuple(self._held.values())
                if not held:
                    self._thread = None
                    return
            try:
                self._ledger.renew(held)
            except StoreUnavailable:
                continue  # whoever looks for signs does not reach it either
