"""What every call passes, whether it reads or writes: charged, noted, finished, written down."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import ParamSpec, TypeVar

from aiops.errors import AlreadyKept, StoreUnavailable
from aiops.model.tool import Outcome, ToolResult
from aiops.ports.tools import ToolContext
from aiops.toolbelt.budget import Till
from aiops.toolbelt.catalog import Asked
from aiops.toolbelt.doors import Doors, Rules
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.signs import Signs
from aiops.toolbelt.trail import Trail, entry

P = ParamSpec("P")
T = TypeVar("T")


class Stages:
    """The stages around the work of a tool. All of it may wait for a database."""

    def __init__(self, rules: Rules, doors: Doors) -> None:
        self._doors, self._till = doors, Till(doors.ledger, rules.budget)
        self._signs = Signs(doors.ledger)

    def charge(self, trail: Trail, *, write: bool) -> None:
        """Count it in its run's budget; raises Refused, "budget"."""
        trail.charged = True
        self._till.pay(trail.call.caller.run, self._doors.clock.now(), write=write)

    def begin(self, trail: Trail) -> Outcome | None:
        """None where its key is new, else how the first call with it ended.

        Raises:
            Refused: "key": it stands for another call.
        """
        call = trail.call
        try:
            earlier = self._doors.ledger.begin(call, self._doors.clock.now())
        except AlreadyKept as error:
            raise Refused("key", f"{error}; a key stands for one call") from error
        trail.begun = earlier is None
        if trail.begun:
            self._signs.hold(call)
        return earlier

    def done(self, trail: Trail, asked: Asked, result: ToolResult) -> Outcome:
        """What the caller is told of ``result``; raises ToolFailed where it was not promised."""
        call, finish = trail.call, self._doors.finish
        asked.item.schemas.check_result(result.content)
        finished = finish.result(call, result)
        unread = tuple(
            replace(one, reason=finish.redact(one.reason, call.caller.run)) for one in result.unread
        )
        return Outcome(
            call.id,
            "done",
            finished.summary,
            content=finished.content,
            unread=unread,
            refs=result.refs,
            blob=finished.blob,
            suspicious=finished.suspicious,
        )

    def close(self, trail: Trail, outcome: Outcome) -> Outcome:
        """Write down how a call ended; what cannot be written down is not answered."""
        doors, call = self._doors, trail.call
        seconds = doors.clock.stopwatch() - trail.started
        write = trail.spec is not None and trail.spec.effect == "write"
        if trail.charged:
            self._till.owe(call.caller.run, seconds)
        try:
            doors.audit.append(entry(trail, outcome, seconds, doors.clock, doors.finish))
            if trail.begun:
                doors.ledger.end(call, outcome, seconds)
        except StoreUnavailable as error:
            if outcome.status in ("done", "started") and not write:
                return Outcome(
                    call.id, "failed", f"{call.tool} cannot be recorded: {error}", reason="store"
                )
            return replace(outcome, summary=f"{outcome.summary}\nIt is not recorded: {error}")
        finally:
            self._signs.release(call)
        return outcome

    @staticmethod
    def context(trail: Trail) -> ToolContext:
        """What its tool is told."""
        return ToolContext(trail.call.id, trail.call.key, trail.call.caller, trail.report)


async def apart(work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
    """``work``, which asks a database, off the loop that other calls wait on."""
    return await asyncio.to_thread(work, *args, **more)
