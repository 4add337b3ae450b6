"""Who is said to have died: only those who gave no sign while somebody looked."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from aiops.jobs.leases import LeaseWatch
from aiops.model.job import Held, Job

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def held(key: str = "a", holder: str = "ana", beats: int = 0) -> Held:
    return Held(Job(key, "try", "it", NOON), holder, beats)


def test_a_holder_that_is_silent_for_a_lease_is_seen() -> None:
    watch = LeaseWatch(10)
    said = [watch.silent([held()], float(second)) for second in range(12)]
    assert [bool(each) for each in said] == [False] * 10 + [True] * 2
    assert said[-1] == (held(),)


def test_one_sign_of_life_begins_the_lease_anew() -> None:
    watch = LeaseWatch(10)
    for second in range(20):
        assert not watch.silent([held(beats=second // 9)], float(second))


def test_a_job_that_went_to_another_holder_is_not_the_silence_of_the_first() -> None:
    watch = LeaseWatch(10)
    for second in range(9):
        watch.silent([held(holder="ana")], float(second))
    for second in range(9, 19):
        assert not watch.silent([held(holder="ben")], float(second))


def test_nobody_is_silent_while_the_watcher_could_not_look() -> None:
    watch = LeaseWatch(10)
    for second in range(9):
        watch.silent([held()], float(second))
    assert not watch.silent([held()], 600.0)
    assert not watch.silent([held()], 604.0)
    assert watch.silent([held()], 609.0) == ()
    assert watch.silent([held()], 610.0) == (held(),)


@given(
    gaps=st.lists(st.floats(0.01, 8), min_size=1, max_size=60),
    every=st.floats(0.01, 9),
)
def test_whoever_beats_more_often_than_a_lease_is_never_silent(
    gaps: list[float], every: float
) -> None:
    watch, now = LeaseWatch(10), 0.0
    for gap in gaps:
        now += gap
        assert watch.silent([held(beats=int(now / every))], now) == ()
