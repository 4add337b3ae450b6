"""Work that can be cut off: by its time, or because whoever waited for it has gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, Literal, TypeVar

from aiops.errors import AiopsError, ToolFailed

T = TypeVar("T")
GRACE_S: Final = 1.0
"""What is cut off may take this long to let go; after that it is left alone."""


class CutOff(AiopsError):
    """Work did not end in time, or nobody waited for it any more.

    Args:
        why: "timeout" or "cancelled".
    """

    def __init__(self, why: Literal["timeout", "cancelled"], what: str) -> None:
        self.why = why
        super().__init__(what)


class Cut:
    """Of one call: ``now`` cuts off what runs and whatever would run later."""

    def __init__(self) -> None:
        self._cancelled: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def now(self) -> None:
        """Cut it off."""
        if not self._cancelled.done():
            self._cancelled.set_result(None)

    async def run(self, what: str, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """The result of ``work``, which runs in a task of its own.

        Raises:
            CutOff: it did not end within ``seconds``, or was cut off.
            ToolFailed: what it raised; "crashed" for anything that a tool must not raise.
        """
        if self._cancelled.done():
            work.close()
            raise CutOff("cancelled", f"{what} was cancelled before it began")
        task = asyncio.create_task(work)
        ends: set[asyncio.Future[Any]] = {task, self._cancelled}
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=GRACE_S)
        if not task.done() or task.cancelled():
            if self._cancelled.done():
                raise CutOff("cancelled", f"{what} was cancelled")
            raise CutOff("timeout", f"{what} did not end within {seconds:g} s")
        return _result(what, task)

    async def afterwards(self, what: str, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """As ``run``, for what has to be done even though the call was cut off: looking at what
        became of it, taking it back.
        """
        return await Cut().run(what, work, seconds)


def _result(what: str, task: "asyncio.Task[T]") -> T:
    failure = task.exception()
    if failure is None:
        return task.result()
    if isinstance(failure, AiopsError) or not isinstance(failure, Exception):
        raise failure
    # A tool may be anybody's code: its defect ends the call, not the investigation.
    raise ToolFailed(
        "crashed", f"{what} crashed ({type(failure).__name__}); tell whoever maintains it"
    ) from failure
