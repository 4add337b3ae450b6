"""Which kind of fault a service's shifts look like."""

import numpy as np
import pytest

from aiops.analyze.fault_types import MOST_CANDIDATES, candidates
from aiops.analyze.shifts import Shifts, kinds_of
from aiops.analyze.suspicion import services_of
from aiops.model import Entity, FaultType, Series


def series(*columns: str, cluster: str | None = None) -> tuple[Series, ...]:
    return tuple(
        Series(
            Entity("service", name.partition("_")[0], cluster=cluster), name.partition("_")[2], name
        )
        for name in columns
    )


def shifted(named: tuple[Series, ...], material: list[float]) -> Shifts:
    zeros = np.zeros(len(named))
    return Shifts(zeros, zeros, zeros, np.array(material), np.array(material), kinds_of(named))


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        ("cpu", FaultType.CPU),
        ("memory", FaultType.MEMORY),
        ("disk_io", FaultType.DISK),
        ("latency_p95", FaultType.LATENCY),
        ("error_ratio", FaultType.ERROR),
        ("success_rate", FaultType.ERROR),
        ("requests", FaultType.TRAFFIC),
        ("quux", FaultType.UNKNOWN),
    ],
)
def test_a_single_metric_that_moved_names_its_kind_of_fault(metric, fault):
    named = series(f"a_{metric}")
    assert candidates(shifted(named, [9.0]), services_of(named), 0) == ((fault, 1.0),)


def test_shares_sum_to_one_most_likely_first_and_at_most_three():
    named = series("a_cpu", "a_memory", "a_latency", "a_error_ratio", "a_requests")
    found = candidates(shifted(named, [9, 5, 4, 3, 2]), services_of(named), 0)
    assert found[0][0] is FaultType.CPU
    shares = [share for _, share in found]
    assert len(found) == MOST_CANDIDATES
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_the_metric_that_was_ranked_first_counts_double():
    named = series("a_cpu", "a_memory")
    shifts = shifted(named, [9, 7])
    assert candidates(shifts, services_of(named), 0)[0][0] is FaultType.CPU
    assert candidates(shifts, services_of(named), 1)[0][0] is FaultType.MEMORY


def test_only_the_services_own_metrics_count_and_not_its_namesakes_in_another_cluster():
    named = (*series("a_cpu", cluster="east"), *series("a_memory", cluster="west"), *series("b_io"))
    assert candidates(shifted(named, [5, 50, 50]), services_of(named), 0) == ((FaultType.CPU, 1.0),)


def test_where_nothing_moved_the_kind_is_unknown():
    named = series("a_cpu", "a_memory")
    assert candidates(shifted(named, [0, 0]), services_of(named), 0) == ((FaultType.UNKNOWN, 1.0),)
