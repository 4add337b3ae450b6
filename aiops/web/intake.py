"""From many requests on an event loop to few commits in a thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiops.errors import Backlogged, StoreUnavailable
from aiops.model.alert import Delivery
from aiops.ports.clock import Clock
from aiops.ports.incidents import AlertInbox

GATHER_S: Final = 0.004
"""How long the first delivery waits for others; while a batch is being kept, all others wait."""
REMEMBERED_S: Final = 300.0
"""Senders repeat what was refused sooner than that; a failure that nobody met since is over."""
MOST_WAITING: Final = 5_000
"""Requests that may wait for a commit; beyond, a sender is told at once to come again."""


class Intake:
    """Keeps deliveries in the inbox, a batch of requests by one commit.

    One event loop. The store's own group commit needs a thread for every request that waits; this
    needs one thread in all.
    """

    def __init__(self, inbox: AlertInbox, clock: Clock) -> None:
        self._inbox, self._clock = inbox, clock
        self._waiting: list[tuple[Delivery, asyncio.Future[None]]] = []
        self._keeping: asyncio.Task[None] | None = None
        self._failure: tuple[float, str] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")

    async def put(self, delivery: Delivery) -> None:
        """Keep it; returns once it would survive a crash.

        Raises:
            StoreUnavailable: it is not kept; the sender must be told to come again.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("it cannot keep up with what comes in; send this again")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, kept))
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep())
        await kept

    @property
    def failure(self) -> str | None:
        """Why the latest deliveries were not kept; None where they were, or nobody tries still."""
        failure = self._failure
        if failure is None or self._clock.stopwatch() - failure[0] > REMEMBERED_S:
            return None
        return failure[1]

    async def close(self) -> None:
        """Keep what waits, and end the thread."""
        if self._keeping is not None:
            await self._keeping
        self._thread.shutdown()

    async def _keep(self) -> None:
        await asyncio.sleep(GATHER_S)
        while self._waiting:
            batch, self._waiting = self._waiting, []
            deliveries = [delivery for delivery, _ in batch]
            refusal: StoreUnavailable | None = StoreUnavailable("it was not kept; send this again")
            try:
                await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._inbox.put, deliveries
                )
                refusal = None
            except StoreUnavailable as error:
                refusal = error
            finally:  # whatever it was that went wrong, nobody waits for ever
                self._answer([kept for _, kept in batch], refusal)

    def _answer(
        self, waiting: "list[asyncio.Future[None]]", refusal: StoreUnavailable | None
    ) -> None:
        if refusal is None:
            self._failure = None
        elif not isinstance(refusal, Backlogged):
            self._failure = self._clock.stopwatch(), str(refusal)
        for kept in waiting:
            if kept.done():  # the sender has hung up meanwhile
                continue
            if refusal is None:
                kept.set_result(None)
            else:
                kept.set_exception(type(refusal)(refusal.reason))
