"""Waiting for what an action was for, by reading."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiops.errors import ToolFailed
from aiops.model.tool import Verified

_POLL_S = 0.5
_WAIT = 0.8
"""Of a tool's time; the rest is for its requests."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a change has come.

    Attributes:
        hopeless: waiting longer will not help.
    """

    reached: bool
    seen: str
    hopeless: bool = False


def set_otherwise(wanted: Mapping[str, str | None], found: Mapping[str, str]) -> Standing | None:
    """That somebody else changed what was set, for which nobody need wait; None where it stands.

    Args:
        wanted: the texts by key; None for keys that were taken away.
    """
    other = [key for key, value in wanted.items() if found.get(key) != value]
    if not other:
        return None
    return Standing(False, f"{', '.join(other)} were set otherwise since", hopeless=True)


async def watched(
    look: Callable[[], Standing], timeout_s: float, report: Callable[[str], None]
) -> Verified:
    """Whether it was reached, within a share of the tool's time.

    Raises:
        ToolFailed: it could not be read, and that does not pass.
    """
    clock = asyncio.get_running_loop().time
    end, seen = clock() + timeout_s * _WAIT, ""
    while True:
        try:
            standing = await asyncio.to_thread(look)
        except ToolFailed as failure:
            if not failure.retryable:
                raise
            standing = Standing(False, f"not read: {failure}")
        if standing.reached or standing.hopeless:
            return Verified(standing.reached, standing.seen)
        if standing.seen != seen:
            seen = standing.seen
            report(seen)
        if clock() >= end:
            return Verified(False, f"not within {timeout_s * _WAIT:.0f} s: {seen}")
        await asyncio.sleep(_POLL_S)
