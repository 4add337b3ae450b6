"""Call-graph files and fault labels."""

import gzip
from pathlib import Path

import pytest

from aiops.errors import InvalidData
from aiops.model import FaultType, ServiceGraph
from aiops_datasets import columns, graphs
from aiops_datasets.faults import fault_type


def read(folder: Path, text: str) -> ServiceGraph:
    path = folder / "graph.csv"
    path.write_text(text)
    return graphs.read_graph(path, columns.entity)


@pytest.mark.parametrize(
    "text",
    [
        "Source,Target,Weight\nfront,cart,2\ncart,10.0.0.4,2\n",
        "caller,callee,weight\nfront,cart,2\ncart,10.0.0.4,2\n",
        ",front,cart,10.0.0.4\nfront,0,2,0\ncart,0,0,2\n10.0.0.4,,,\n",
    ],
)
def test_rows_and_matrix_give_the_same_graph(tmp_path: Path, text: str) -> None:
    graph = read(tmp_path, text)
    assert [(node.kind, node.name) for node in graph.nodes] == [
        ("service", "front"),
        ("service", "cart"),
        ("node", "10.0.0.4"),
    ]
    calls = [(call.source.name, call.target.name, call.weight) for call in graph.calls]
    assert calls == [("front", "cart", 2.0), ("cart", "10.0.0.4", 2.0)]


def test_rows_without_a_weight_weigh_one(tmp_path: Path) -> None:
    assert read(tmp_path, "source,target\na,b\n").calls[0].weight == 1.0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("a,b\nc,d\n", "neither source,target rows nor a square"),
        (",a,b\na,0,1\n", "neither"),
        (",a,b\na,0\nb,0,1\n", "row 1: has 1 of 2 weights"),
        ("source,target,weight\na,b,heavy\n", "row 1: weight 'heavy' is not a number"),
        ("source,target\na,\n", "row 1: names no source or no target"),
    ],
)
def test_a_graph_in_neither_form_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InvalidData, match=reason):
        read(tmp_path, text)


def test_a_truncated_graph_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "graph.csv.gz"
    path.write_bytes(gzip.compress(b"source,target\na,b\n" * 99)[:-9])
    with pytest.raises(InvalidData, match="truncated"):
        graphs.read_graph(path, columns.entity)


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("mem", FaultType.MEMORY),
        ("memory_anomalies", FaultType.MEMORY),
        ("stress-ng cpu+vm+hdd", FaultType.CPU),
        ("network-latency", FaultType.NETWORK_DELAY),
        ("Access Permission Denied Exception", FaultType.CREDENTIAL),
        ("namespace_pod_quota_exceeded", FaultType.QUOTA),
        ("f3", FaultType.ERROR),
        ("gremlins", FaultType.UNKNOWN),
        ("", FaultType.UNKNOWN),
    ],
)
def test_a_label_means_its_fault_type_or_none(label: str, fault: FaultType) -> None:
    assert fault_type(label) is fault


def test_every_fault_type_is_its_own_label() -> None:
    assert [fault_type(fault.value) for fault in FaultType] == list(FaultType)
