"""Stress variants and shuffling: what changes, and what must not."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.model import (
    Call,
    CaseData,
    Entity,
    FaultType,
    LogTable,
    MetricTable,
    Series,
    ServiceGraph,
    TelemetryWindow,
    Trigger,
)
from aiops_datasets.case import Answers
from aiops_evals.blind import shuffled
from aiops_evals.stress import SHIFTS, VARIANTS, stressed, with_units

NAMES = ("a", "b", "c", "d")
METRICS = ("cpu", "mem", "lat_90")
START, ROWS, ALERT = 1_000.0, 200, 1_100.0
ANSWERS = Answers((Entity("service", "a"),), ("a_cpu",), True, None, FaultType.CPU, "cpu", "exact")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def data() -> CaseData:
    """Four services, three metrics each, 200 rows a second apart, the alert at row 100."""
    times = START + np.arange(ROWS, dtype=np.float64)
    services = {name: Entity("service", name) for name in NAMES}
    series = tuple(
        Series(services[name], metric, f"{name}_{metric}") for metric in METRICS for name in NAMES
    )
    # Each column holds its own number, so that a shuffled column can be recognised.
    values = np.tile(np.arange(len(series), dtype=np.float64), (ROWS, 1))
    logs = LogTable(
        times[:4],
        NAMES,
        np.arange(4, dtype=np.int32),
        np.array([f"line of {name}" for name in NAMES], dtype=np.object_),
    )
    graph = ServiceGraph(
        tuple(services.values()), tuple(Call(services["a"], services[n]) for n in "bcd")
    )
    window = TelemetryWindow(
        at(times[0]),
        at(times[-1]),
        metrics=MetricTable(times, values, series),
        logs=logs,
        graph=graph,
    )
    return CaseData("opaque", window, Trigger(at(ALERT)))


def table(data: CaseData | None) -> MetricTable:
    assert data is not None
    assert data.window.metrics is not None
    return data.window.metrics


def alert(data: CaseData | None) -> float:
    assert data is not None
    assert data.trigger.at is not None
    return data.trigger.at.timestamp()


def test_a_late_alert_comes_a_quarter_into_the_fault_and_moves_no_data(data: CaseData) -> None:
    late = stressed("late", data, ANSWERS, 0)
    assert alert(late) == pytest.approx(ALERT + 0.25 * (START + ROWS - 1 - ALERT))
    assert table(late) is table(data)


def test_an_early_alert_comes_sixty_percent_of_the_run_up_too_soon(data: CaseData) -> None:
    assert alert(stressed("early", data, ANSWERS, 0)) == pytest.approx(ALERT - 0.6 * 100)


def test_an_alert_moved_by_a_minute_moves_no_data(data: CaseData) -> None:
    early, late = (stressed(name, data, ANSWERS, 0) for name in SHIFTS)
    assert (alert(early), alert(late)) == (ALERT - 60, ALERT + 60)
    assert table(early) is table(data)
    assert early is not None
    assert early.window == data.window


def test_an_alert_is_not_moved_out_of_its_window(data: CaseData) -> None:
    near_the_end = replace(data, trigger=Trigger(at(START + ROWS - 1 - 60)))
    assert stressed("alert+60s", near_the_end, ANSWERS, 0) is None
    assert alert(stressed("alert-60s", near_the_end, ANSWERS, 0)) == START + ROWS - 1 - 120
    assert stressed("alert-60s", replace(data, trigger=Trigger(None)), ANSWERS, 0) is None


def test_a_short_window_has_thirty_rows_before_the_alert_and_ten_after(data: CaseData) -> None:
    short = stressed("short", data, ANSWERS, 0)
    assert table(short).times.tolist() == [ALERT + i for i in range(-30, 10)]
    assert short is not None
    assert (short.window.start, short.window.end) == (at(ALERT - 30), at(ALERT + 9))


def test_noise_adds_three_hundred_columns_over_all_services_and_keeps_the_others(
    data: CaseData,
) -> None:
    noisy = table(stressed("noise", data, ANSWERS, 0))
    assert noisy.values.shape == (ROWS, len(table(data).series) + 300)
    assert np.array_equal(noisy.values[:, : len(table(data).series)], table(data).values)
    per_service = [sum(s.entity.name == name for s in noisy.series) for name in NAMES]
    assert per_service == [3 + 75] * 4
    assert len({series.column for series in noisy.series}) == len(noisy.series)
    assert np.isfinite(noisy.values).all()


def test_noise_steps_only_before_the_alert(data: CaseData) -> None:
    steps = table(stressed("noise", data, ANSWERS, 0)).values[:, -100:]
    scaled = np.diff(steps, axis=0) / steps.std(axis=0)
    # Each of the last hundred columns jumps once; after the alert nothing jumps like that.
    assert (np.abs(np.diff(steps, axis=0)).argmax(axis=0) < 100).mean() > 0.9
    assert np.abs(scaled[101:]).max() < np.abs(scaled[:99]).max(axis=0).max()


def test_a_slow_scrape_keeps_every_tenth_row(data: CaseData) -> None:
    assert table(stressed("slow", data, ANSWERS, 0)).times.tolist() == list(
        np.arange(START, START + ROWS, 10)
    )


def test_gaps_are_fifteen_percent_of_the_cells(data: CaseData) -> None:
    gaps = table(stressed("gaps", data, ANSWERS, 0))
    missing = np.isnan(gaps.values)
    assert missing.mean() == pytest.approx(0.15, abs=0.02)
    assert np.array_equal(gaps.values[~missing], table(data).values[~missing])


def test_without_the_culprit_only_its_column_is_gone(data: CaseData) -> None:
    left = [series.column for series in table(stressed("no-culprit", data, ANSWERS, 0)).series]
    assert left == [s.column for s in table(data).series if s.column != "a_cpu"]


def test_without_a_metric_answer_there_is_no_culprit_to_remove(data: CaseData) -> None:
    service_only = Answers(
        ANSWERS.entities, ("a_cpu", "a_mem"), False, None, FaultType.CPU, "cpu", "exact"
    )
    assert stressed("no-culprit", data, service_only, 0) is None


def test_wrong_units_are_the_true_ones_on_other_series(data: CaseData) -> None:
    known = with_units(data, {"cpu": "percent", "mem": "bytes", "lat": "seconds"})
    true = [series.unit for series in table(known).series]
    assert true == ["percent"] * 4 + ["bytes"] * 4 + ["seconds"] * 4
    wrong = table(stressed("wrong-units", known, ANSWERS, 0))
    units = [series.unit for series in wrong.series]
    assert sorted(map(str, units)) == sorted(map(str, true))
    assert units != true
    assert [s.column for s in wrong.series] == [s.column for s in table(data).series]


def test_without_units_there_are_none_to_permute(data: CaseData) -> None:
    assert stressed("wrong-units", data, ANSWERS, 0) is None


def test_units_from_metadata_are_not_overwritten(data: CaseData) -> None:
    known = with_units(data, {"cpu": "percent"})
    assert with_units(known, {"cpu": "cores"}) is known


def test_a_case_without_an_alert_time_cannot_have_it_moved(data: CaseData) -> None:
    silent = CaseData(data.id, data.window)
    assert [stressed(name, silent, ANSWERS, 0) for name in ("late", "early", "short")] == [None] * 3


@pytest.mark.parametrize("name", sorted(VARIANTS))
def test_a_variant_is_a_pure_function_of_the_case_and_the_seed(data: CaseData, name: str) -> None:
    known = with_units(data, {"cpu": "percent", "mem": "bytes"})
    before = table(known).values.copy()
    first, again = (stressed(name, known, ANSWERS, 7) for _ in range(2))
    assert np.array_equal(table(known).values, before)
    assert np.array_equal(table(first).values, table(again).values, equal_nan=True)
    assert table(first).series == table(again).series


def test_another_seed_makes_other_noise(data: CaseData) -> None:
    first, other = (table(stressed("noise", data, ANSWERS, seed)).values for seed in (0, 1))
    assert not np.array_equal(first, other)


def test_shuffling_reorders_candidates_and_keeps_what_each_says(data: CaseData) -> None:
    mixed = shuffled(data, 0)
    columns = [series.column for series in table(mixed).series]
    original = [series.column for series in table(data).series]
    assert columns != original
    assert sorted(columns) == sorted(original)
    for i, column in enumerate(columns):
        assert table(mixed).values[0, i] == original.index(column)


def test_shuffled_log_lines_still_belong_to_their_services(data: CaseData) -> None:
    for seed in range(4):
        logs = shuffled(data, seed).window.logs
        assert logs is not None
        named = [logs.services[i] for i in logs.service_of]
        assert [f"line of {name}" for name in named] == logs.messages.tolist()


def test_a_shuffled_graph_has_the_same_nodes_and_calls(data: CaseData) -> None:
    before, after = data.window.graph, shuffled(data, 3).window.graph
    assert before is not None
    assert after is not None
    assert set(after.nodes) == set(before.nodes)
    assert set(after.calls) == set(before.calls)


def test_the_order_depends_on_the_seed_alone(data: CaseData) -> None:
    def order(seed: int) -> list[str]:
        return [series.column for series in table(shuffled(data, seed)).series]

    assert order(1) == order(1)
    assert order(1) != order(2)
