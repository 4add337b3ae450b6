"""Edges measured at both ends, where there are no spans."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.analyze.traces.mesh import MeshReader
from aiops.app.evidence import resolve
from aiops.model import (
    CaseData,
    Entity,
    Episode,
    FaultType,
    MetricTable,
    Reading,
    Reference,
    Series,
    TelemetryWindow,
)

STEP, ROWS, ONSET = 60.0, 20, 12
EDGES = (("web", "cart"), ("web", "pay"), ("order", "cart"), ("order", "pay"))


def at(row: float) -> datetime:
    return datetime.fromtimestamp(row * STEP, UTC)


def table(
    delayed: str | None = None,
    *,
    delay: float = 0.5,
    unit: str | None = "seconds",
    from_row: int = ONSET,
    noise: float = 0.0005,
) -> MetricTable:
    """Latencies of each edge at its source and its destination, 4 ms and 2 ms."""
    rng = np.random.default_rng(3)
    series, columns = [], []
    for caller, callee in EDGES:
        dest = 0.002 + rng.normal(0, noise, ROWS)
        source = dest + 0.002 + rng.normal(0, noise, ROWS)
        if delayed in (caller, callee):
            source[from_row:] += delay
        for side, values in (("Source", source), ("Dest", dest)):
            metric = f"edge:{caller}:{side}LatencyP50"
            name = f"{caller}->{callee}_{side}LatencyP50"
            series.append(Series(Entity("service", callee), metric, name, unit))
            columns.append(values)
    return MetricTable(np.arange(ROWS) * STEP, np.stack(columns, axis=1), tuple(series))


def read(metrics: MetricTable, normal: MetricTable | None = None, onset: int = ONSET) -> Reading:
    reference = None if normal is None else Reference(metrics=normal)
    window = TelemetryWindow(at(0), at(ROWS), metrics=metrics, reference=reference)
    case = CaseData("c", window)
    reading = MeshReader().read(case, Episode(at(onset), at(ROWS)))
    for hypothesis in reading.hypotheses:
        for evidence in hypothesis.support:
            assert resolve(case, evidence)
    return reading


def accused(reading: Reading) -> list[str]:
    ordered = sorted(reading.hypotheses, key=lambda one: -one.strength)
    return [hypothesis.entity.name for hypothesis in ordered]


def test_a_delay_on_all_calls_into_a_service_accuses_it() -> None:
    (found,) = read(table("cart")).hypotheses
    assert found.entity == Entity("service", "cart")
    assert found.fault is FaultType.NETWORK_DELAY
    assert found.unit == "ms"
    assert found.size == pytest.approx(500, rel=0.05)
    assert {one.name for one in found.explains} == {"web", "order"}


def test_a_delay_on_all_calls_out_of_a_service_accuses_it() -> None:
    assert accused(read(table("order"))) == ["order"]


def test_without_a_unit_the_scale_is_the_typical_call() -> None:
    (found,) = read(table("cart", unit=None)).hypotheses
    assert found.unit == "typical latencies"
    assert found.size == pytest.approx(125, rel=0.1)


def test_the_scale_of_milliseconds_is_understood() -> None:
    metrics = table("pay")
    series = tuple(
        Series(one.entity, one.metric, one.column, "milliseconds") for one in metrics.series
    )
    scaled = MetricTable(metrics.times, 1e3 * metrics.values, series)
    (found,) = read(scaled).hypotheses
    assert found.entity.name == "pay"
    assert found.size == pytest.approx(500, rel=0.05)


def test_quiet_edges_accuse_nobody() -> None:
    reading = read(table())
    assert reading.hypotheses == ()
    assert not reading.missing


def test_one_odd_row_is_no_fault() -> None:
    metrics = table()
    metrics.values[ONSET + 2, 0] += 5.0
    assert read(metrics).hypotheses == ()


def test_a_window_faulty_from_its_start_is_compared_with_the_known_normal() -> None:
    faulty = table("cart", from_row=0)
    assert read(faulty).hypotheses == ()
    assert accused(read(faulty, normal=table())) == ["cart"]


@pytest.mark.parametrize("onset", [ONSET - 1, ONSET + 1])
def test_an_onset_one_row_off_changes_nothing(onset: int) -> None:
    assert accused(read(table("pay"), onset=onset)) == ["pay"]


def test_slow_destinations_are_no_network() -> None:
    metrics = table()
    metrics.values[ONSET:, :2] += 0.5  # web -> cart, both views of it
    assert read(metrics).hypotheses == ()


def test_the_order_of_the_columns_does_not_matter() -> None:
    metrics = table("cart")
    shuffled = metrics.take(np.random.default_rng(0).permutation(len(metrics.series)))
    assert read(metrics).hypotheses == read(shuffled).hypotheses


def test_metrics_without_edges_are_missing() -> None:
    series = (Series(Entity("service", "web"), "cpu", "web_cpu"),)
    plain = MetricTable(np.arange(3.0), np.zeros((3, 1)), series)
    assert read(plain).missing


def test_edges_without_samples_accuse_nobody() -> None:
    metrics = table("cart")
    metrics.values[:] = np.nan
    assert read(metrics).hypotheses == ()


def test_no_metrics_at_all_are_missing() -> None:
    case = CaseData("c", TelemetryWindow(at(0), at(1)))
    assert MeshReader().read(case, Episode(at(0), at(1))).missing
