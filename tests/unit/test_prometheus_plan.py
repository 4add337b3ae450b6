"""What a Prometheus is asked for, from the series it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.metric_kinds import MetricKind, read
from aiops.ingest.prometheus.answers import Grid
from aiops.ingest.prometheus.api import Metadata
from aiops.ingest.prometheus.plan import Plan, plan, searches
from aiops.ingest.prometheus.queries import FAILURES, errors_of
from aiops.ingest.service_labels import pattern, place, selects, service_of

POD = "cart-6f7d8c9b5d-x2k4z"


def planned(*found: dict[str, str], services: list[str] | None = None, **more: object) -> Plan:
    metadata = more.pop("metadata", {})
    assert isinstance(metadata, dict)
    return plan(found, metadata, services, window_s=60, **({"most_columns": 100} | more))


def series(name: str, **labels: str) -> dict[str, str]:
    return {"__name__": name, **labels}


def asked(*found: dict[str, str], services: list[str] | None = None, **more: object) -> list[str]:
    return [one.expression for one in planned(*found, services=services, **more).queries]


@pytest.mark.parametrize(
    ("pod", "service"),
    [
        (POD, "cart"),
        ("cart-db-0", "cart-db"),
        ("log-agent-x7k2p", "log-agent"),
        ("cart-redis", "cart-redis"),
        ("cart", "cart"),
        ("a-b-c-5b8f7c6d9-zzzzz", "a-b-c"),
    ],
)
def test_a_pod_belongs_to_what_its_name_begins_with(pod, service):
    assert service_of("pod", pod) == service


def test_names_are_strict_a_database_is_not_its_service():
    import re

    wanted = pattern("pod", ["cart"])
    assert re.fullmatch(wanted, POD)
    assert not re.fullmatch(wanted, "cart-db-0")
    assert not re.fullmatch(wanted, "cart-db-6f7d8c9b5d-x2k4z")


names = st.sampled_from(["cart", "cart-db", "web", POD, "cart-0", "ns/web", "c.rt", ""])
label_sets = st.dictionaries(st.sampled_from(["service", "app", "pod", "job"]), names)


@given(label_sets, st.none() | st.sets(st.sampled_from(["cart", "web", "c.rt"]), min_size=1))
def test_matchers_pick_exactly_what_is_placed_at_their_label(labels, services):
    import re

    order = ("service", "app", "pod", "job")

    def matches(matcher: str) -> bool:
        found = re.fullmatch(r'(\w+)(=|!=|=~|!~)"(.*)"', matcher)
        assert found
        value, text = labels.get(found[1], ""), found[3].replace("\\\\", "\\")
        match found[2]:
            case "=":
                return value == text
            case "!=":
                return value != text
            case "=~":
                return re.fullmatch(text, value) is not None
        return re.fullmatch(text, value) is None

    placed = place(labels, order, services)
    picked = [label for label in order if all(map(matches, selects(label, services, order)))]
    assert picked == ([placed[0]] if placed else [])


def test_a_counter_is_a_rate_of_each_service_split_by_how_requests_ended():
    (query,) = planned(series("hits_total", service="cart", code="200", path="/a")).queries
    assert query.expression == (
        'sum by (service, code) (rate(hits_total{service_name="",service!=""}[60000ms]))'
    )
    assert query.is_rate


def test_only_the_matching_label_is_asked_for_even_where_another_says_more():
    (expression,) = asked(series("queue", service="web", app="cart"), services=["cart"])
    assert 'service!~"cart"' in expression
    assert 'app=~"cart"' in expression


def test_types_come_from_metadata_before_names():
    (expression,) = asked(series("odd", app="a"), metadata={"odd": Metadata("counter", "")})
    assert "rate(" in expression
    (expression,) = asked(
        series("odd_total", app="a"), metadata={"odd_total": Metadata("gauge", "")}
    )
    assert "rate(" not in expression


def test_without_metadata_names_tell_counters_histograms_and_summaries():
    queries = planned(
        series("x_seconds_count", app="a"),
        series("x_seconds_sum", app="a"),
        series("y_seconds", app="a", quantile="0.5"),
        series("y_seconds_count", app="a"),
        series("y_seconds_sum", app="a"),
    ).queries
    assert sorted(one.metric for one in queries) == [
        "x_ops",
        "x_seconds_p50",
        "x_seconds_p90",
        "x_seconds_p99",
        "y_ops",
        "y_seconds_mean",
        "y_seconds_p{}",
    ]


def test_native_histograms_have_quantiles_without_buckets():
    metadata = {"x_seconds": Metadata("histogram", "seconds")}
    expressions = asked(series("x_seconds", app="a"), metadata=metadata)
    assert len(expressions) == 4
    assert not any("_bucket" in one or " le" in one for one in expressions)


def test_containers_are_about_their_pods_and_not_about_who_scrapes_them():
    found = series(
        "container_cpu_usage_seconds_total", service="kubelet", pod=POD, container="main"
    )
    plan_ = planned(found)
    (query,) = plan_.queries
    assert 'container!~"|POD"' in query.expression
    assert query.service_label == "aiops_service"
    assert query.unit == "cores"
    assert planned(found, services=["kubelet"]).queries == ()
    assert len(planned(found, services=["cart"]).queries) == 1


def test_nodes_are_nodes_and_idle_time_is_no_work():
    (query,) = planned(
        series("node_cpu_seconds_total", instance="10.0.0.1:9100", mode="idle", job="node")
    ).queries
    assert query.about == "node"
    assert 'mode!~"idle|iowait"' in query.expression
    found = series("node_load1", instance="10.0.0.1:9100", job="node")
    assert planned(found, services=["node"]).queries == ()


def test_series_of_nobody_are_not_asked_for():
    assert planned(series("x"), series("y", region="north")).queries == ()


def test_over_the_cap_metrics_of_no_known_kind_are_left_out_and_named():
    found = [series(name, app="a") for name in ("aaa", "bbb", "cpu_cores", "heap_bytes")]
    made = planned(*found, most_columns=2)
    assert [one.metric for one in made.queries] == ["cpu_cores", "heap_bytes"]
    (note,) = made.notes
    assert note.startswith("2 metrics were not read, to keep to 2 series: aaa, bbb;")
    assert "'max_series'" in note


def test_names_of_services_cannot_break_out_of_a_query():
    evil = 'a"} or vector(1) or {b="'
    for matcher in searches([evil]):
        assert matcher.count('"') - matcher.count('\\"') == 4


@pytest.mark.parametrize(
    ("metric", "kind"),
    [("http_requests_errors_total", MetricKind.ERRORS), ("http_server_ops", MetricKind.LOAD)],
)
def test_names_that_are_made_here_are_understood_by_the_analyzers(metric, kind):
    assert read(metric).kind is kind


def test_failures_are_what_the_service_is_to_blame_for():
    assert errors_of("hits_total") == "hits_errors_total"
    assert all(map(FAILURES.fullmatch, ["500", "5xx", "error", "Unavailable", "DeadlineExceeded"]))
    assert not any(map(FAILURES.fullmatch, ["200", "404", "4xx", "OK", "success", "0", "NotFound"]))


@given(st.floats(0, 1e5), st.floats(0.1, 1e4), st.sampled_from([1.0, 5.0, 15.0, 60.0]))
def test_windows_that_overlap_ask_for_the_same_points(start, length, step):
    grid = Grid.over(start, start + length, step)
    assert grid.start >= start - 1e-6
    if grid.rows > 1:
        assert grid.start % step == 0
        assert grid.end < start + length
        assert grid.end + step >= start + length - 1e-6
    assert [p for part in grid.parts(7) for p in part.times.tolist()] == grid.times.tolist()
