"""What failing requests show: slow services, early ends, errors, missing answers."""

import numpy as np
import pytest

from aiops.analyze.traces.blame import blamed
from aiops.analyze.traces.contrasts import Outcomes, Phase, pooled, rises, rising_shares
from aiops.analyze.traces.edges import calls
from aiops.analyze.traces.endings import early_ends, steps
from aiops.analyze.traces.errors import (
    failed,
    failing_operations,
    is_error,
    origins,
    own_errors,
    silences,
    unanswered_calls,
)
from aiops.analyze.traces.forest import Forest, forest
from aiops.analyze.traces.visits import visits
from aiops.model.rows import Span, span_table

BEFORE, DURING, REFERENCE = (int(phase) for phase in (Phase.BEFORE, Phase.DURING, Phase.REFERENCE))


def edge_blames(*edges: tuple[int, int, float]) -> list[tuple[int, tuple[int, ...]]]:
    caller, callee, excess = zip(*edges, strict=True)
    found = blamed(
        np.array(caller), np.array(callee), np.array(excess), np.ones(len(edges)), floor=0.02
    )
    return [(blame.entity, blame.edges) for blame in found]


def test_a_service_slow_towards_all_its_callers_is_blamed_before_them() -> None:
    assert edge_blames((0, 2, 1.0), (1, 2, 1.0), (0, 3, 0.0), (1, 3, 0.0)) == [(2, (0, 1))]


def test_a_service_slow_on_its_calls_into_and_out_of_it_is_blamed() -> None:
    assert edge_blames((0, 1, 0.5), (1, 2, 0.5), (1, 3, 0.5), (0, 3, 0.0)) == [(1, (0, 1, 2))]


def test_of_the_two_ends_of_one_slow_call_the_one_with_fine_calls_is_spared() -> None:
    assert edge_blames((0, 1, 0.5), (0, 2, 0.0)) == [(1, (0,))]
    assert edge_blames((0, 1, 0.5), (2, 1, 0.0)) == [(0, (0,))]


def test_where_nothing_tells_the_two_ends_apart_the_called_one_is_blamed() -> None:
    assert edge_blames((0, 1, 0.5)) == [(1, (0,))]
    assert edge_blames((1, 0, 0.5)) == [(0, (0,))]


def test_two_separate_culprits_are_both_found_the_larger_one_first() -> None:
    found = edge_blames((0, 1, 0.5), (2, 3, 2.0), (0, 4, 0.0), (2, 4, 0.0))
    assert found == [(3, (1,)), (1, (0,))]


def test_one_slow_caller_of_several_is_a_weaker_sign_than_all_of_them() -> None:
    callers, callees = np.array([0, 1, 2]), np.array([3, 3, 3])
    some, every = (
        blamed(callers, callees, np.array(excess), np.ones(3), floor=0.02)
        for excess in ([1.0, 1.0, 0.0], [1.0, 1.0, 1.0])
    )
    assert [(one.entity, one.consistent) for one in every] == [(3, 1.0)]
    assert [(one.entity, one.consistent) for one in some] == [(3, pytest.approx(2 / 3))]


def test_edges_of_unknown_excess_blame_nobody() -> None:
    assert edge_blames((0, 1, float("nan")), (0, 2, 0.01)) == []


def test_a_rise_counts_only_as_far_as_it_exceeds_its_error() -> None:
    group = np.zeros(8, dtype=np.intp)
    phase = np.array([BEFORE] * 4 + [DURING] * 4, dtype=np.int8)
    steady = rises(group, np.array([1, 1.1, 0.9, 1, 2, 2.1, 1.9, 2]), phase, 1)
    one_off = rises(group, np.array([1, 1.1, 0.9, 1, 1, 1, 1, 5]), phase, 1)
    assert steady.change[0] == pytest.approx(1)
    assert steady.sure[0] == pytest.approx(0.9, abs=0.05)
    assert one_off.change[0] == pytest.approx(1)
    assert one_off.sure[0] == 0


def test_the_stronger_of_two_references_counts() -> None:
    group = np.zeros(6, dtype=np.intp)
    phase = np.array([BEFORE, BEFORE, DURING, DURING, REFERENCE, REFERENCE], dtype=np.int8)
    rise = rises(group, np.array([5.0, 5.0, 5.0, 5.0, 1.0, 1.0]), phase, 1)
    assert rise.usual[0] == 1
    assert rise.sure[0] == pytest.approx(4)


def test_nothing_is_compared_with_a_single_observation() -> None:
    group = np.zeros(3, dtype=np.intp)
    phase = np.array([BEFORE, DURING, DURING], dtype=np.int8)
    rise = rises(group, np.array([1.0, 9.0, 9.0]), phase, 1)
    assert np.isnan(rise.usual[0])
    assert rise.sure[0] == 0


def of_one_kind(holds: list[bool]) -> Outcomes:
    return Outcomes(
        row=np.arange(len(holds)),
        kind=np.zeros(len(holds), dtype=np.intp),
        holds=np.array(holds),
        kinds=np.zeros((1, 1), dtype=np.intp),
    )


def test_two_out_of_two_is_no_certainty() -> None:
    phase = np.array([BEFORE, BEFORE, DURING, DURING], dtype=np.int8)
    assert rising_shares(of_one_kind([False, False, True, True]), phase).sure[0] == 0


def test_a_share_of_many_rises_surely() -> None:
    phase = np.repeat(np.array([BEFORE, DURING], dtype=np.int8), 200)
    outcomes = of_one_kind([i >= 280 for i in range(400)])
    assert rising_shares(outcomes, phase).sure[0] == pytest.approx(0.5, abs=0.06)


def test_groups_are_pooled_by_what_was_seen_of_them() -> None:
    group = np.repeat(np.arange(2), [8, 4])
    phase = np.array([BEFORE, BEFORE] + [DURING] * 6 + [BEFORE, BEFORE, DURING, DURING], np.int8)
    rise = rises(group, np.array([0.0] * 2 + [4.0] * 6 + [0.0] * 4), phase, 2)
    both = pooled(rise, np.array([0, 0]), 2)
    assert both.change.tolist() == pytest.approx([3, 0])
    assert np.isnan(both.usual[1])


def shop(number: int, *, stops_after: int = 9, status: str = "", dead: bool = False) -> list[Span]:
    """A request in which web calls cart, then pay; ``stops_after`` calls it gives up."""
    trace, start = f"t{number}", float(number)
    spans = [Span(trace, "0", "", "web", "GET /", start, 1.0, status=status)]
    for i, callee in enumerate(("cart", "pay")):
        if i < stops_after:
            at = start + 0.1 + 0.4 * i
            spans.append(Span(trace, f"{callee}c", "0", "web", f"call {callee}", at, 0.3))
            if not (dead and callee == "pay"):
                spans.append(
                    Span(trace, callee, f"{callee}c", callee, "do", at + 0.1, 0.1, status=status)
                )
    return spans


def recorded(past: list[list[Span]], now: list[list[Span]]) -> tuple[Forest, np.ndarray]:
    """The trees, and the phase of each span."""
    counts = [sum(len(one) for one in side) for side in (past, now)]
    trees = forest(span_table([span for side in (past, now) for one in side for span in one]))
    return trees, np.repeat(np.array([BEFORE, DURING], dtype=np.int8), counts)


def test_requests_that_end_after_a_call_accuse_the_service_called_last() -> None:
    trees, phase = recorded(
        [shop(i) for i in range(40)], [shop(100 + i, stops_after=1) for i in range(40)]
    )
    (ending,) = early_ends(steps(trees, visits(trees, calls(trees))), phase)
    assert trees.spans.services[ending.stopped_by] == "cart"
    assert trees.spans.services[ending.service] == "web"
    assert ending.now > 0.9
    assert ending.rise > 0.7


def test_requests_that_end_before_any_call_accuse_the_service_itself() -> None:
    trees, phase = recorded(
        [shop(i) for i in range(40)], [shop(100 + i, stops_after=0) for i in range(40)]
    )
    (ending,) = early_ends(steps(trees, visits(trees, calls(trees))), phase)
    assert trees.spans.services[ending.stopped_by] == "web"
    assert ending.last == -1


def test_requests_as_ever_end_nowhere_early() -> None:
    trees, phase = recorded([shop(i) for i in range(40)], [shop(100 + i) for i in range(40)])
    assert early_ends(steps(trees, visits(trees, calls(trees))), phase) == ()


def test_an_empty_forest_shows_nothing() -> None:
    trees, phase = recorded([], [])
    found = calls(trees)
    assert early_ends(steps(trees, visits(trees, found)), phase) == ()
    assert failing_operations(own_errors(trees), phase) == ()
    assert unanswered_calls(silences(trees, found), phase) == ()


@pytest.mark.parametrize(
    "status",
    ["ERROR", "STATUS_CODE_ERROR", "Error", "2", "500", "404", "UNAVAILABLE", "DEADLINE_EXCEEDED"],
)
def test_statuses_of_failure_are_errors(status: str) -> None:
    assert is_error(status)


@pytest.mark.parametrize(
    "status",
    ["", "OK", "UNSET", "STATUS_CODE_OK", "STATUS_CODE_UNSET", "0", "1", "200", "302", "?"],
)
def test_other_statuses_are_none(status: str) -> None:
    assert not is_error(status)


def test_an_error_that_travelled_up_began_at_its_deepest_span() -> None:
    trees = forest(span_table(shop(0, status="ERROR")[:3]))
    assert failed(trees).tolist() == [True, False, True]
    found = origins(trees, np.array([True, True, True]))
    assert found.tolist() == [False, False, True]


def test_errors_that_begin_are_found_where_they_begin() -> None:
    def failing(number: int) -> list[Span]:
        trace, start = f"t{number}", float(number)
        return [
            Span(trace, "0", "", "web", "GET /", start, 1.0, status="ERROR"),
            Span(trace, "1", "0", "web", "call pay", start, 1.0, status="ERROR"),
            Span(trace, "2", "1", "pay", "charge", start, 1.0, status="500"),
        ]

    fine = [[Span(f"t{i}", "2", "", "pay", "charge", i, 1.0)] for i in range(30)]
    trees, phase = recorded(fine, [failing(100 + i) for i in range(30)])
    (found,) = failing_operations(own_errors(trees), phase)
    assert trees.spans.services[found.service] == "pay"
    assert found.rise > 0.6


def test_calls_that_nobody_answers_any_more_accuse_the_callee() -> None:
    trees, phase = recorded(
        [shop(i) for i in range(30)], [shop(100 + i, dead=True) for i in range(30)]
    )
    (found,) = unanswered_calls(silences(trees, calls(trees)), phase)
    assert trees.spans.services[found.callee] == "pay"
    assert trees.spans.operations[found.operation] == "call pay"
