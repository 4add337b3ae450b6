"""An inbox that is full says no: nothing grows without bound, and what it kept is not lost."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import Backlogged, StoreUnavailable
from aiops.model.alert import Delivery
from aiops.store.bounded import OTHERS_S, BoundedInbox
from aiops.store.clock import ManualClock
from aiops.store.inbox import MemoryInbox

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def deliveries(first: int, count: int) -> list[Delivery]:
    return [Delivery(f"del-{first + n}", "prom", NOON, ()) for n in range(count)]


def test_a_full_inbox_keeps_nothing_of_what_it_refuses_and_says_how_full_it_is() -> None:
    inner = MemoryInbox()
    inbox = BoundedInbox(inner, 3, ManualClock(NOON))
    inbox.put(deliveries(0, 2))
    with pytest.raises(Backlogged, match=r"2 deliveries wait and 3 may .*'web.backlog_most'"):
        inbox.put(deliveries(2, 2))
    assert inner.waiting() == 2
    inbox.put(deliveries(4, 1))
    assert inner.waiting() == 3


def test_whoever_waits_for_a_store_waits_for_a_full_inbox_too() -> None:
    with pytest.raises(StoreUnavailable):
        BoundedInbox(MemoryInbox(), 1, ManualClock(NOON)).put(deliveries(0, 2))


def test_it_takes_again_once_there_is_room() -> None:
    inner, clock = MemoryInbox(), ManualClock(NOON)
    inbox = BoundedInbox(inner, 2, clock)
    inbox.put(deliveries(0, 2))
    inner.take(1)
    clock.advance(2)
    inbox.put(deliveries(2, 1))
    assert inner.waiting() == 2


def test_what_another_process_puts_counts_too() -> None:
    inner, clock = MemoryInbox(), ManualClock(NOON)
    inbox = BoundedInbox(inner, 10, clock)
    inbox.put(deliveries(0, 1))
    inner.put(deliveries(100, 9))
    clock.advance(OTHERS_S + 1)
    with pytest.raises(Backlogged):
        inbox.put(deliveries(1, 1))


@given(
    steps=st.lists(st.tuples(st.sampled_from(["put", "take", "pass"]), st.integers(1, 6))),
    most=st.integers(1, 12),
)
def test_never_more_than_may_wait_and_every_accepted_one_comes_out_once(
    steps: list[tuple[str, int]], most: int
) -> None:
    inner, clock = MemoryInbox(), ManualClock(NOON)
    inbox = BoundedInbox(inner, most, clock)
    accepted: list[str] = []
    taken: list[str] = []
    for number, (step, amount) in enumerate(steps):
        if step == "put":
            batch = deliveries(100 * number, amount)
            try:
                inbox.put(batch)
            except Backlogged:
                continue
            accepted += [each.id for each in batch]
        elif step == "take":
            taken += [each.id for each in inner.take(amount)]
        else:
            clock.advance(amount)
        assert inbox.waiting() <= most
    taken += [each.id for each in inner.take(1000)]
    assert taken == accepted
