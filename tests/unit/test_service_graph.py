"""Who calls whom: from spans, from a mesh's metrics, over time, and from several sources."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.service_graph import (
    SeenCall,
    edge_metric,
    graph_of,
    joined,
    merged,
    mesh_ends,
    seen_at,
    seen_in_metrics,
    seen_in_spans,
    unfaded,
)
from aiops.model import Call, Entity, MetricTable, Series, ServiceGraph
from aiops.model.rows import Span, span_table

WEB, CART, STOCK = (Entity("service", name) for name in ("web", "cart", "stock"))


def pair(number: int, *, status: str = "") -> list[Span]:
    return [
        Span(f"t{number}", "1", "", "web", "call", float(number), 1.0, status=status),
        Span(f"t{number}", "2", "1", "cart", "serve", number + 0.1, 0.5),
    ]


def seen(source: Entity, target: Entity, calls: float = 1, at: float = 0.0) -> SeenCall:
    return SeenCall(source, target, calls, 0.0, at, at)


def test_a_span_below_another_services_is_a_call_with_its_times_and_errors():
    spans = [*pair(1), *pair(5, status="ERROR"), *pair(9)]
    assert seen_in_spans(span_table(spans)) == (SeenCall(WEB, CART, 3, 1, 1.0, 9.0),)


def test_a_consumer_below_its_producer_is_called_by_it():
    spans = [
        Span("t", "1", "", "web", "mails publish", 0.0, 0.1),
        Span("t", "2", "1", "cart", "mails process", 60.0, 1.0),
    ]
    assert seen_in_spans(span_table(spans)) == (SeenCall(WEB, CART, 1, 0, 0.0, 0.0),)


def test_no_spans_and_no_metrics_show_no_calls():
    assert seen_in_spans(span_table([])) == ()
    assert seen_in_metrics(MetricTable(np.empty(0), np.empty((0, 0)), ())) == ()


def table(*columns: tuple[str, str | None, list[float]]) -> MetricTable:
    series = tuple(Series(CART, name, name, type=kind) for name, kind, _ in columns)
    values = np.array([values for _, _, values in columns], dtype=float).T
    return MetricTable(10.0 * np.arange(len(values)), values, series)


def test_a_mesh_counts_calls_and_failures_of_an_edge():
    found = seen_in_metrics(
        table(
            ("edge:web:requests_total", "counter", [0, 100, 100, 150]),
            ("edge:web:errors_per_second", "gauge", [0, 0, 1, 0]),
            ("edge:web:latency_p50", "gauge", [1, 1, 1, 1]),
            ("requests_total", "counter", [0, 999, 999, 999]),
        )
    )
    assert found == (SeenCall(WEB, CART, 150, 10, 0.0, 30.0),)


def test_an_edge_that_is_silent_was_not_seen():
    assert seen_in_metrics(table(("edge:web:rps", "gauge", [0, 0, np.nan]))) == ()


def test_what_two_windows_saw_is_added_up_and_spans_both():
    both = merged([SeenCall(WEB, CART, 5, 1, 10, 20), SeenCall(WEB, CART, 2, 2, 0, 15)])
    assert both == (SeenCall(WEB, CART, 7, 3, 0, 20),)


def test_a_call_that_was_not_seen_for_long_fades_and_so_does_what_only_it_led_to():
    graph = graph_of([seen(WEB, CART, at=100.0), seen(WEB, STOCK, at=39.0)], ["alone"])
    left = unfaded(graph, now=160.0, after_s=120.0)
    assert [(call.source, call.target) for call in left.calls] == [(WEB, CART)]
    assert [node.name for node in left.nodes] == ["alone", "cart", "web"]


def test_a_call_of_unknown_time_does_not_fade_until_it_is_given_one():
    graph = ServiceGraph((WEB, CART), (Call(WEB, CART),))
    assert unfaded(graph, now=1e12) == graph
    assert unfaded(seen_at(graph, 5.0), now=1e12).calls == ()


def test_a_call_that_is_seen_again_is_as_young_as_its_last_time():
    old, new = (graph_of([seen(WEB, CART, at=at)]) for at in (10.0, 900.0))
    (call,) = joined([new, old]).calls
    assert call.last_seen == 900.0


def test_a_graph_weighs_calls_by_their_number_and_keeps_those_without():
    graph = graph_of([seen(WEB, CART, 7), seen(CART, STOCK, 0)], ["alone"])
    assert graph.calls == (Call(CART, STOCK, 1.0), Call(WEB, CART, 7.0))
    assert [node.name for node in graph.nodes] == ["alone", "cart", "stock", "web"]


def test_a_call_that_two_sources_know_is_one():
    first = ServiceGraph((WEB, CART), (Call(WEB, CART, 3.0),))
    second = ServiceGraph((CART, STOCK, WEB), (Call(WEB, CART, 9.0), Call(CART, STOCK)))
    together = joined([first, second])
    assert together.calls == (Call(WEB, CART, 9.0), Call(CART, STOCK))
    assert together.nodes == (WEB, CART, STOCK)


@pytest.mark.parametrize(
    ("labels", "ends"),
    [
        (
            {
                "source_workload": "web-v1",
                "source_canonical_service": "web",
                "destination_service": "cart.shop.svc.cluster.local",
            },
            (WEB, Entity("service", "cart", "shop")),
        ),
        ({"client": "web", "server": "cart"}, (WEB, CART)),
        (
            {"source.workload.name": "web", "destination.app": "cart"},
            (WEB, CART),
        ),
        ({"client": "web", "server": "unknown"}, None),
        ({"client.address": "10.0.0.1", "server.address": "cart"}, None),
        ({"source": "web"}, None),
        ({}, None),
    ],
)
def test_labels_name_caller_and_callee_or_no_edge(labels, ends):
    assert mesh_ends(labels) == ends


def test_the_name_of_an_edges_metric_is_read_back_whatever_the_names_hold():
    odd = Entity("service", "a:b")
    name = edge_metric(odd, 'requests{url="http://x"}')
    (call,) = seen_in_metrics(table((name, "gauge", [1.0, 1.0])))
    assert (call.source.name, call.calls) == ("a_b", 20)


ENTITIES = st.sampled_from([WEB, CART, STOCK])
SEEN = st.builds(
    SeenCall,
    ENTITIES,
    ENTITIES,
    *[st.integers(0, 9).map(float) for _ in range(2)],
    *[st.integers(0, 99).map(float) for _ in range(2)],
)


@given(st.lists(SEEN), st.lists(SEEN))
def test_it_does_not_matter_in_how_many_steps_calls_are_merged(first, second):
    at_once = set(merged([*first, *second]))
    assert set(merged([*merged(second), *merged(first)])) == at_once
    assert sum(one.calls for one in at_once) == sum(one.calls for one in first + second)
