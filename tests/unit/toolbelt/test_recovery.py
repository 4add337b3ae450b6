"""Calls that were begun and never ended are not forgotten."""

from datetime import timedelta

import pytest
from belt import Bench

from aiops.toolbelt.recovery import PATIENCE, Unfinished

pytestmark = pytest.mark.anyio


async def test_a_call_whose_process_died_is_written_down_once_and_not_begun_again() -> None:
    bench = Bench()
    approval = await bench.approved()
    call = bench.made(approval=approval, key="k")
    assert bench.ledger.begin(call, bench.clock.now()) is None  # and here its process died
    chore = Unfinished(bench.ledger, bench.audit, bench.clock)
    assert chore() > 0
    assert len(bench.rows()) == 1, "it may still be at work"
    bench.clock.advance(PATIENCE / timedelta(seconds=1) + 1)
    chore()
    chore()
    assert bench.rows()[1:] == [("kubernetes.scale", "", "unknown: died")]
    bench.approve((await bench.ask()).approval or "")
    again = await bench.ask(approval=approval, key="k")
    assert again.status in ("denied", "unknown")
    assert bench.cluster.writes == []
