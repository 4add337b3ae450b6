"""Alert lists: many cases in one file, each with its alerts and instance graph."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aiops.errors import InvalidData
from aiops.model import CaseData, Entity
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import public
from aiops_datasets.answers import read_answers
from aiops_datasets.tvdiag import AlertListLayout, instance

ROW: dict[str, Any] = {
    "dataset": "alerts",
    "case_id": "a_1",
    "inject_time": None,
    "root_cause_service": "cart",
    "root_cause_instance": "cart-0",
    "fault_type": "pod-failure",
    "nodes": ["cart-0", "front-0"],
    "edges": [[1, 0], [1, 0], [0, 0]],
    "metric_alerts": [["cart-0", "cpu_usage", "up"], ["bigbox", "node_cpu_usage", "down"]],
    "trace_alerts": [["front-0", "cart-0", "GET /cart", "PD"], ["-1", "front-0", "GET /", "500"]],
    "log_alerts": [["cart-0", "cart-0-50"]],
}


def located(folder: Path, *rows: dict[str, Any]) -> CaseLocation:
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "cases.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return next(AlertListLayout(public.within).locate(folder))


def load(location: CaseLocation) -> CaseData:
    return AlertListLayout(public.within).load(location, CaseHints())


def test_alerts_keep_instance_direction_caller_and_host(tmp_path: Path) -> None:
    gaia = ROW | {"metric_alerts": [["cart-0", "10.0.0.4", "rss", "up"]]}
    window = load(located(tmp_path, gaia)).window
    metric, call, entry, log = window.alerts
    cart = Entity("instance", "cart-0", service="cart")
    assert (metric.entity, metric.name, metric.detail) == (cart, "rss", "up")
    assert metric.peer == Entity("node", "10.0.0.4")
    assert (call.entity, call.name, call.detail) == (cart, "GET /cart", "PD")
    assert call.peer == Entity("instance", "front-0", service="front")
    assert (entry.entity.name, entry.peer) == ("front-0", None)
    assert (log.modality, log.name) == ("log", "cart-0-50")


def test_an_alert_on_something_that_is_no_instance_is_on_a_machine(tmp_path: Path) -> None:
    window = load(located(tmp_path, ROW)).window
    assert [alert.entity.kind for alert in window.alerts[:2]] == ["instance", "node"]


def test_repeated_edges_become_one_call_with_their_number_as_weight(tmp_path: Path) -> None:
    graph = load(located(tmp_path, ROW)).window.graph
    assert graph is not None
    assert [(c.source.name, c.target.name, c.weight) for c in graph.calls] == [
        ("front-0", "cart-0", 2.0),
        ("cart-0", "cart-0", 1.0),
    ]


def test_without_any_time_the_window_is_unknown_and_said(tmp_path: Path) -> None:
    data = load(located(tmp_path, ROW))
    assert data.window.relative
    assert data.trigger.at is None
    assert any("window is unknown" in note for note in data.notes)


def test_a_recorded_window_is_kept(tmp_path: Path) -> None:
    timed = {"start_time": "2021-07-04 01:00:00.5", "end_time": "2021-07-04 01:10:00"}
    window = load(located(tmp_path, ROW | timed)).window
    assert window.end == datetime(2021, 7, 4, 1, 10, tzinfo=UTC)
    assert not window.relative


def test_every_row_is_a_case_with_an_id_of_its_own(tmp_path: Path) -> None:
    located(tmp_path, ROW, ROW | {"case_id": "a_2"})
    ids = [location.id for location in AlertListLayout().locate(tmp_path)]
    assert len(set(ids)) == 2
    assert not any("a_" in name for name in ids)


def test_the_answer_is_the_instance_and_its_service(tmp_path: Path) -> None:
    answers = read_answers(located(tmp_path, ROW))
    assert answers.entities == (Entity("instance", "cart-0", service="cart"),)
    assert answers.fault_label == "pod-failure"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"edges": [[0, 9]]}, "edges"),
        ({"metric_alerts": [["cart-0"]]}, "metric_alerts"),
        ({"trace_alerts": [["a", "b", "c", 4]]}, "trace_alerts"),
        ({"nodes": [1]}, "nodes"),
        ({"log_alerts": "none"}, "log_alerts"),
        ({"start_time": "noon", "end_time": "one"}, "start_time"),
    ],
)
def test_a_malformed_row_is_refused_by_key(
    tmp_path: Path, change: dict[str, Any], key: str
) -> None:
    with pytest.raises(InvalidData, match=f"cases.jsonl.gz: key '{key}'"):
        load(located(tmp_path, ROW | change))


@pytest.mark.parametrize(
    ("name", "service"), [("cart-0", "cart"), ("webservice2", "webservice"), ("7", "7")]
)
def test_an_instance_belongs_to_the_service_its_name_begins_with(name: str, service: str) -> None:
    assert instance(name).service_name == service
