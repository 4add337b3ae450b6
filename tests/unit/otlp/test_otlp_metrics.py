"""What becomes of points: gauges, sums, histograms, and whose series they are."""

import json

import pytest
from otlp_requests import (
    AT,
    JSON,
    as_json,
    attributes,
    histogram,
    metrics,
    sent_metrics,
    sent_traces,
    span,
    summed,
    values,
)

from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.model import Entity
from aiops.store.memory import MemoryTelemetry


@pytest.mark.parametrize(
    ("said", "entity"),
    [
        ({"service_name": "a"}, Entity("service", "a")),
        ({"service_name": "a", "service_namespace": "n"}, Entity("service", "a", "n")),
        (
            {"service_name": "a", "service_instance_id": "i"},
            Entity("instance", "i", service="a"),
        ),
        ({"host_name": "h"}, Entity("node", "h")),
        ({}, Entity("service", "unknown_service")),
    ],
)
def test_a_resource_is_the_most_specific_thing_that_it_names(said, entity):
    point = {"timeUnixNano": str(AT), "asInt": "3"}
    request = metrics(
        {"name": "threads", "gauge": {"dataPoints": [point]}},
        resource={"attributes": attributes(**said)},
    )
    (window,) = decode_metrics(as_json(request), JSON, accumulated=Accumulated()).windows
    assert window.metrics.series[0].entity == entity


def test_a_gauge_is_kept_with_its_unit():
    point = {"timeUnixNano": str(AT), "asDouble": 0.5}
    decoded = sent_metrics({"name": "heap.used", "unit": "By", "gauge": {"dataPoints": [point]}})
    (one,) = decoded.windows[0].metrics.series
    assert (one.metric, one.unit, one.type) == ("heap.used", "bytes", "gauge")


@pytest.mark.parametrize(
    ("said", "unit"),
    [("s", "seconds"), ("{request}", None), ("1", "ratio"), ("", None), ("furlongs", "furlongs")],
)
def test_units_are_those_the_sender_states_in_our_words(said, unit):
    point = {"timeUnixNano": str(AT), "asDouble": 0.5}
    decoded = sent_metrics({"name": "x", "unit": said, "gauge": {"dataPoints": [point]}})
    assert decoded.windows[0].metrics.series[0].unit == unit


def test_a_cumulative_sum_is_a_counter_a_delta_is_a_rate_and_one_that_may_fall_a_gauge():
    said = [
        sent_metrics(summed(2)),
        sent_metrics(summed(1)),
        sent_metrics(summed(2, monotonic=False)),
    ]
    series = [decoded.windows[0].metrics.series[0] for decoded in said]
    assert [(one.type, one.unit) for one in series] == [
        ("counter", None),
        ("gauge", "1/s"),
        ("gauge", None),
    ]
    assert [values(decoded)["jobs"] for decoded in said] == [[50.0], [5.0], [50.0]]


def test_attributes_make_series_of_their_own_that_are_called_the_same_in_every_push():
    points = [
        {"timeUnixNano": str(AT), "asInt": "1", "attributes": attributes(route=route)}
        for route in ("/a", "/b")
    ]
    metric = {"name": "open", "gauge": {"dataPoints": points}}
    first, again = sent_metrics(metric), sent_metrics(metric)
    assert set(values(first)) == {'open{route="/a"}', 'open{route="/b"}'}
    columns = [[one.column for one in d.windows[0].metrics.series] for d in (first, again)]
    assert columns[0] == columns[1]
    assert len(set(columns[0])) == 2


def test_a_call_between_services_is_the_callees_on_that_edge():
    point = {
        "timeUnixNano": str(AT),
        "asInt": "9",
        "attributes": attributes(source_workload="web", destination_service_name="cart"),
    }
    decoded = sent_metrics({"name": "requests_total", "gauge": {"dataPoints": [point]}})
    (one,) = decoded.windows[0].metrics.series
    assert one.entity == Entity("service", "cart")
    assert one.metric.startswith("edge:web:requests_total{")


def test_a_delta_histogram_becomes_quantiles_mean_and_a_rate_of_calls():
    found = values(sent_metrics(histogram(10, [0, 100, 100, 0], temporality=1)))
    assert found["http.server.request.duration_p50"] == [2.0]
    assert found["http.server.request.duration_p90"] == pytest.approx([3.6])
    assert found["http.server.request.duration_mean"] == [2.0]
    assert found["http.server.request.calls"] == [20.0]


def test_a_cumulative_histogram_tells_what_came_since_the_last_push():
    accumulated = Accumulated()
    pushes = [histogram(10, [1000, 0, 0, 0]), histogram(20, [1000, 0, 50, 0])]
    first, second = (values(sent_metrics(one, accumulated=accumulated)) for one in pushes)
    assert first == {}
    assert second["http.server.request.duration_p50"] == [3.0]
    assert second["http.server.request.calls"] == [5.0]
    assert sent_metrics(pushes[1], accumulated=accumulated).windows == ()


def test_a_process_that_starts_again_is_new_from_there():
    accumulated = Accumulated()
    sent_metrics(histogram(10, [1000, 0, 0, 0]), accumulated=accumulated)
    again = histogram(30, [0, 10, 0, 0], start=20)
    assert values(sent_metrics(again, accumulated=accumulated))["http.server.request.calls"] == [
        1.0
    ]


def test_a_point_that_says_there_is_no_value_is_none():
    point = {"timeUnixNano": str(AT), "asDouble": 1.0, "flags": 1}
    decoded = sent_metrics({"name": "x", "gauge": {"dataPoints": [point]}})
    assert (decoded.windows, decoded.rejected) == ((), 0)


@pytest.mark.parametrize(
    "metric",
    [
        {"name": "x", "gauge": {"dataPoints": [{"asInt": "1"}]}},
        {"name": "x", "gauge": {"dataPoints": [{"timeUnixNano": str(AT)}]}},
        histogram(10, [1, 2, 3], temporality=1),
        histogram(0, [1, 2, 3, 4], temporality=1),
        histogram(10, [1, 2, 3, 2**60], temporality=1),
        histogram(10, [1, 2, 3, 4], temporality=0),
    ],
)
def test_a_point_that_makes_no_sense_is_rejected_and_the_others_are_taken(metric):
    fine = {"name": "y", "gauge": {"dataPoints": [{"timeUnixNano": str(AT), "asInt": "1"}]}}
    decoded = sent_metrics(metric, fine)
    assert (decoded.taken, decoded.rejected) == (1, 1)
    assert json.loads(decoded.response)["partialSuccess"]["rejectedDataPoints"] == "1"


def test_points_of_many_times_and_series_do_not_make_one_huge_table():
    metric = {
        "name": "x",
        "gauge": {
            "dataPoints": [
                {"timeUnixNano": str(AT + i), "asInt": "1", "attributes": attributes(i=str(i))}
                for i in range(0, 2_500_000, 1000)
            ]
        },
    }
    decoded = sent_metrics(metric)
    assert decoded.taken == 2500
    assert max(window.metrics.values.size for window in decoded.windows) <= 250_000


def test_what_was_decoded_can_be_kept_and_pushed_again():
    store = MemoryTelemetry()
    decoded = [sent_traces(span()), sent_metrics(summed(2), histogram(10, [1, 1, 1, 1], 1))]
    for window in [window for one in decoded for window in (*one.windows, *one.windows)]:
        store.append(window)
    window = decoded[0].windows[0]
    assert len(store.spans(["web"], window.start, window.end).starts) == 1
