"""Units are believed where stated and possible, and never guessed."""

import pytest

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.units import least_of_interest, trusted_units, unit_of
from aiops.model import Entity, Series


def series(metric: str, unit: str | None = None, name: str = "a") -> Series:
    return Series(Entity("service", name), metric, f"{name}_{metric}", unit)


@pytest.mark.parametrize(
    ("metric", "unit", "symbol"),
    [
        ("memory", "bytes", "B"),
        ("memory", "MiB", "MiB"),
        ("MemoryUsage(Mi)", None, "MiB"),
        ("cpu", "percent", "%"),
        ("CpuUsage(m)", None, "mCPU"),
        ("cpu", "cores", "cores"),
        ("latency_p95", "seconds", "s"),
        ("request_duration_seconds", None, "s"),
        ("container_memory_working_set_bytes", None, "B"),
    ],
)
def test_metadata_and_the_end_of_a_name_state_a_unit(metric, unit, symbol):
    found = unit_of(series(metric, unit))
    assert found is not None
    assert found.symbol == symbol


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("cpu", "bytes"),  # no cpu is measured in bytes
        ("memory", "seconds"),
        ("latency_p95", "percent"),
        ("memory", None),
        ("cpu_s", None),  # too short an ending to mean anything
        ("quux", "bytes"),
        ("memory", "furlongs"),
        ("memory", ""),
    ],
)
def test_a_unit_that_is_absent_unknown_or_impossible_is_none(metric, unit):
    assert unit_of(series(metric, unit)) is None


def test_metadata_that_says_nothing_we_know_is_not_overruled_by_the_name():
    assert unit_of(series("memory_bytes", "furlongs")) is None


def test_a_metric_whose_series_disagree_has_no_unit_at_all():
    columns = [series("memory", "bytes"), series("memory", "MiB", "b"), series("cpu", "cores")]
    trusted = trusted_units(columns)
    assert trusted[:2] == (None, None)
    assert trusted[2] is not None
    assert trusted_units([series("memory", "bytes"), series("memory", None, "b")]) == (None, None)


def test_the_least_shift_of_interest_is_in_the_units_own_size():
    in_bytes, in_mib = unit_of(series("memory", "bytes")), unit_of(series("memory", "MiB"))
    assert least_of_interest(MetricKind.MEMORY, in_bytes) == 16 * 2**20
    assert least_of_interest(MetricKind.MEMORY, in_mib) == 16
    assert least_of_interest(MetricKind.CPU, unit_of(series("cpu", "%"))) == pytest.approx(2)
    assert least_of_interest(MetricKind.LATENCY, unit_of(series("lat", "ms"))) == pytest.approx(5)


def test_nothing_known_means_no_floor():
    assert least_of_interest(MetricKind.MEMORY, None) == 0
    assert least_of_interest(MetricKind.LOAD, unit_of(series("qps", "1/s"))) == 0
