"""RCAEval's, RCD's and PetShop's own files, as they are downloaded."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiops.errors import InvalidData
from aiops.model import CaseData, Entity, FaultType
from aiops.ports.cases import CaseHints, CaseSource
from aiops_datasets import answers, catalog, public
from aiops_datasets.petshop import PetShopLayout
from aiops_datasets.rcaeval import RcaEvalLayout
from aiops_datasets.rcd import RcdLayout
from aiops_datasets.uniform import UniformLayout

T0 = 1_700_000_000


def write(path: Path, rows: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def load(layout: CaseSource, folder: Path, hints: CaseHints = CaseHints()) -> CaseData:  # noqa: B008
    (location,) = layout.locate(folder)
    return layout.load(location, hints)


@pytest.fixture
def rcaeval(tmp_path: Path) -> Path:
    run = tmp_path / "RE2" / "cart-service_delay" / "1"
    head = ["time", "cart-service_cpu", "cart-service_latency-50", "cart-db_container-cpu", "time"]
    write(
        run / "data.csv",
        [head, *([T0 + i, 1, "inf" if i == 3 else i, 2, T0 + i] for i in range(9))],
    )
    write(run / "inject_time.txt", [[T0 + 4]])
    write(
        run / "logs.csv",
        [
            ["time", "timestamp", "container_name", "message"],
            ["00:01", (T0 + 1) * 10**9, "cart-service", "hello"],
        ],
    )
    write(
        run / "traces.csv",
        [
            [
                "traceID",
                "spanID",
                "parentSpanID",
                "serviceName",
                "operationName",
                "startTimeMillis",
                "startTime",
                "duration",
                "statusCode",
            ],
            ["t", "s", "", "cart-service", "GET", (T0 + 1) * 1000, (T0 + 1) * 10**6, 1500, 0],
        ],
    )
    return run


def test_rcaeval_is_read_with_its_doubled_time_column_and_infinite_values(rcaeval: Path) -> None:
    data = load(RcaEvalLayout(), rcaeval)
    metrics, logs, spans = data.window.metrics, data.window.logs, data.window.spans
    assert metrics is not None
    assert [(s.entity.name, s.metric) for s in metrics.series] == [
        ("cart-service", "cpu"),
        ("cart-service", "latency-50"),
        ("cart-db", "container-cpu"),
    ]
    assert np.isnan(metrics.values[3, 1])
    assert data.trigger.at == datetime.fromtimestamp(T0 + 4, UTC)
    assert logs is not None
    assert logs.times.tolist() == [pytest.approx(T0 + 1, abs=1e-3)]
    assert spans is not None
    assert spans.starts.tolist() == [pytest.approx(T0 + 1, abs=1e-3)]
    assert spans.durations.tolist() == [0.0015]
    assert "delay" not in repr(data)


def test_rcaeval_answers_are_its_folders_name(rcaeval: Path) -> None:
    (location,) = RcaEvalLayout().locate(rcaeval.parents[1])
    assert location.dataset == "RE2"
    found = answers.rcaeval_answers(location)
    assert found.entities == (Entity("service", "cart-service"),)
    assert (found.fault_type, found.fault_label) == (FaultType.NETWORK_DELAY, "delay")


def test_the_simple_metrics_of_rcaeval_win_over_the_full_ones(rcaeval: Path) -> None:
    write(rcaeval / "simple_metrics.csv", [["time", "a_cpu"], [T0, 1], [T0 + 9, 2]])
    metrics = load(RcaEvalLayout(), rcaeval).window.metrics
    assert metrics is not None
    assert [s.column for s in metrics.series] == ["a_cpu"]


def test_an_alert_time_of_rcaeval_that_is_no_number_is_refused(rcaeval: Path) -> None:
    (rcaeval / "inject_time.txt").write_text("noon")
    with pytest.raises(InvalidData, match=r"inject_time.txt: 'noon' is not a time"):
        load(RcaEvalLayout(), rcaeval)


@pytest.fixture
def rcd(tmp_path: Path) -> Path:
    run = tmp_path / "shop-data" / "cart-db-cpu" / "1"
    head = ["time", "cart-db_cpu", "user_cpu"]
    write(run / "normal.csv", [[*head, "old_cpu"], *([T0 + 2 * i, 1, 1, 1] for i in range(5))])
    later = T0 + 9999
    write(run / "anomalous.csv", [head, *([later + 2 * i, 9, 1] for i in range(4))])
    return run


def test_rcds_two_runs_are_stitched_and_the_alert_is_the_first_anomalous_row(rcd: Path) -> None:
    data = load(RcdLayout(), rcd)
    metrics = data.window.metrics
    assert metrics is not None
    assert metrics.times.tolist() == [T0 + 2 * i for i in range(9)]
    assert [s.column for s in metrics.series] == ["cart-db_cpu", "user_cpu"]
    assert data.trigger.at == datetime.fromtimestamp(T0 + 10, UTC)
    assert any("two runs stitched" in note for note in data.notes)
    assert any("1 columns that only one" in note for note in data.notes)


def test_rcds_answers_are_its_folders_name(rcd: Path) -> None:
    (location,) = RcdLayout().locate(rcd)
    found = answers.rcd_answers(location)
    assert found.entities == (Entity("service", "cart-db"),)
    assert (found.columns, found.metric_answer) == (("cart-db_cpu",), True)


@pytest.fixture
def petshop(tmp_path: Path) -> Path:
    scenario = tmp_path / "dataset" / "busy"
    names = ["Shop_AWS::ECS", "Shop_client", "Shop_AWS::ECS"]
    head = [
        ["microservice", *names],
        ["metric", "latency", "latency", "requests"],
        ["statistic", "Average", "p90", "Sum"],
        ["unix_timestamp", "", "", ""],
    ]
    issue = scenario / "test" / "issue_0"
    write(issue / "metrics.csv", [*head, *([T0 + 300 * i, 9, 9, ""] for i in range(5))])
    normal = ([T0 + 10**7 + 300 * i, 1, 2, 3] for i in range(120))
    write(scenario / "noissue" / "metrics.csv", [*head, *normal])
    matrix = [["", "Shop_AWS::ECS", "Shop_client"], ["Shop_AWS::ECS", 0, 0], ["Shop_client", 1, 0]]
    write(scenario / "graph.csv", matrix)
    target = {"node": "Shop_client", "metric": "latency", "agg": "p90", "timestamp": T0 + 600}
    record = {"target": target, "root_cause": {"node": "Shop_AWS::ECS", "metric": None}}
    (issue / "target.json").write_text(json.dumps(record))
    return issue


def test_petshop_gets_the_end_of_its_fault_free_run_in_front(petshop: Path) -> None:
    data = load(PetShopLayout(), petshop)
    metrics, reference, graph = data.window.metrics, data.window.reference, data.window.graph
    assert metrics is not None
    assert metrics.times.tolist() == [T0 - 300 * 100 + 300 * i for i in range(105)]
    assert [s.column for s in metrics.series] == [
        "Shop_AWS::ECS_latency_Average",
        "Shop_client_latency_p90",
    ]
    assert data.trigger.entity == Entity("component", "Shop_client")
    assert data.trigger.metric == "latency_p90"
    assert data.trigger.at == datetime.fromtimestamp(T0 + 600, UTC)
    assert reference is not None
    assert reference.metrics is not None
    assert len(reference.metrics.times) == 120
    assert graph is not None
    assert [(c.source.name, c.target.name) for c in graph.calls] == [
        ("Shop_client", "Shop_AWS::ECS")
    ]


def test_petshop_without_a_fault_free_run_says_that_there_is_no_baseline(petshop: Path) -> None:
    (petshop.parents[1] / "noissue" / "metrics.csv").unlink()
    data = load(PetShopLayout(), petshop)
    assert data.window.metrics is not None
    assert len(data.window.metrics.times) == 5
    assert any("no baseline" in note for note in data.notes)


def test_petshops_answer_is_in_target_json(petshop: Path) -> None:
    (location,) = PetShopLayout().locate(petshop.parents[2])
    found = answers.petshop_answers(location)
    assert found.entities == (Entity("component", "Shop_AWS::ECS"),)
    assert found.fault_type is FaultType.LATENCY


def test_a_hinted_graph_and_alert_time_win_over_the_recorded_ones(
    petshop: Path, tmp_path: Path
) -> None:
    calls = write(tmp_path / "g.csv", [["source", "target"], ["Shop_AWS::ECS", "Shop_client"]])
    data = load(PetShopLayout(), petshop, CaseHints(inject_time=T0 + 900, graph=calls))
    assert data.trigger.at == datetime.fromtimestamp(T0 + 900, UTC)
    assert data.window.graph is not None
    assert data.window.graph.calls[0].source.name == "Shop_AWS::ECS"


def test_each_folder_is_recognised_by_one_layout_only(
    rcaeval: Path, rcd: Path, petshop: Path
) -> None:
    layouts: list[CaseSource] = [
        UniformLayout(public.within),
        RcaEvalLayout(),
        RcdLayout(),
        PetShopLayout(),
    ]
    for folder, name in ((rcaeval, "rcaeval"), (rcd, "rcd"), (petshop, "petshop")):
        assert [layout.name for layout in layouts if layout.recognises(folder)] == [name]


def test_the_catalog_finds_native_sets_and_their_answers(
    rcaeval: Path, rcd: Path, petshop: Path, tmp_path: Path
) -> None:
    assert catalog.datasets(tmp_path) == ("RE2", "dataset", "shop-data")
    labels = [
        catalog.load_case(location).answers.fault_label
        for name in catalog.datasets(tmp_path)
        for location in catalog.locations(tmp_path, name)
    ]
    assert labels == ["delay", "latency", "cpu"]
