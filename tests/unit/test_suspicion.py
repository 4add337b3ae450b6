"""From shifts to suspicion, rule by rule."""

import numpy as np
import pytest

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.shifts import Shifts, kinds_of
from aiops.analyze.suspicion import (
    CAUSE_WEIGHT,
    CORROBORATION,
    SECOND_HAND,
    SURPRISE_SHARE,
    corroborated,
    memory_first,
    services_of,
    strengths,
    upward,
    weights,
)
from aiops.model import Entity, Series


def series(*columns: str) -> tuple[Series, ...]:
    return tuple(
        Series(Entity("service", name.partition("_")[0]), name.partition("_")[2], name)
        for name in columns
    )


def shifted(named: tuple[Series, ...], material: list[float], surprise: list[float]) -> Shifts:
    zeros = np.zeros(len(named))
    kinds = kinds_of(named)
    return Shifts(zeros, zeros, zeros, np.array(surprise), np.array(material), kinds)


def test_every_kind_has_a_weight_and_resources_accuse_more_than_symptoms_than_load():
    assert set(CAUSE_WEIGHT) == set(MetricKind)
    named = series("a_cpu", "a_latency", "a_requests")
    resource, symptom, load = weights(named, kinds_of(named))
    assert resource > symptom > load > 0


def test_a_probe_without_resources_among_services_with_them_only_watches_others():
    named = series("a_cpu", "a_latency", "b_cpu", "b_latency", "probe_latency")
    _, own, _, _, watched = weights(named, kinds_of(named))
    assert watched == pytest.approx(SECOND_HAND * own)


def test_where_hardly_anything_reports_resources_nobody_is_a_mere_observer():
    named = series("a_cpu", "a_latency", "b_latency", "c_latency")
    _, *symptoms = weights(named, kinds_of(named))
    assert len(set(symptoms)) == 1


def test_what_was_seen_from_elsewhere_accuses_less():
    named = series("a_latency", "a_ClientLatency", "a_NodeCpuUsage", "a_cpu")
    own, client, node, cpu = weights(named, kinds_of(named))
    assert client == pytest.approx(SECOND_HAND * own)
    assert node == pytest.approx(SECOND_HAND * cpu)
    vertex = (Series(Entity("component", "10.0.0.1_remote"), "latency", "x"),)
    assert weights(vertex, kinds_of(vertex))[0] == pytest.approx(SECOND_HAND * own)


def test_up_is_bad_a_fall_a_little_and_traffic_both_ways():
    kinds = kinds_of(series("a_cpu", "b_cpu", "c_requests", "d_net_in"))
    bad = upward(np.array([10.0, -10, -10, -10]), kinds)
    assert bad.tolist() == [10, 2, 10, 10]


def test_the_scale_free_score_counts_in_full_only_where_nothing_moved_materially():
    named = series("a_cpu", "b_cpu")
    one = np.ones(2)
    quiet = strengths(shifted(named, [1, 1], [50, 1]), one)
    loud = strengths(shifted(named, [1, 100], [50, 1]), one)
    assert quiet[0] == pytest.approx(np.log1p(1) + np.log1p(50))
    assert loud[0] == pytest.approx(np.log1p(1) + SURPRISE_SHARE * np.log1p(50))
    without = strengths(shifted(named, [1, 1], [50, 1]), one, scale_free=False)
    assert without[0] == pytest.approx(np.log1p(1))


def test_a_services_resource_and_symptom_back_each_other_and_nobody_elses():
    named = series("a_cpu", "a_latency", "b_cpu", "c_latency")
    score = np.array([4.0, 2, 4, 3])
    backed = corroborated(score, kinds_of(named), services_of(named))
    assert backed.tolist() == pytest.approx([4 + CORROBORATION * 2, 2 + CORROBORATION * 2, 4, 3])
    assert score.tolist() == [4, 2, 4, 3]


def test_a_symptom_lifts_no_resource_by_more_than_it_has_of_its_own():
    named = series("a_cpu", "a_memory", "a_latency")
    backed = corroborated(np.array([4.0, 1, 2]), kinds_of(named), services_of(named))
    assert backed[1] == pytest.approx(1 + CORROBORATION * 1)


def test_a_material_rise_of_memory_stands_before_the_cpu_it_explains():
    named = series("a_cpu", "a_memory", "b_cpu")
    shifts = shifted(named, [50, 5, 40], [0, 0, 0])
    raised = memory_first(np.array([4.0, 2, 3.9]), shifts, services_of(named))
    assert np.argsort(-raised).tolist() == [1, 0, 2]


@pytest.mark.parametrize("material", [0.5, -50])
def test_memory_that_hardly_rose_or_fell_explains_no_cpu(material):
    named = series("a_cpu", "a_memory")
    shifts = shifted(named, [50, material], [0, 0])
    assert memory_first(np.array([4.0, 2]), shifts, services_of(named)).tolist() == [4, 2]


def test_memory_explains_the_cpu_of_its_own_service_only():
    named = series("a_cpu", "b_memory")
    shifts = shifted(named, [50, 20], [0, 0])
    assert memory_first(np.array([4.0, 2]), shifts, services_of(named)).tolist() == [4, 2]


def test_pods_of_one_service_are_one_and_equal_names_in_two_clusters_are_two():
    def cpu(**where: str) -> Series:
        return Series(Entity("instance", where.pop("name", "a"), **where), "cpu", "c")

    numbers = services_of(
        [
            cpu(name="a-1", service="a", cluster="east"),
            cpu(name="a-2", service="a", cluster="east"),
            cpu(name="a-1", service="a", cluster="west"),
            cpu(name="a-1", service="a", cluster="west", namespace="test"),
        ]
    )
    assert numbers[0] == numbers[1]
    assert len(set(numbers.tolist())) == 3
