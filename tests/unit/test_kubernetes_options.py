"""How a cluster is configured: who reads, who writes, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from aiops.errors import InvalidInput
from aiops_tools.kubernetes.ingest import KubernetesSource
from aiops_tools.kubernetes.options import ClusterOptions, read

BASE = {"cluster": "here", "kubeconfig": "read.yaml"}


def chosen(**more: Any) -> ClusterOptions:
    return read("tools", "k", {**BASE, **more}, ClusterOptions)


def test_without_an_identity_to_write_with_nothing_can_be_written() -> None:
    assert not chosen().writes


def test_the_identity_that_writes_takes_nothing_of_the_one_that_reads_but_the_way() -> None:
    one = chosen(context="a", impersonate="viewer", write_kubeconfig="write.yaml")
    assert one.writer.kubeconfig == Path("write.yaml")
    assert one.writer.context is None
    assert one.writer.impersonate is None
    assert chosen(write_impersonate="robot").writer.kubeconfig == Path("read.yaml")


@pytest.mark.parametrize(
    "wrong",
    [
        {"write_kubeconfig": "read.yaml"},  # the same as who reads
        {"in_cluster": True},  # two ways in
        {"kubeconfig": None},
        {"kubeconfig": None, "server": "http://plain", "token_file": "t"},
        {"kubeconfig": None, "server": "https://host"},
        {"unknown": 1},
        {"cluster": ""},
    ],
)
def test_what_cannot_be_right_is_refused_by_its_key(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=r"tools\.k"):
        chosen(**wrong)


def test_a_source_takes_no_identity_to_write_with() -> None:
    with pytest.raises(InvalidInput, match="only reads"):
        KubernetesSource.connect("k", {**BASE, "write_context": "admin"})
