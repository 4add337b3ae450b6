"""What follows what inside a span, and whose failure explains whose."""

import numpy as np
import pytest

from aiops.analyze.logs.order import TAIL_S, Break, Events, breaks, sequence
from aiops.analyze.logs.requests import Requests, callers

A, B, C, D, STEPS = 0, 1, 2, 3, 4


def events(*spans: list[int], start: float = 0.0, same_trace: int = 1) -> Events:
    """Spans of the given steps, a second apart; ``same_trace`` of them in each trace."""
    rows = [
        (number, step, start + number + at / 100)
        for number, steps in enumerate(spans)
        for at, step in enumerate(steps)
    ]
    rows.append((len(spans), D, start + len(spans) + 2 * TAIL_S))  # the recording goes on
    span, step, time = (np.array(column) for column in zip(*rows, strict=True))
    whole = Events(
        span.astype(np.int32), step.astype(np.int32), time, (span // same_trace).astype(np.int32)
    )
    return sequence(whole, np.ones(len(rows), dtype=np.int32))


def found(now: Events, *references: Events, ignored: tuple[int, ...] = ()) -> tuple[Break, ...]:
    mask = np.isin(np.arange(STEPS), ignored)
    return breaks(now, list(references), STEPS, mask)


def test_a_step_that_no_longer_follows_is_found_with_its_shares() -> None:
    (one,) = found(events(*[[A]] * 20), events(*[[A, B]] * 20))
    assert (one.first, one.then) == (A, B)
    assert (one.before, one.now, one.drop) == (1.0, 0.0, 1.0)
    assert (one.seen_before, one.seen_now) == (20, 20)
    assert one.novel == 1.0
    assert one.lost.tolist() == list(range(20))


def test_what_follows_the_break_is_not_accused() -> None:
    now, before = events(*[[A]] * 20), events(*[[A, B, C]] * 20)
    assert [(one.first, one.then) for one in found(now, before)] == [(A, B)]


def test_nothing_is_found_where_nothing_changed() -> None:
    spans = [[A, B, C]] * 15 + [[A, C]] * 5
    assert found(events(*spans), events(*spans)) == ()


def test_fewer_requests_break_nothing() -> None:
    assert found(events(*[[A, B, C]] * 4), events(*[[A, B, C]] * 200)) == ()


def test_another_mix_of_known_branches_is_not_new() -> None:
    before = events(*[[A, B]] * 70, *[[A, C]] * 30)
    now = events(*[[A, B]] * 20, *[[A, C]] * 80)
    (one,) = found(now, before)
    assert (one.first, one.then) == (A, B)
    assert one.novel == pytest.approx(0.0)


def test_errors_that_no_longer_come_are_not_missed() -> None:
    now, before = events(*[[A, C]] * 20), events(*[[A, B]] * 20)
    assert found(now, before, ignored=(B,)) == ()


def test_many_calls_of_one_request_are_one_witness() -> None:
    before, now = [[A, B]] * 36 + [[A, C]] * 4, [[A, B]] * 20 + [[A, C]] * 20
    (apart,) = found(events(*now), events(*before))
    together = found(events(*now, same_trace=20), events(*before, same_trace=20))
    assert apart.z > 3.5
    assert together == ()


def test_the_stronger_contrast_of_two_references_counts() -> None:
    already_broken, normal = events(*[[A]] * 20), events(*[[A, B]] * 20)
    (one,) = found(events(*[[A]] * 20), already_broken, normal)
    assert one.before == 1.0


def test_a_span_cut_by_the_end_of_the_recording_lost_nothing() -> None:
    whole = events(*[[A, B]] * 20)
    at_the_end = whole.times.max() + 0.01 * np.arange(3)
    cut = Events(
        np.append(whole.span_of, 100 + np.arange(3)).astype(np.int32),
        np.append(whole.step_of, [A] * 3).astype(np.int32),
        np.append(whole.times, at_the_end),
        np.append(whole.trace_of, 100 + np.arange(3)).astype(np.int32),
    )
    assert found(cut, events(*[[A, B]] * 20)) == ()


def tree(parents: list[int], services: list[int]) -> Requests:
    none = np.empty(0, dtype=np.int32)
    return Requests(
        Events(none, none, np.empty(0), none),
        np.zeros(len(parents)),
        np.array(services, dtype=np.int32),
        np.array(parents, dtype=np.int32),
        none,
        np.ones(len(parents), dtype=np.bool_),
    )


def test_a_callee_that_failed_after_its_caller_fell_quiet_explains_it() -> None:
    failed = np.array([1.0, np.nan, 2.0])  # 0 calls 1, 1 calls 2
    explained, pairs = callers(failed, failed, tree([-1, 0, 1], [7, 8, 9]))
    assert explained.tolist() == [True, False, False]
    assert pairs == {(9, 7)}


def test_a_callee_that_failed_before_its_caller_went_on_explains_nothing() -> None:
    failed = np.array([3.0, 2.0])
    explained, pairs = callers(failed, failed, tree([-1, 0], [7, 9]))
    assert not explained.any()
    assert not pairs


def test_a_cycle_of_parents_ends() -> None:
    failed = np.array([1.0, 1.0])
    explained, _ = callers(failed, failed, tree([1, 0], [7, 9]))
    assert explained.all()
