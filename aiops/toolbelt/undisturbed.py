"""Work that has to come to its end, also where whoever waits for it is told to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives; it is waited for however often the caller is cancelled meanwhile.

    The work itself has to have an end.

    Raises:
        asyncio.CancelledError: the caller was cancelled; the work is over by then.
    """
    task = asyncio.create_task(work)
    stopped: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            stopped = error
    if stopped is not None and not task.cancelled():
        raise stopped
    return task.result()
