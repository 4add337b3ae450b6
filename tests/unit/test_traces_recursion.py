"""Down one failing request, and what failing requests have in common."""

import numpy as np
import pytest

from aiops.analyze.traces.forest import Forest, children, forest
from aiops.analyze.traces.recursion import (
    MOST_STEPS,
    Step,
    conclusion,
    read_down,
    usual_durations,
)
from aiops.analyze.traces.suspicion import failing_requests, spectrum
from aiops.model.rows import Span, span_table


def request(number: int, *, items: int = 3, extra: float = 0.0) -> list[Span]:
    """web asks catalog for each item; catalog asks the store, which takes ``extra`` longer."""
    trace = f"t{number}"
    each = 0.03 + extra
    spans = [Span(trace, "web", "", "web", "GET /", number, 0.01 + items * each)]
    for i in range(items):
        at = number + i * each
        spans += [
            Span(trace, f"cat{i}", "web", "catalog", "item", at, 0.02 + extra),
            Span(trace, f"db{i}", f"cat{i}", "store", "read", at, 0.01 + extra),
        ]
    return spans


def names(forest: Forest, path: tuple[Step, ...]) -> list[str]:
    return [forest.spans.services[step.service] for step in path]


def followed(*requests: list[Span], past: int) -> tuple[Forest, tuple[Step, ...]]:
    """The last request, compared with the first ``past``."""
    found = forest(span_table([span for one in requests for span in one]))
    usual = usual_durations(found, found.trace < past)
    root = int(np.flatnonzero(found.parent < 0)[-1])
    return found, conclusion(read_down(found, root, usual, children(found)))


def test_the_walk_ends_where_the_time_was_lost() -> None:
    found, path = followed(*[request(i) for i in range(5)], request(9, extra=0.5), past=5)
    assert names(found, path) == ["web", "catalog", "store"]
    assert path[-1].own == pytest.approx(1.5)
    assert len(path[-1].spans) == 3


def test_siblings_of_one_operation_are_one_step() -> None:
    _, path = followed(request(0), request(9, items=40, extra=0.1), past=1)
    top = path[0]
    assert len(top.below) == 1
    assert len(top.below[0].spans) == 40


def test_a_request_as_fast_as_ever_is_not_entered() -> None:
    _, path = followed(*[request(i) for i in range(6)], past=5)
    assert len(path) == 1
    assert path[0].below == ()
    assert path[0].own == 0


def test_the_walk_takes_a_bounded_number_of_steps() -> None:
    deep = [
        Span("t", str(i), str(i - 1) if i else "", f"s{i}", "o", 0.0, 100.0 - i) for i in range(60)
    ]
    _, path = followed(request(0), deep, past=1)
    assert len(path) <= MOST_STEPS + 1


def test_slow_requests_of_their_kind_fail_and_others_do_not() -> None:
    spans = [request(i) for i in range(10)] + [request(20, extra=0.5), request(21)]
    found = forest(span_table([span for one in spans for span in one]))
    past, during = found.trace < 10, found.trace >= 10
    nothing = np.zeros(len(found.parent), dtype=np.bool_)
    failing = failing_requests(found, past, during, nothing)
    assert found.spans.trace_ids[failing].tolist() == ["t20"]


def test_an_error_below_fails_its_request() -> None:
    found = forest(span_table(request(0)))
    error = found.spans.span_ids == "db1"
    during = np.ones(len(error), dtype=np.bool_)
    failing = failing_requests(found, ~during, during, error)
    assert found.spans.span_ids[failing].tolist() == ["web"]


def test_the_service_that_only_failing_requests_visit_stands_out() -> None:
    visiting = [span for i in range(6) for span in request(i)]
    others = [Span(f"o{i}", "web", "", "web", "GET /", i, 0.01) for i in range(10)]
    found = forest(span_table([*visiting, *others]))
    during = np.ones(len(found.parent), dtype=np.bool_)
    failing = (found.parent < 0) & (found.trace < 6)
    common = spectrum(found, failing, during)
    by_name = dict(zip(found.spans.services, common.ochiai.tolist(), strict=True))
    assert by_name["store"] == pytest.approx(1)
    assert by_name["web"] == pytest.approx(6 / np.sqrt(6 * 16))
    assert (common.failing_all, common.passing_all) == (6, 10)
