"""From evidence back to the telemetry it was read from."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.app.evidence import EvidenceLost, resolve
from aiops.model import (
    AlertSignal,
    CaseData,
    Entity,
    Evidence,
    LogTable,
    MetricTable,
    RecordedOutput,
    Series,
    SpanTable,
    TelemetryWindow,
    Window,
)
from aiops.model.ranking import EvidenceKind

API = Entity("service", "api")


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def series(column: str) -> Series:
    return Series(API, column.removeprefix("api_"), column)


def strings(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


CASE = CaseData(
    id="c1",
    window=TelemetryWindow(
        start=at(0),
        end=at(3),
        metrics=MetricTable(
            np.array([0.0, 1.0, 2.0, 3.0]),
            np.array([[1, 5, np.nan], [2, 6, np.nan], [3, 7, np.nan], [4, 8, 1.0]]),
            (series("api_cpu"), series("a -> b, latency"), series("api_late")),
            source="metrics.csv",
        ),
        logs=LogTable(
            np.array([0.0, 1.0, np.nan]),
            ("api", "db"),
            np.array([0, 1, 0], dtype=np.int32),
            strings("took 12 ms (GET /a)", "took 9 ms  (GET /b)", "panic: [nil]"),
            source="logs.csv",
        ),
        spans=SpanTable(
            strings("t1", "t2"),
            strings("s1", "s2"),
            strings("", "s1"),
            ("api",),
            np.array([0, 0], dtype=np.int32),
            ("GET /a", "GET /b"),
            np.array([0, 1], dtype=np.int32),
            np.array([0.5, 2.5]),
            np.array([0.1, 0.2]),
            source="traces.csv",
        ),
        alerts=(AlertSignal("metric", API, "cpu", "up"),),
        cluster_state=(RecordedOutput("kubectl get pods", "api 0/1 CrashLoopBackOff"),),
    ),
)


def evidence(
    kind: EvidenceKind, source: str, ref: str, start: float = 0, end: float = 3
) -> Evidence:
    return Evidence("E1", kind, "A claim.", source, Window(at(start), at(end)), ref)


def test_a_metric_is_cut_to_its_column_and_its_closed_window() -> None:
    found = resolve(CASE, evidence("metric", "metrics.csv", "api_cpu", 1, 2))
    assert isinstance(found, MetricTable)
    assert found.times.tolist() == [1.0, 2.0]
    assert found.values.tolist() == [[2.0], [3.0]]


def test_a_column_whose_name_holds_an_arrow_and_a_comma_is_one_column() -> None:
    found = resolve(CASE, evidence("metric", "metrics.csv", "a -> b, latency"))
    assert isinstance(found, MetricTable)
    assert [each.column for each in found.series] == ["a -> b, latency"]


def test_an_edge_names_two_columns() -> None:
    found = resolve(CASE, evidence("metric", "metrics.csv", "api_cpu -> api_late"))
    assert isinstance(found, MetricTable)
    assert [each.column for each in found.series] == ["api_cpu", "api_late"]


@pytest.mark.parametrize(
    ("ref", "times"),
    [
        ("took <*> ms (GET <*>)", [0.0, 1.0]),
        ("db", [1.0]),
        ("/b", [1.0]),
        ("", [0.0, 1.0]),
    ],
)
def test_a_log_is_found_by_template_service_or_part_of_the_message(
    ref: str, times: list[float]
) -> None:
    found = resolve(CASE, evidence("log", "logs.csv", ref))
    assert isinstance(found, LogTable)
    assert [each for each in found.times.tolist() if not np.isnan(each)] == times


def test_brackets_in_a_log_are_letters_and_a_line_without_a_time_is_kept() -> None:
    found = resolve(CASE, evidence("log", "logs.csv", "panic: [nil]"))
    assert isinstance(found, LogTable)
    assert found.messages.tolist() == ["panic: [nil]"]


@pytest.mark.parametrize("ref", ["t2", "s2", "GET /b"])
def test_a_span_is_found_by_trace_span_or_operation(ref: str) -> None:
    found = resolve(CASE, evidence("trace", "traces.csv", ref))
    assert isinstance(found, SpanTable)
    assert found.durations.tolist() == [0.2]


def test_a_recorded_read_out_is_found_by_its_call_and_an_alert_by_its_name() -> None:
    state = resolve(CASE, evidence("state", "cluster", "kubectl get pods"))
    assert state == CASE.window.cluster_state
    assert resolve(CASE, evidence("event", "alerts", "cpu")) == CASE.window.alerts


@pytest.mark.parametrize(
    "lost",
    [
        evidence("metric", "metrics.csv", "no_such_column"),
        evidence("metric", "another.csv", "api_cpu"),
        evidence("metric", "metrics.csv", "api_late", 0, 2),
        evidence("metric", "metrics.csv", "api_cpu", 10, 20),
        evidence("log", "logs.csv", "out of memory"),
        evidence("trace", "traces.csv", "t1", 2, 3),
        evidence("tool", "tools", "kubectl top"),
    ],
)
def test_evidence_that_points_at_nothing_is_refused_and_named(lost: Evidence) -> None:
    with pytest.raises(EvidenceLost, match="E1") as caught:
        resolve(CASE, lost)
    assert lost.ref in str(caught.value)
