"""Damaged logs, traces, alerts, graphs, snapshots: read as far as they go, and the report counts.

What cannot be used at all is refused: see test_bad_input.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Ranked = Callable[[Path], dict[str, Any]]
T0 = 1_767_600_000
ALERT = T0 + 40


@pytest.fixture
def case(bare: Path) -> Path:
    """A small incident: db's cpu steps at second 40, web's latency with it."""
    rows = ["time,web_cpu,web_latency,db_cpu,db_memory"]
    rows += [
        f"{T0 + i},{20 + i % 3},{5 + 4 * (i >= 40) + i % 2},{10 + 80 * (i >= 40) + i % 4},{500 + i}"
        for i in range(60)
    ]
    folder = bare / "case-1"
    folder.mkdir()
    (folder / "metrics.csv").write_text("\n".join(rows) + "\n")
    (folder / "case.json").write_text(
        json.dumps({"dataset": "d", "inject_time": ALERT, "fault_type": "cpu"})
    )
    return folder


@pytest.fixture
def snapshot(bare: Path) -> Path:
    """A folder for a case that is nothing but a snapshot."""
    folder = bare / "case-2"
    folder.mkdir()
    facts = {"dataset": "d", "inject_time": None, "fault_type": "x"}
    facts["collection_timestamp"] = "2026-01-05T08:00:00Z"
    (folder / "case.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture
def ranked(aiops: Run) -> Ranked:
    """The report of ``aiops rca`` on a case that it must accept."""

    def run(case: Path) -> dict[str, Any]:
        done = aiops("rca", case, "--json")
        assert done.stderr == ""
        assert done.returncode == 0
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["failed_steps"] == []
        return report

    return run


def said(report: dict[str, Any]) -> str:
    return "\n".join([*report["notes"], *report["unknowns"]])


def culprit(report: dict[str, Any]) -> str:
    name: str = report["root_causes"][0]["entity"]["name"]
    return name


def write_logs(case: Path, lines: Iterable[bytes], head: bytes = b"time,service,message") -> None:
    (case / "logs.csv").write_bytes(b"\n".join([head, *lines]) + b"\n")


def usual(count: int = 60) -> list[bytes]:
    """A line a second of each service."""
    return [f"{T0 + i},{name},request {i} served".encode() for i in range(count) for name in "wd"]


def write_spans(case: Path, rows: Iterable[str]) -> None:
    head = "trace_id,span_id,parent_id,service,operation,start_ns,duration_us"
    (case / "traces.csv").write_text("\n".join([head, *rows]) + "\n")


def requests(count: int = 60) -> list[str]:
    """A request a second: web calls db."""
    rows = []
    for i in range(count):
        start = (T0 + i) * 10**9
        rows.append(f"t{i},a{i},root,web,GET,{start},{9000 + i}")
        rows.append(f"t{i},b{i},a{i},db,SELECT,{start + 10**6},{7000 + i}")
    return rows


def test_logs_in_mixed_encodings_and_with_binary_are_counted(case: Path, ranked: Ranked) -> None:
    odd = [f"{T0 + 45},db,".encode() + b"caf\xe9 \x00\xff", f"{T0 + 46},db,café".encode()]
    write_logs(case, [*usual(), *odd])
    report = ranked(case)
    assert "1 log lines hold binary or undecodable bytes" in said(report)
    assert culprit(report) == "db"


def test_lines_of_a_megabyte_are_cut_and_counted(case: Path, ranked: Ranked) -> None:
    long = [f"{T0 + 45 + i},db,".encode() + b"x" * 1_000_000 for i in range(3)]
    write_logs(case, [*usual(), *long])
    report = ranked(case)
    assert "3 cells are longer than 64 k characters; their beginning was read" in said(report)
    assert culprit(report) == "db"


def test_logs_without_any_time_are_taken_to_speak_of_now(case: Path, ranked: Ranked) -> None:
    write_logs(case, [b"web,served", b"db,served"] * 20, head=b"service,message")
    report = ranked(case)
    assert "log lines carry no times" in said(report)
    assert culprit(report) == "db"


def test_lines_whose_time_cannot_be_read_are_counted(case: Path, ranked: Ranked) -> None:
    write_logs(case, [*usual(), b"noon,db,served", b"??,web,served"])
    assert "2 cells of column 'time' cannot be read, such as 'noon'" in said(ranked(case))


def test_rows_that_are_cut_off_are_counted(case: Path, ranked: Ranked) -> None:
    write_logs(case, [*usual(), b"1767600045,db"])
    assert "1 rows with too few or too many fields left out" in said(ranked(case))


TRACES = {
    "negative durations": (["t1,x1,a1,db,SELECT,{at},-50"], "1 spans have a negative duration"),
    "ids that stand twice": (["t1,a1,root,web,GET,{at},50"], "1 spans repeat an earlier span id"),
    "a cycle": (
        ["t1,x1,x2,db,SELECT,{at},50", "t1,x2,x1,db,SELECT,{at},50"],
        "2 spans are their own ancestors",
    ),
    "its own parent": (["t1,x1,x1,db,SELECT,{at},50"], "1 spans are their own ancestors"),
    "missing parents": (
        ["t1,x1,gone,db,SELECT,{at},50"],
        "1 spans name a parent that was not recorded",
    ),
    "no duration": (["t1,x1,a1,db,SELECT,{at},"], "1 spans without a usable start or duration"),
    "a duration in words": (["t1,x1,a1,db,SELECT,{at},long"], "'long'"),
}


@pytest.mark.parametrize("what", TRACES)
def test_spans_that_are_not_as_they_should_be_are_counted(
    case: Path, ranked: Ranked, what: str
) -> None:
    rows, words = TRACES[what]
    write_spans(case, [*requests(), *(row.format(at=(T0 + 45) * 10**9) for row in rows)])
    report = ranked(case)
    assert words in said(report)
    assert culprit(report) == "db"


def test_a_trace_of_a_million_spans_in_one_chain_is_ranked_in_bounded_time(
    case: Path, ranked: Ranked
) -> None:
    start = (T0 + 41) * 10**9
    chain = (f"big,c{i},c{i - 1},db,SELECT,{start + i},5" for i in range(1, 1_000_000))
    write_spans(case, [*requests(), f"big,c0,root,web,GET,{start},9000", *chain])
    began = time.monotonic()
    report = ranked(case)
    assert time.monotonic() - began <= 120  # about 10 s on one idle core
    assert report["root_causes"]


def test_alerts_of_instances_that_nothing_else_knows_are_kept_and_nameless_ones_counted(
    case: Path, ranked: Ranked
) -> None:
    alerts = [
        {"type": "Service", "name": "ghost-7", "evidence": ["CPU | 1 -> 9"]},
        {"type": "Service", "name": "unknown", "evidence": ["CPU | 1 -> 9"]},
        {"type": "Service", "evidence": []},
        {"entry_service": None, "url": "/x"},
        {"type": "Service", "name": "db", "evidence": 7},
        "an alert",
    ]
    (case / "alerts.json").write_text(json.dumps(alerts))
    report = ranked(case)
    assert "3 alerts of alerts.json name no service; left out" in said(report)
    assert "2 alerts of alerts.json are not built like one; left out" in said(report)
    assert culprit(report) == "db"


def test_a_graph_with_self_loops_and_cycles_is_used(case: Path, ranked: Ranked) -> None:
    rows = ["source,target", "web,web", "web,db", "db,db", "db,web", "ghost,ghost"]
    (case / "graph.csv").write_text("\n".join(rows) + "\n")
    report = ranked(case)
    assert culprit(report) == "db"
    assert not any(link["source"] == link["target"] for link in report["propagation"])


def states(folder: Path, **answers: str) -> None:
    (folder / "k8s_states.json").write_text(
        json.dumps({name.replace("_", " "): text for name, text in answers.items()})
    )


@pytest.mark.parametrize("command", ["rca", "investigate"])
def test_an_empty_snapshot_is_inconclusive_and_not_healthy(
    snapshot: Path, aiops: Run, command: str
) -> None:
    states(snapshot, kubectl_get_pods="", kubectl_get_events="No resources found\n")
    done = aiops(command, snapshot, "--json")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "holds no objects" in line
    report = json.loads(done.stdout)
    assert report["verdict"] == "inconclusive"
    assert report["root_causes"] == []


BROKEN = "apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n---\napiVersion: v1\nkind: Service\n"
PENDING = "NAME    READY   STATUS    RESTARTS   AGE\nweb-1   0/1     Pending   0          5m\n"
NO_ROOM = (
    "LAST SEEN   TYPE      REASON             OBJECT      MESSAGE\n"
    "26s         Warning   FailedScheduling   pod/web-1   0/1 nodes available: 1 Insufficient cpu\n"
)


def test_a_manifest_that_does_not_parse_is_counted_and_hides_nothing(
    snapshot: Path, ranked: Ranked
) -> None:
    states(snapshot, kubectl_get_pods=PENDING, kubectl_get_events=NO_ROOM)
    (snapshot / "tool_cache.json").write_text(
        json.dumps({'GetAppYAML:{"app_name":"web"}': BROKEN + "metadata: {name: web}\n"})
    )
    report = ranked(snapshot)
    assert "1 parts of manifests could not be read" in said(report)
    assert culprit(report) == "web-1"


def test_a_description_that_breaks_off_is_read_as_far_as_it_goes_and_counted(
    snapshot: Path, ranked: Ranked
) -> None:
    described = "Name:         web-1\nNamespace:    shop\nNode:         <none>\nStatus:       Pendi"
    answers = {"kubectl_get_pods": PENDING, "kubectl_get_events": NO_ROOM}
    states(snapshot, **answers, kubectl_describe_pod_web=described)
    report = ranked(snapshot)
    assert "1 descriptions break off before their events" in said(report)
    assert culprit(report) == "web-1"


def test_a_snapshot_as_json_that_breaks_off_is_read_as_far_as_it_goes_and_counted(
    snapshot: Path, ranked: Ranked
) -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    status = {"name": "main", "ready": False, "restartCount": 4, "lastState": last}
    waiting = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": f"web-{i}", "namespace": "shop"},
            "spec": {"containers": [{"name": "main", "image": "web:1"}]},
            "status": {"phase": "Running", "containerStatuses": [status | waiting]},
        }
        for i in range(3)
    ]
    text = json.dumps({"kind": "List", "items": pods})
    states(snapshot, **{"kubectl_get_pods_-o_json": text[:-30]})
    report = ranked(snapshot)
    assert "1 parts of manifests could not be read" in said(report)
    assert {one["entity"]["name"] for one in report["root_causes"]} == {"web-0", "web-1"}
