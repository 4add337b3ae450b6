"""Calls between services and the graph they make."""

import math

import pytest

from aiops.analyze.traces.edges import calls
from aiops.analyze.traces.forest import forest
from aiops.analyze.traces.graph import edge_times, service_graph
from aiops.analyze.traces.visits import visits
from aiops.model.rows import Span, span_table


def request(number: int, *, network: float = 0.004, clock: float = 0.0) -> list[Span]:
    """web calls cart over a client span; ``clock`` seconds lie between the clocks of the two."""
    trace, start = f"t{number}", float(number)
    return [
        Span(trace, "1", "", "web", "GET /", start, 0.1),
        Span(trace, "2", "1", "web", "call cart", start + 0.01, 0.05 + network),
        Span(trace, "3", "2", "cart", "add", start + 0.01 + network / 2 + clock, 0.05),
    ]


def test_the_network_is_the_client_span_less_the_server_span() -> None:
    found = calls(forest(span_table(request(0, network=0.5))))
    assert found.network.tolist() == pytest.approx([0.5])
    assert found.waited.tolist() == pytest.approx([0.55])


def test_clocks_that_differ_do_not_change_the_network() -> None:
    found = calls(forest(span_table(request(0, network=0.5, clock=-3600.0))))
    assert found.network.tolist() == pytest.approx([0.5])


def test_a_span_that_works_beside_its_call_measures_no_network() -> None:
    spans = [
        Span("t", "1", "", "web", "GET /", 0.0, 1.0),
        Span("t", "2", "1", "cart", "add", 0.1, 0.2),
        Span("t", "3", "1", "web", "render", 0.5, 0.4),
    ]
    found = calls(forest(span_table(spans)))
    assert math.isnan(found.network[0])
    assert found.waited.tolist() == pytest.approx([0.2])


def test_two_server_spans_of_one_call_are_one_call() -> None:
    spans = [
        Span("t", "1", "", "web", "call cart", 0.0, 1.0),
        Span("t", "2", "1", "cart", "middleware", 0.1, 0.3),
        Span("t", "3", "1", "cart", "handler", 0.2, 0.5),
    ]
    found = calls(forest(span_table(spans)))
    assert found.network.tolist() == pytest.approx([0.4])


def test_a_visit_works_outside_its_calls_only() -> None:
    trees = forest(span_table(request(0)))
    found = visits(trees, calls(trees))
    assert found.work.tolist() == pytest.approx([0.046, 0.05])


def test_a_wrapper_beside_the_call_it_wraps_does_not_work() -> None:
    spans = [*request(0), Span("t0", "4", "1", "web", "filter", 0.005, 0.06)]
    trees = forest(span_table(spans))
    assert visits(trees, calls(trees)).work[0] == pytest.approx(0.046)


def test_a_call_without_an_answer_is_no_work() -> None:
    spans = [*request(0), *request(1)[:2]]
    trees = forest(span_table(spans))
    found = visits(trees, calls(trees))
    assert found.work.tolist() == pytest.approx([0.046, 0.05, 0.046])


def test_the_graph_counts_and_times_its_edges() -> None:
    table = span_table([one for i in range(20) for one in request(i)])
    graph = service_graph(table)
    assert [node.name for node in graph.nodes] == ["cart", "web"]
    (edge,) = edge_times(table)
    assert (edge.call.source.name, edge.call.target.name) == ("web", "cart")
    assert edge.calls == 20
    assert edge.call.weight == 20
    assert edge.latency_p50_s == pytest.approx(0.054)
    assert edge.network_p50_s == pytest.approx(0.004)


def test_a_service_that_calls_itself_makes_no_edge() -> None:
    spans = [Span("t", "1", "", "web", "a", 0, 1), Span("t", "2", "1", "web", "b", 0, 1)]
    graph = service_graph(span_table(spans))
    assert graph.calls == ()
    assert [node.name for node in graph.nodes] == ["web"]


def test_no_spans_make_an_empty_graph() -> None:
    assert service_graph(span_table([])).nodes == ()
