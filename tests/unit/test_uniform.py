"""The uniform layout: what a folder holds becomes a case, what it does not hold is said."""

import csv
import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiops.errors import InvalidData, UnknownName
from aiops.model import CaseData, Entity, FaultType
from aiops.ports.cases import CaseHints
from aiops_datasets import public
from aiops_datasets.answers import read_answers
from aiops_datasets.uniform import UniformLayout

T0 = 1_700_000_000
FACTS = {"dataset": "shop", "inject_time": T0 + 5, "fault_type": "cpu", "root_cause_service": "a"}
METRICS = [["time", "a_cpu", "b_cpu"], *([T0 + i, i, 2] for i in range(10))]


def table(path: Path, rows: Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    opening = gzip.open if path.suffix == ".gz" else open
    with opening(path, "wt", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)


def folder(
    root: Path, facts: dict[str, Any] | None = FACTS, metrics: Sequence[Any] = METRICS
) -> Path:
    case = root / "shop" / "a_cpu_1"
    case.mkdir(parents=True)
    if facts is not None:
        (case / "case.json").write_text(json.dumps(facts))
    if metrics:
        table(case / "metrics.csv.gz", metrics)
    return case


def load(case: Path, hints: CaseHints = CaseHints()) -> CaseData:  # noqa: B008  frozen
    layout = UniformLayout(public.within)
    (location,) = layout.locate(case)
    return layout.load(location, hints)


def test_metrics_and_alert_become_a_case_with_an_opaque_id(tmp_path: Path) -> None:
    data = load(folder(tmp_path))
    assert data.window.metrics is not None
    assert data.window.metrics.values.shape == (10, 2)
    assert data.trigger.at == datetime.fromtimestamp(T0 + 5, UTC)
    assert (data.window.start, data.window.end) == (
        datetime.fromtimestamp(T0, UTC),
        datetime.fromtimestamp(T0 + 9, UTC),
    )
    assert data.id.startswith("c")
    assert not any(word in repr(data) for word in ("a_cpu_1", "root_cause", "fault"))


def test_the_same_case_has_the_same_id_from_its_folder_and_from_its_dataset(tmp_path: Path) -> None:
    case = folder(tmp_path)
    layout = UniformLayout(public.within)
    assert list(layout.locate(case)) == list(layout.locate(case.parent))


def test_an_alert_outside_the_window_is_refused(tmp_path: Path) -> None:
    case = folder(tmp_path, FACTS | {"inject_time": T0 + 500})
    with pytest.raises(InvalidData, match=r"case.json: the alert time .* outside the window"):
        load(case)


@pytest.mark.parametrize(("value", "said"), [(0, "alert time is 0"), (None, "no alert time")])
def test_an_alert_time_of_zero_or_none_is_accepted_and_said(
    tmp_path: Path, value: float | None, said: str
) -> None:
    data = load(folder(tmp_path, FACTS | {"inject_time": value}))
    assert data.trigger.at is None
    assert any(said in note for note in data.notes)


def test_on_a_relative_clock_zero_is_a_time_and_the_missing_baseline_is_said(
    tmp_path: Path,
) -> None:
    rows = [["time", "a_cpu"], *([5 * i, i] for i in range(10))]
    data = load(folder(tmp_path, FACTS | {"inject_time": 0}, rows))
    assert data.window.relative
    assert data.trigger.at == datetime.fromtimestamp(0, UTC)
    assert any("no baseline" in note for note in data.notes)
    assert any("time is relative" in note for note in data.notes)


def test_a_folder_without_case_json_is_read_with_hints(tmp_path: Path) -> None:
    case = folder(tmp_path, None)
    table(tmp_path / "calls.csv", [["source", "target"], ["a", "b"]])
    hints = CaseHints(inject_time=T0 + 3, graph=tmp_path / "calls.csv", trigger="b:cpu")
    data = load(case, hints)
    assert data.trigger.at == datetime.fromtimestamp(T0 + 3, UTC)
    assert (data.trigger.entity, data.trigger.metric) == (Entity("service", "b"), "cpu")
    assert data.window.graph is not None
    assert [(c.source.name, c.target.name) for c in data.window.graph.calls] == [("a", "b")]


def test_a_hinted_alert_time_may_be_in_the_unit_of_the_time_column(tmp_path: Path) -> None:
    rows = [["ts", "a_cpu"], *([(T0 + i) * 1000, i] for i in range(10))]
    case = folder(tmp_path, None, rows)
    for value in (T0 + 4, (T0 + 4) * 1000):
        data = load(case, CaseHints(inject_time=value))
        assert data.trigger.at == datetime.fromtimestamp(T0 + 4, UTC)


def test_without_case_json_and_hints_the_alert_is_absent_and_said(tmp_path: Path) -> None:
    data = load(folder(tmp_path, None))
    assert data.trigger.at is None
    assert any("no alert time" in note for note in data.notes)


def test_a_hinted_trigger_that_is_not_in_the_data_names_what_is(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="choose from: a, b"):
        load(folder(tmp_path), CaseHints(trigger="z"))


def test_metrics_without_services_are_refused(tmp_path: Path) -> None:
    rows = [["time", "cpu", "memory"], [T0, 1, 2], [T0 + 9, 1, 2]]
    with pytest.raises(InvalidData, match="names no services"):
        load(folder(tmp_path, FACTS, rows))


def test_a_folder_without_telemetry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="holds no telemetry"):
        load(folder(tmp_path, FACTS | {"inject_time": None}, []))


def test_a_link_that_leads_out_of_the_case_folder_is_refused(tmp_path: Path) -> None:
    case = folder(tmp_path)
    table(tmp_path / "elsewhere.csv", [["time_ns", "service", "message"]])
    (case / "logs.csv").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(InvalidData, match=r"logs.csv: leads out of its folder"):
        load(case)


def test_logs_and_spans_are_read_with_their_times_in_seconds(tmp_path: Path) -> None:
    case = folder(tmp_path)
    table(
        case / "logs.csv.gz",
        [
            ["time_ns", "service", "pod", "trace_id", "span_id", "message"],
            [(T0 + 1) * 10**9, "a", "a-0", "t", "s", "hello\nworld"],
            [-(2**62), "b", "b-0", "", "", "a damaged stamp"],
            ["", "b", "b-0", "", "", "no stamp"],
        ],
    )
    table(
        case / "traces.csv.gz",
        [
            ["trace_id", "span_id", "parent_id", "service", "operation", "start_ns", "duration_us"],
            ["t", "s", "root", "a", "GET", (T0 + 1) * 10**9, 2500],
            ["t", "s2", "s", "b", "SELECT", (T0 + 1) * 10**9, 1500],
        ],
    )
    window = load(case).window
    assert window.logs is not None
    assert window.spans is not None
    assert window.logs.times[0] == pytest.approx(T0 + 1, abs=1e-3)
    assert np.isnan(window.logs.times[1:]).all()
    assert window.logs.messages[0] == "hello\nworld"
    assert [window.logs.services[i] for i in window.logs.service_of] == ["a", "b", "b"]
    assert window.spans.durations.tolist() == [0.0025, 0.0015]
    assert window.spans.parent_ids.tolist() == ["", "s"]


def test_log_lines_without_times_are_kept(tmp_path: Path) -> None:
    case = folder(tmp_path)
    table(case / "logs.csv.gz", [["service", "seq", "line"], ["a", 0, "x"], ["a", 1, "y"]])
    logs = load(case).window.logs
    assert logs is not None
    assert logs.messages.tolist() == ["x", "y"]
    assert np.isnan(logs.times).all()


def test_a_snapshot_case_has_state_tools_and_alerts_and_its_own_moment(tmp_path: Path) -> None:
    facts = {
        "dataset": "k8s",
        "inject_time": None,
        "namespace": "shop",
        "query": "it is slow",
        "collection_timestamp": "2025-01-01T10:00:00",
    }
    case = folder(tmp_path, facts, [])
    with gzip.open(case / "k8s_states.json.gz", "wt") as out:
        json.dump({"kubectl get nodes": "NAME STATUS\nbox1 Ready\n"}, out)
    with gzip.open(case / "tool_cache.json.gz", "wt") as out:
        json.dump({"GetPods:{}": "none", "GetMap:{}": {"a": ["b"]}}, out)
    alerts = [
        {"type": "Service", "name": "a", "evidence": ["RPS_DROP | 9 -> 1", "SLOW | 1 -> 9"]},
        {"type": "Node", "name": "box1", "evidence": ["CPU | 1 -> 9"]},
        {"entry_service": "b", "request_method": "GET", "url": "/x", "raw_error": "500"},
        {"entry_service": "Unknown service", "raw_error": "500"},
    ]
    (case / "alerts.json").write_text(json.dumps({"alerts": alerts}))
    data = load(case)
    assert data.window.start == data.window.end == datetime(2025, 1, 1, 10, tzinfo=UTC)
    assert data.trigger.statement == "it is slow"
    assert [(a.modality, a.entity.kind, a.name) for a in data.window.alerts] == [
        ("service", "service", "RPS_DROP"),
        ("service", "service", "SLOW"),
        ("metric", "node", "CPU"),
        ("trace", "service", "GET /x"),
    ]
    assert data.window.alerts[0].entity.namespace == "shop"
    assert [o.text for o in data.window.tool_outputs] == ["none", '{"a": ["b"]}']
    assert any("1 alerts of alerts.json name no service" in note for note in data.notes)


def test_the_call_graph_and_the_normal_run_beside_the_cases_are_found(tmp_path: Path) -> None:
    case = folder(tmp_path, FACTS | {"scenario": "busy"})
    table(case.parent / "_graph" / "busy.graph.csv", [["", "a", "b"], ["a", 0, 1], ["b", 0, 0]])
    table(case.parent / "_normal" / "busy.metrics.csv", [["time", "a_cpu"], [1, 2], [2, 3]])
    window = load(case).window
    assert window.graph is not None
    assert [(c.source.name, c.target.name, c.weight) for c in window.graph.calls] == [
        ("a", "b", 1.0)
    ]
    assert window.reference is not None
    assert window.reference.metrics is not None
    assert window.reference.metrics.times.tolist() == [1.0, 2.0]


def test_load_statistics_of_both_runs_are_put_on_one_clock(tmp_path: Path) -> None:
    case = folder(tmp_path, FACTS | {"baseline_time_shift_s": T0 - 1000})
    head = ["Timestamp", "User Count", "Type", "Name", "Requests/s", "50%"]
    table(
        case / "locust_baseline.csv.gz",
        [head, [1000, 9, "", "All", 4.5, "N/A"], [1001, 9, "", "All", 5.0, 7]],
    )
    stressed = [[T0 + 5, 9, "", "All", 1.5, 90], [T0 + 6, 9, "", "All", 1.0, 95]]
    table(case / "locust_anomalous.csv.gz", [head, *stressed])
    load_table = load(case).window.load
    assert load_table is not None
    assert load_table.times.tolist() == [T0, T0 + 1, T0 + 5, T0 + 6]
    assert [s.metric for s in load_table.series] == ["User Count", "Requests/s", "50%"]
    assert load_table.values[:, 1].tolist() == [4.5, 5.0, 1.5, 1.0]


def test_answers_map_the_label_and_keep_it(tmp_path: Path) -> None:
    facts = FACTS | {"root_cause_metric": "a_cpu", "fault_type": "cpu_contention"}
    (location,) = UniformLayout(public.within).locate(folder(tmp_path, facts))
    answers = read_answers(location)
    assert answers.entities == (Entity("service", "a"),)
    assert (answers.columns, answers.metric_answer) == (("a_cpu",), True)
    assert (answers.fault_type, answers.fault_label) == (FaultType.CPU, "cpu_contention")


def test_answers_in_a_file_of_their_own_are_found_and_case_json_needs_none(tmp_path: Path) -> None:
    case = folder(tmp_path, {"dataset": "lab", "inject_time": T0 + 5})
    (case / "answers.json").write_text(
        json.dumps({"root_cause_service": "b", "fault_type": "pod-kill"})
    )
    (location,) = UniformLayout(public.within).locate(case)
    assert load(case).trigger.at is not None
    assert read_answers(location).entities == (Entity("service", "b"),)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("app/cart", Entity("service", "cart", namespace="shop")),
        ("node/worker-1", Entity("node", "worker-1")),
        ("namespace/shop", Entity("namespace", "shop")),
    ],
)
def test_root_cause_objects_become_entities_of_their_kind(
    tmp_path: Path, text: str, entity: Entity
) -> None:
    facts = {"dataset": "k8s", "inject_time": T0, "namespace": "shop", "fault_type": "x"}
    case = folder(tmp_path, facts | {"root_cause_object": text, "root_cause_service": None})
    (location,) = UniformLayout(public.within).locate(case)
    assert read_answers(location).entities == (entity,)


def test_a_case_without_answers_cannot_be_judged(tmp_path: Path) -> None:
    case = folder(tmp_path, {"dataset": "lab", "inject_time": T0 + 5})
    (location,) = UniformLayout(public.within).locate(case)
    with pytest.raises(InvalidData, match="fault_type"):
        read_answers(location)
