"""What a recorder makes of a lab: scrapes to columns, lines, edits, alerts, files."""

import csv
import gzip
import io
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.model import Entity, Indicator
from aiops.model.faults import FaultType
from aiops.model.rows import LogLine, Span
from aiops.ports.cases import CaseHints
from aiops.store.clock import SystemClock
from aiops_datasets.answers import read_answers
from aiops_datasets.uniform import UniformLayout
from aiops_lab.faults.orders import Truth
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.kinds import Registry
from aiops_lab.kubernetes.no_processes import NoProcesses
from aiops_lab.kubernetes.store import Change as Written
from aiops_lab.kubernetes.store import Kept, ObjectStore
from aiops_lab.recording.alert import Alert, alert
from aiops_lab.recording.case_folder import (
    CannotRecord,
    FolderTaken,
    Recording,
    fresh_folder,
    metric_rows,
    write,
)
from aiops_lab.recording.collecting import is_kept
from aiops_lab.recording.cpus import busy_and_all
from aiops_lab.recording.edits import Edits, differences, read_edit
from aiops_lab.recording.exposition import Requests, Totals, read_totals
from aiops_lab.recording.log_files import LogFiles, read_line
from aiops_lab.recording.record import observed_calls
from aiops_lab.recording.shaping import NodeSeen, PodSeen, WorkloadSeen, columns
from aiops_lab.recording.snapshot import shown

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EXPOSITION = """# TYPE request_duration_seconds histogram
request_duration_seconds_bucket{route="GET /",status_code="200",le="0.1"} 8
request_duration_seconds_bucket{route="GET /",status_code="200",le="+Inf"} 8
request_duration_seconds_count{route="GET /",status_code="200"} 8
request_duration_seconds_bucket{route="GET /",status_code="503",le="0.1"} 0
request_duration_seconds_bucket{route="GET /",status_code="503",le="+Inf"} 2
request_duration_seconds_count{route="GET /",status_code="503"} 2
client_request_duration_seconds_bucket{target="stock",le="0.1"} 10
client_request_duration_seconds_bucket{target="stock",le="+Inf"} 10
client_request_duration_seconds_count{target="stock"} 10
client_errors_total{target="stock",reason="timeout"} 4
client_pool_in_use{target="stock"} 3
client_pool_size{target="stock"} 4
container_cpu_cfs_throttled_seconds_total 2.5
nonsense
"""


def pod(service: str = "shop", name: str = "shop-1", **said: object) -> PodSeen:
    totals = read_totals(EXPOSITION)
    usual: dict[str, object] = {
        "totals": totals,
        "grown": totals.since(None),
        "elapsed_s": 5.0,
        "cores": 0.1,
        "resident": 100.0,
        "ready": True,
        "restarts": 0,
    }
    return PodSeen(service, name, **{**usual, **said})  # type: ignore[arg-type]


def test_a_counter_of_a_process_that_started_anew_counts_from_zero() -> None:
    before, now = Totals({("a", ""): 10.0, ("b", ""): 1.0}), Totals({("a", ""): 3.0, ("b", ""): 4})
    assert now.since(before).samples == {("a", ""): 3.0, ("b", ""): 3.0}


@given(st.text())
def test_any_text_is_read_as_an_exposition(text: str) -> None:
    assert all(isinstance(value, float) for value in read_totals(text).samples.values())


@given(st.lists(st.floats(0.001, 9.0), min_size=1, max_size=50), st.floats(0.01, 1.0))
def test_a_quantile_lies_in_the_bucket_of_its_rank(seconds: list[float], share: float) -> None:
    bounds = (0.01, 0.1, 1.0, 10.0)
    requests = Requests()
    for bound in bounds:
        requests.add(bound, sum(one <= bound for one in seconds))
    found = requests.quantile(share)
    assert 0 < found <= 10.0
    # Nobody is told less than what so large a share did not need.
    assert sum(one <= found for one in seconds) <= len(seconds)
    assert requests.quantile(1.0) >= found


def test_columns_tell_rate_errors_latency_and_what_runs_out() -> None:
    found = columns([pod()], [], [])
    assert found["shop_request_ops"] == pytest.approx(2.0)
    assert found["shop_request_errors_ops"] == pytest.approx(0.4)
    assert found["shop_request_duration_p50_seconds"] == pytest.approx(0.0625)
    assert found["shop_connection_pool_in_use_ratio"] == pytest.approx(0.75)
    assert found["shop_container_cpu_cfs_throttled_ratio"] == pytest.approx(0.5)
    assert found["shop->stock_request_errors_ops"] == pytest.approx(0.8)


def test_one_ill_replica_shows_beside_the_sum_of_all() -> None:
    found = columns([pod(cores=0.1), pod(name="shop-2", cores=0.9)], [], [])
    assert found["shop_container_cpu_usage_cores"] == pytest.approx(1.0)
    assert found["shop_container_cpu_usage_max_cores"] == pytest.approx(0.9)
    assert "shop_container_cpu_usage_max_cores" not in columns([pod()], [], [])


def test_a_pod_that_does_not_answer_is_down_and_its_rates_are_unknown() -> None:
    found = columns([pod(totals=None, grown=None)], [], [])
    assert found["shop_up"] == 0.0
    assert "shop_request_ops" not in found


def test_a_volume_is_used_by_the_block() -> None:
    def used(taken: float) -> float:
        totals = Totals({("volume_used_bytes", ""): taken, ("volume_size_bytes", ""): 40960.0})
        return columns([pod(totals=totals, grown=None)], [], [])["shop_volume_used_ratio"]

    assert [used(0), used(1), used(4096), used(4097), used(50_000)] == [0.0, 0.1, 0.1, 0.2, 1.0]


def test_workloads_and_nodes_have_columns() -> None:
    found = columns([], [WorkloadSeen("shop", 2, 1, 1, 2, 4)], [NodeSeen("n1", 0.5, 7.0, 1)])
    assert found["shop_kube_deployment_status_replicas_unavailable"] == 1.0
    assert found["shop_kube_horizontalpodautoscaler_spec_max_replicas"] == 4.0
    assert found["n1_kube_node_status_condition"] == 1.0


def rows(values: list[float], metric: str = "p99") -> list[tuple[float, dict[str, float]]]:
    name = {"p99": "door_request_duration_p99_seconds", "errors": "door_request_errors_ops"}[metric]
    return [(float(at), {name: value, "door_request_ops": 10.0}) for at, value in enumerate(values)]


def test_an_alert_fires_once_requests_have_been_slow_for_three_rows() -> None:
    found = alert(rows([0.1, 0.2, 0.9, 0.1, 0.9, 0.9, 0.9, 0.9]), "door", 2, 7)
    assert (found.at, found.metric) == (6.0, "request_duration_p99_seconds")


def test_an_alert_fires_on_failing_requests() -> None:
    found = alert(rows([0.0, 0.0, 1.0, 1.0, 1.0, 1.0], "errors"), "door", 2, 5)
    assert (found.at, found.metric) == (4.0, "request_errors_ops")


def test_where_users_notice_nothing_somebody_looks_half_way_through() -> None:
    found = alert(rows([0.1] * 10), "door", 2, 8)
    assert (found.at, found.metric) == (5.0, "")


def test_a_structured_line_keeps_its_level_and_fields_and_others_stay_as_they_are() -> None:
    said = {"ts": "x", "level": "error", "msg": "no answer", "route": "GET /", "trace_id": "ab"}
    stamp = "2026-01-02T03:04:05.000000Z"
    line = read_line(f"{stamp} {json.dumps(said)}".encode(), "shop", "shop-1")
    assert line.message == "ERROR no answer route=GET /"
    assert (line.time, line.trace_id) == (AT.timestamp(), "ab")
    assert read_line(f"{stamp} Traceback:".encode(), "shop", "p").message == "Traceback:"


@given(st.binary(max_size=80))
def test_any_bytes_are_read_as_a_line(line: bytes) -> None:
    assert read_line(line, "shop", "shop-1").service == "shop"


def log(folder: Path, run: int, *lines: str) -> Path:
    path = folder / "u1" / "logs" / "shop" / f"{run}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.writelines(f"2026-01-02T03:04:05.000000Z {line}\n" for line in lines)
    return path


def test_lines_are_followed_through_rotation_restarts_and_the_end_of_the_pod(
    tmp_path: Path,
) -> None:
    files = LogFiles(tmp_path, lambda uid: ("shop", uid))
    path = log(tmp_path, 0, "before")
    files.skip()
    log(tmp_path, 0, "one")
    files.read()
    log(tmp_path, 0, "two")
    path.rename(path.with_suffix(".log.1"))
    log(tmp_path, 0, "three")
    log(tmp_path, 1, "anew")
    files.read()
    log(tmp_path, 1, "last")
    (path.parent / "1.log").unlink()
    files.read()
    files.close()
    assert [line.message for line in files.lines] == ["one", "two", "three", "anew", "last"]


def edited(kind: str, resource: str, old: dict[str, object], new: dict[str, object]) -> Written:
    def kept(part: dict[str, object]) -> Kept:
        metadata = {"name": "shop", "namespace": "ns", "resourceVersion": "7"}
        return Kept((resource, "ns", "shop"), {"kind": kind, "metadata": metadata, **part})

    return Written(7, "MODIFIED", kept(new), kept(old))


def deployment(image: str, replicas: int) -> dict[str, object]:
    containers = [{"name": "shop", "image": image}]
    return {"spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}}


@pytest.mark.parametrize(("image", "replicas", "kind"), [("a:2", 1, "deploy"), ("a:1", 3, "scale")])
def test_a_rollout_is_a_change_of_its_service(image: str, replicas: int, kind: str) -> None:
    one = edited(
        "Deployment", "deployments.apps", deployment("a:1", 1), deployment(image, replicas)
    )
    (change,) = read_edit(AT, one, [one.now.object])
    assert (change.kind, change.entity.name, change.entity.kind) == (kind, "shop", "service")


def test_what_is_made_and_deleted_is_a_change_and_a_new_status_is_none() -> None:
    store, clock = ObjectStore(), SystemClock()
    chance = random.Random(1)  # noqa: S311 - the ends of names
    cluster = Cluster(store, Registry(), NoProcesses(clock), clock, str, chance)
    edits = Edits(cluster, "ns", lambda: AT)
    edits.begin()
    key = ("resourcequotas", "ns", "few")
    quota = {"kind": "ResourceQuota", "metadata": {"name": "few", "namespace": "ns"}}
    made = store.create(key, {**quota, "spec": {"hard": {"pods": "1"}}})
    store.replace(key, {**made.object, "status": {"used": {"pods": "1"}}})
    store.remove(key)
    edits.end()
    found = edits.changes()
    assert [one.description for one in found] == [
        "ResourceQuota few created",
        "ResourceQuota few deleted",
    ]
    assert {one.entity.kind for one in found} == {"namespace"}


def test_a_change_of_a_secret_says_where_and_never_what() -> None:
    one = edited(
        "Secret", "secrets", {"data": {"password": "b2xk"}}, {"data": {"password": "bmV3"}}
    )
    (change,) = read_edit(AT, one, [])
    assert "data.password changed" in change.description
    assert "bmV3" not in change.description


def test_differences_name_their_place() -> None:
    old, new = {"a": [{"b": 1}], "c": 1}, {"a": [{"b": 2}]}
    assert list(differences(old, new)) == ["a[0].b: 1 -> 2", "c: 1 -> none"]


def test_a_secret_is_shown_without_its_values() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "b2xk"}}
    assert shown(secret)["data"] == {"password": ""}


def test_a_sample_of_traces_is_of_whole_traces_and_of_its_size() -> None:
    ids = [f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}" for number in range(4000)]
    kept = [one for one in ids if is_kept(one, 0.25, 3)]
    assert 0.2 < len(kept) / len(ids) < 0.3
    assert kept == [one for one in ids if is_kept(one, 0.25, 3)]
    assert kept != [one for one in ids if is_kept(one, 0.25, 4)]


def test_calls_are_those_that_callers_counted_and_spans_show() -> None:
    spans = [
        Span("t", "1", "", "door", "GET /", 0.0, 1.0),
        Span("t", "2", "1", "shelf", "GET /", 0.0, 1.0),
        Span("t", "3", "1", "door", "inner", 0.0, 1.0),
    ]
    seen = [(0.0, {"door->belt_request_ops": 2.0, "door->belt_request_errors_ops": 1.0})]
    assert observed_calls(seen, spans) == [("door", "belt", 2), ("door", "shelf", 1)]


def test_only_cpus_that_we_may_use_count() -> None:
    stat = "cpu 9 9 9 9 9 9 9 9\ncpu0 30 0 10 50 10 0 0 0\ncpu1 100 0 0 0 0 0 0 0\n"
    assert busy_and_all(stat, {"cpu0"}) == (40.0, 100.0)


def truth(name: str, kind: str = "cpu") -> Truth:
    entity = Entity("service", name, namespace="ns", service=name)
    indicator = Indicator("metric", "process_cpu_seconds_total")
    return Truth("f1", kind, entity, FaultType(kind), indicator, AT, AT, 0.5, {})


def recording(*truths: Truth) -> Recording:
    start = AT.timestamp()
    return Recording(
        system="kiosk",
        namespace="ns",
        entry="door",
        rows=[(start + i, {"door_up": 1.0, "shelf_request_ops": 2.0 + i}) for i in range(6)],
        lines=[LogLine(start + 1, "shelf", "ERROR a, b", "shelf-1", "t9", "s9")],
        spans=[Span("ab" * 16, "cd" * 8, "", "door", "GET /", start, 0.5, "door-1", "ERROR")],
        changes=(),
        state={"kubectl get nodes": "NAME\nn1\n"},
        calls=[("door", "shelf", 3)],
        alert=Alert(start + 3, "request_duration_p99_seconds", "door is slow"),
        truths=truths,
        broken_at=start + 2,
        notes=(),
    )


def test_a_recorded_case_is_read_back_without_its_answers(tmp_path: Path) -> None:
    write(tmp_path, recording(truth("shelf"), truth("door")))
    (location,) = UniformLayout().locate(tmp_path)
    data = UniformLayout().load(location, CaseHints())
    assert data.trigger.entity == Entity("service", "door", namespace="ns")
    assert data.trigger.metric == "request_duration_p99_seconds"
    assert data.window.metrics is not None
    assert data.window.metrics.values.shape == (6, 2)
    assert data.window.logs is not None
    assert data.window.logs.messages[0] == "ERROR a, b"
    assert data.window.spans is not None
    assert data.window.changes == ()
    assert data.window.graph is not None
    public = (tmp_path / "case.json").read_text()
    assert not {"root_cause", "fault", "cpu", "injected"} & set(public.replace('"', " ").split())
    answers = read_answers(location)
    assert [one.name for one in answers.entities] == ["shelf", "door"]
    assert answers.fault_type is FaultType.CPU


def test_a_healthy_control_has_no_culprit(tmp_path: Path) -> None:
    write(tmp_path, recording())
    (location,) = UniformLayout().locate(tmp_path)
    assert read_answers(location).entities == ()


def test_equal_cases_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, recording(truth("shelf")))
    packed = [(tmp_path / name / "metrics.csv.gz").read_bytes() for name in ("a", "b")]
    assert packed[0] == packed[1]
    assert next(csv.reader(io.StringIO(gzip.decompress(packed[0]).decode())))[0] == "time"


def test_a_column_that_comes_late_is_empty_before() -> None:
    found = list(metric_rows([(1.0, {"a_b": 1.0}), (2.0, {"a_b": 2.0, "c_d": 3.0})]))
    assert found == [("time", "a_b", "c_d"), ("1", "1", ""), ("2", "2", "3")]


def interrupted(half: Path) -> None:
    half.write_text("x")
    raise KeyboardInterrupt


def test_a_case_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "case"
    with pytest.raises(KeyboardInterrupt), fresh_folder(out) as folder:
        interrupted(folder / "half")
    assert list(tmp_path.iterdir()) == []


def test_a_case_is_never_written_over_another(tmp_path: Path) -> None:
    with pytest.raises(FolderTaken, match="is there already"), fresh_folder(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(CannotRecord, match="nothing of it was kept"),
        fresh_folder(tmp_path / "file" / "case"),
    ):
        pass
