"""Watching objectives after a change that its own tool calls done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from aiops.errors import AiopsError
from aiops.model.tool import Target
from aiops.ports.clock import Clock
from aiops.ports.objectives import Held, Objectives
from aiops.toolbelt.cut import Cut
from aiops.toolbelt.stages import apart

READING_S = 60.0
"""How long sources may take to answer; after that nothing is known."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How, and how long.

    Attributes:
        seconds: to wait between the end of a change and the look at the objectives.
        pause: waits.
        mend_s: how long a change that is to mend something may take to show it.
    """

    objectives: Objectives
    clock: Clock
    seconds: float
    pause: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)
    mend_s: float = 0.0

    async def over(
        self, targets: Sequence[Target], changed: datetime, cut: Cut, *, mends: bool = False
    ) -> Held:
        """Whether they hold; waits only where there is an objective that could break.

        A call that is cut off meanwhile is done, and was not watched to the end.

        Args:
            mends: whether it was made to end an incident: then what burnt before must also burn
                slower, within ``mend_s``, or it has not held. It is looked at again and again
                until it does, or until it is told at all: metrics are averages, and tell of
                yesterday for a while.
        """
        name = "the watch over the objectives"
        work = self._looked(targets, changed, self.mend_s if mends else 0.0)
        try:
            return await cut.run(name, work, self.seconds + self.mend_s + READING_S)
        except AiopsError as failed:
            return Held(None, f"{failed}: look at the objectives yourself")

    async def _looked(self, targets: Sequence[Target], changed: datetime, mend_s: float) -> Held:
        ended, began = self.clock.now(), self.clock.stopwatch()
        if not await apart(self.objectives.covering, targets):
            names = ", ".join(map(str, targets))
            return Held(None, f"no objective covers {names}")
        since = ended
        while True:
            await self.pause(self.seconds)
            now = self.clock.now()
            held = await apart(self.objectives.held, targets, changed, since, now)
            settled = held.mended is not False and not held.early
            if held.held is False or settled or mend_s == 0.0:
                return held
            if self.clock.stopwatch() - began >= mend_s:
                return held if held.early else replace(held, held=False)
            # Averages tell of the time before the change for a while: the earlier part is left out.
            since = now - (now - ended) / 2
