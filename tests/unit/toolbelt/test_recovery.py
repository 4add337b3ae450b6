"""Calls that were begun and never ended are not forgotten; those that go on are left alone."""

import asyncio
from threading import Semaphore

import pytest
from belt import GET, Bench

from aiops.errors import StoreUnavailable
from aiops.model.tool import ToolCall
from aiops.store.calls import MemoryLedger
from aiops.toolbelt.recovery import LEASE_S, Unfinished
from aiops.toolbelt.signs import Signs

pytestmark = pytest.mark.anyio
PATIENCE_S = 60.0
"""Of a test, on a machine that is busy."""


def look_on(bench: Bench, chore: Unfinished, seconds: float, *alive: ToolCall) -> None:
    """Rounds of the chore for so long, while ``alive`` give signs."""
    until = bench.clock.stopwatch() + seconds
    pause = chore()
    while bench.clock.stopwatch() < until:
        bench.ledger.renew(alive)
        bench.clock.advance(pause)
        pause = chore()


async def test_a_call_whose_process_died_is_written_down_once_and_not_begun_again() -> None:
    bench = Bench()
    approval = await bench.approved()
    call = bench.made(approval=approval, key="k")
    assert bench.ledger.begin(call, bench.clock.now()) is None  # and here its process died
    bench.clock.advance(1)
    chore = Unfinished(bench.ledger, bench.audit, bench.clock)
    look_on(bench, chore, LEASE_S / 2)
    assert len(bench.rows()) == 1, "it may still be at work"
    look_on(bench, chore, LEASE_S)
    assert bench.rows()[1:] == [("kubernetes.scale", "", "unknown: died")]
    bench.approve((await bench.ask()).approval or "")
    again = await bench.ask(approval=approval, key="k")
    assert again.status in ("denied", "unknown")
    assert bench.cluster.writes == []


async def test_a_call_that_gives_signs_of_life_is_left_alone_however_long_it_takes() -> None:
    bench = Bench()
    alive, dead = bench.made(key="alive"), bench.made(key="dead")
    for call in (alive, dead):
        assert bench.ledger.begin(call, bench.clock.now()) is None
    bench.clock.advance(1)
    look_on(bench, Unfinished(bench.ledger, bench.audit, bench.clock), 10 * LEASE_S, alive)
    assert [entry.ref for _, entry in bench.audit.entries()] == [dead.id]


async def test_who_could_not_look_says_of_nobody_that_he_was_silent() -> None:
    bench = Bench()
    assert bench.ledger.begin(bench.made(), bench.clock.now()) is None
    bench.clock.advance(1)
    chore = Unfinished(bench.ledger, bench.audit, bench.clock)
    chore()
    bench.clock.advance(2 * LEASE_S)  # the database was away, or the machine slept
    chore()
    assert bench.rows() == []
    look_on(bench, chore, LEASE_S)
    assert len(bench.rows()) == 1


async def test_what_is_in_hand_gives_signs_until_it_ends() -> None:
    bench, beats = Bench(), Semaphore(0)
    signs = Signs(bench.ledger, pause=lambda: beats.acquire(timeout=PATIENCE_S))
    call = bench.made()
    assert bench.ledger.begin(call, bench.clock.now()) is None
    bench.clock.advance(1)
    signs.hold(call)
    thread = signs._thread
    assert thread is not None
    beats.release(3)
    while bench.ledger.unfinished(bench.clock.now())[0].beats != 3:
        assert thread.is_alive()
        await asyncio.sleep(0.001)
    signs.release(call)
    beats.release()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


async def test_a_store_that_is_away_for_a_while_ends_no_signs() -> None:
    class Away(MemoryLedger):
        tries = 0

        def renew(self, calls: object) -> None:
            self.tries += 1
            if self.tries == 1:
                raise StoreUnavailable("gone")

    beats, ledger = Semaphore(2), Away()
    signs = Signs(ledger, pause=lambda: beats.acquire(timeout=PATIENCE_S))
    call = Bench().made()
    signs.hold(call)
    thread = signs._thread
    assert thread is not None
    while ledger.tries < 2:
        assert thread.is_alive()
        await asyncio.sleep(0.001)
    signs.release(call)
    beats.release()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


async def test_a_call_in_hand_of_the_gateway_is_renewed_and_let_go_when_it_ends() -> None:
    bench = Bench()
    signs = bench.gateway._stages._signs
    seen: list[int] = []
    answer = bench.get.answer

    def look(asked: object) -> object:
        seen.append(len(signs._held))
        return answer(asked)  # type: ignore[arg-type]

    bench.get.answer = look  # type: ignore[assignment]
    assert (await bench.ask("kubernetes.get", GET)).status == "done"
    assert seen == [1]
    assert not signs._held
