"""Watching objectives after a change that its own tool calls done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
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
    """

    objectives: Objectives
    clock: Clock
    seconds: float
    pause: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)

    async def over(self, targets: Sequence[Target], changed: datetime, cut: Cut) -> Held:
        """Whether they hold; waits only where there is an objective that could break.

        A call that is cut off meanwhile is done, and was not watched to the end.
        """
        name = "the watch over the objectives"
        work = self._looked(targets, changed)
        try:
            return await cut.run(name, work, self.seconds + READING_S)
        except AiopsError as failed:
            return Held(None, f"{failed}: look at the objectives yourself")

    async def _looked(self, targets: Sequence[Target], changed: datetime) -> Held:
        since = self.clock.now()
        if not await apart(self.objectives.covering, targets):
            names = ", ".join(map(str, targets))
            return Held(None, f"no objective covers {names}")
        await self.pause(self.seconds)
        return await apart(self.objectives.held, targets, changed, since, self.clock.now())
