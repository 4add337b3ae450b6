"""Symptoms explained away: by what the callees did, and by when the alert's own metric moved."""

import numpy as np
import pytest

from aiops.analyze.onset import Anomaly
from aiops.analyze.shifts import Shifts, kinds_of, measure
from aiops.analyze.symptom_paths import (
    LEAST_UNEXPLAINED,
    LOAD_UNDER_ALERT,
    OTHER_SYMPTOM,
    alert_column,
    relevance,
    unexplained,
)
from aiops.model import Call, Entity, Series, ServiceGraph, Trigger

HALF = Anomaly(50, 100, found=True)


def service(name: str, **where: str) -> Entity:
    return Entity("service", name, **where)


def series(*columns: str) -> tuple[Series, ...]:
    return tuple(
        Series(service(name.partition("_")[0]), name.partition("_")[2], name) for name in columns
    )


def graph(*calls: str) -> ServiceGraph:
    """Calls written "caller>callee"."""
    pairs = [call.split(">") for call in calls]
    nodes = dict.fromkeys(name for pair in pairs for name in pair)
    return ServiceGraph(
        tuple(service(n) for n in nodes), tuple(Call(service(a), service(b)) for a, b in pairs)
    )


def moved(named: tuple[Series, ...], by: list[float], material: float = 5.0) -> Shifts:
    zeros, signs = np.zeros(len(named)), np.sign(by)
    return Shifts(zeros, zeros, np.array(by), signs, material * signs, kinds_of(named))


LATENCIES = series("a_latency", "b_latency", "c_latency")


def test_a_caller_slow_by_no_more_than_its_callee_is_slow_because_of_it():
    share = unexplained(LATENCIES, moved(LATENCIES, [10, 10, 10]), graph("a>b", "b>c"))
    assert share.tolist() == pytest.approx([LEAST_UNEXPLAINED, LEAST_UNEXPLAINED, 1])


def test_what_the_callees_do_not_explain_stays_and_only_the_worst_callee_counts():
    share = unexplained(LATENCIES, moved(LATENCIES, [10, 4, 3]), graph("a>b", "a>c"))
    assert share.tolist() == pytest.approx([0.6, 1, 1])


def test_a_callee_that_got_faster_or_hardly_moved_explains_nothing():
    assert unexplained(LATENCIES, moved(LATENCIES, [10, -10, 0]), graph("a>b", "a>c"))[0] == 1
    small = moved(LATENCIES, [10, 10, 10], material=0.1)
    assert unexplained(LATENCIES, small, graph("a>b"))[0] == 1


def test_resources_are_never_explained_by_a_callee_nor_one_metric_by_another():
    named = series("a_cpu", "b_cpu", "a_latency", "b_error_ratio")
    share = unexplained(named, moved(named, [10, 10, 10, 10]), graph("a>b"))
    assert share.tolist() == [1, 1, 1, 1]


def test_self_calls_cycles_and_strangers_in_the_graph_are_fine():
    share = unexplained(
        LATENCIES, moved(LATENCIES, [10, 4, 0]), graph("a>a", "a>b", "b>a", "x>y", "a>x")
    )
    assert share.tolist() == pytest.approx([0.6, LEAST_UNEXPLAINED, 1])


def test_a_callees_most_shifted_instance_counts_whatever_the_order_of_columns():
    pods = tuple(
        Series(Entity("instance", f"b-{i}", service="b"), "latency", f"b-{i}_latency")
        for i in range(3)
    )
    named = (series("a_latency")[0], *pods)
    for by in ([10, 2, 8, 4], [10, 8, 4, 2]):
        share = unexplained(named, moved(named, by), graph("a>b"))
        assert share[0] == pytest.approx(0.2)


def test_a_callee_of_the_same_name_in_another_cluster_explains_nothing():
    named = tuple(
        Series(service(name, cluster=cluster), "latency", f"{cluster}/{name}")
        for name, cluster in [("a", "east"), ("b", "east"), ("b", "west")]
    )
    calls = (Call(service("a", cluster="east"), service("b", cluster="east")),)
    share = unexplained(named, moved(named, [10, 1, 10]), ServiceGraph((), calls))
    assert share[0] == pytest.approx(0.9)


def test_a_tiny_shift_under_a_huge_one_is_explained_without_a_warning():
    assert unexplained(LATENCIES, moved(LATENCIES, [1e-300, 1e99, 0]), graph("a>b"))[0] == (
        LEAST_UNEXPLAINED
    )


def test_a_namespace_or_cluster_only_one_side_states_is_no_contradiction():
    assert service("a", namespace="shop").same_service(service("a"))
    assert not service("a", namespace="shop").same_service(service("a", namespace="test"))
    assert not service("a", cluster="east").same_service(service("a", cluster="west"))
    assert Entity("instance", "a-1", service="a").same_service(service("a"))
    assert not service("a").same_service(service("a-db"))


NAMED = series("a_cpu", "a_latency_p50", "a_latency_p95", "b_latency_p95")


@pytest.mark.parametrize(
    ("name", "metric", "column"),
    [
        ("a", "latency_p95", 2),
        ("a", "a_latency_p95", 2),
        ("b", "latency_p95", 3),
        ("a", "latency", 1),
        ("a", "error_ratio", None),
        ("z", "latency_p95", None),
    ],
)
def test_the_alerted_column_is_the_named_one_else_the_first_that_begins_so(name, metric, column):
    assert alert_column(NAMED, Trigger(entity=service(name), metric=metric)) == column


def test_an_alert_without_entity_or_metric_names_no_column():
    assert alert_column(NAMED, Trigger(metric="cpu")) is None
    assert alert_column(NAMED, Trigger(entity=service("a"))) is None


def stepping(at: int, size: float = 20.0, seed: int = 0) -> np.ndarray:
    column = np.random.default_rng(seed).normal(100, 1, size=100)
    column[at:] += size
    return column


def judged(columns: list[np.ndarray], named: tuple[Series, ...]) -> np.ndarray:
    values = np.column_stack(columns)
    return relevance(values, HALF, measure(values, named, kinds_of(named), HALF), 0)


def test_what_moved_when_the_alerted_metric_moved_is_relevant_and_what_did_not_is_not():
    named = series("a_latency", "b_latency", "c_latency", "d_latency")
    calm = stepping(100, seed=3)
    found = judged(
        [stepping(50), stepping(50, size=300, seed=1), stepping(75, seed=2), calm], named
    )
    assert found[0] == pytest.approx(1)
    assert found[1] > 0.9
    assert found[1] > found[2] > 0
    assert found[3] < 0.5


def test_a_fall_at_the_same_time_is_as_relevant_as_a_rise():
    assert judged([stepping(50), stepping(50, size=-60, seed=1)], series("a_latency", "b_cpu"))[
        1
    ] == pytest.approx(1, abs=0.1)


def test_other_symptoms_and_load_count_less_than_the_alerts_own_kind():
    named = series("a_latency", "b_latency", "b_error_ratio", "b_requests", "b_cpu")
    found = judged([stepping(50)] * 5, named)
    # The level of failures is a mean, so that noise moves them by a hair less together.
    assert found.tolist() == pytest.approx([1, 1, OTHER_SYMPTOM, LOAD_UNDER_ALERT, 1], rel=1e-3)


def test_an_alerted_metric_that_did_not_move_hides_nothing():
    named = series("a_latency", "b_cpu", "b_error_ratio")
    still = stepping(100)
    found = judged([still, stepping(50, seed=1), stepping(50, seed=2)], named)
    assert found.tolist() == pytest.approx([1, 1, OTHER_SYMPTOM])
