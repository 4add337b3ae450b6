"""Column names are read by their shape, never by a list of names."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aiops_datasets import columns

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)
METRIC = st.text("abcdefghijklmnopqrstuvwxyz%()", min_size=1, max_size=8)


@given(
    entities=st.sets(WORD, min_size=1, max_size=8), metrics=st.sets(METRIC, min_size=1, max_size=5)
)
def test_entity_and_metric_without_underscores_come_back_as_they_were_joined(
    entities: set[str], metrics: set[str]
) -> None:
    assume(not any(columns.is_node(entity) for entity in entities))
    named = {f"{e}_{m}": (e, m) for e in entities for m in metrics}
    assume(not columns.statistic_last(list(named)))
    assert columns.split(list(named)) == named


@given(
    entities=st.sets(WORD, min_size=3, max_size=8), metrics=st.sets(METRIC, min_size=3, max_size=5)
)
def test_entities_that_share_a_first_word_are_told_apart(
    entities: set[str], metrics: set[str]
) -> None:
    named = {f"svc_{e}_{m}": (f"svc_{e}", m) for e in entities for m in metrics}
    assert columns.split(list(named)) == named


@given(st.lists(st.text(max_size=20), unique=True, max_size=30))
def test_any_names_split_into_parts_of_themselves_or_are_left_out(names: list[str]) -> None:
    found = columns.split(names)
    assert set(found) <= set(names)
    for column, (entity, metric) in found.items():
        assert entity
        assert metric
        assert entity in column


def test_metrics_with_underscores_stay_whole() -> None:
    names = ["a_ctn_net_in", "b_ctn_net_in", "a_memory", "a_memory_rss", "b_memory", "b_memory_rss"]
    found = columns.split(names)
    assert found["a_ctn_net_in"] == ("a", "ctn_net_in")
    assert found["b_memory_rss"] == ("b", "memory_rss")


def test_a_database_beside_its_service_is_another_entity() -> None:
    found = columns.split(["cart-db_cpu", "cart_cpu", "cart_latency"])
    assert {entity for entity, _ in found.values()} == {"cart-db", "cart"}


def test_a_longer_known_name_wins_over_the_first_underscore() -> None:
    found = columns.split(["user_db_cpu", "user_cpu"], known={"user", "user_db"})
    assert found == {"user_db_cpu": ("user_db", "cpu"), "user_cpu": ("user", "cpu")}


def test_names_that_end_in_a_statistic_lose_their_last_two_fields() -> None:
    series, other = columns.series(["Shop_AWS::ECS_latency_p90", "Queue_remote_requests_Sum"])
    assert [(s.entity.kind, s.entity.name, s.metric) for s in series] == [
        ("component", "Shop_AWS::ECS", "latency_p90"),
        ("component", "Queue_remote", "requests_Sum"),
    ]
    assert other == ()


def test_an_edge_belongs_to_the_callee_and_keeps_its_caller() -> None:
    found = columns.split(["front->cart_LatencyP50", "cart_cpu", "front_cpu"])
    assert found["front->cart_LatencyP50"] == ("cart", "edge:front:LatencyP50")


def test_a_column_joined_to_a_machine_by_a_dash_is_the_machines() -> None:
    names = ["worker-01_cpu", "worker-01-tcp_retrans", "cart_cpu"]
    series, _ = columns.series(names, namespace="shop")
    by_column = {s.column: s for s in series}
    node = by_column["worker-01-tcp_retrans"]
    assert (node.entity.kind, node.entity.name, node.metric) == ("node", "worker-01", "tcp_retrans")
    assert node.entity.namespace is None
    assert by_column["cart_cpu"].entity.namespace == "shop"


@pytest.mark.parametrize("name", ["worker-02", "node1", "ip-10-0-1-7.internal", "10.1.2.3"])
def test_names_built_like_machines_are_nodes(name: str) -> None:
    assert columns.entity(name).kind == "node"


@pytest.mark.parametrize("name", ["cart", "worker", "node-exporter", "10.1.2.3_remote"])
def test_other_names_are_services(name: str) -> None:
    assert columns.entity(name).kind == "service"


def test_a_machine_the_cluster_lists_is_a_node_whatever_its_name() -> None:
    series, _ = columns.series(["bigbox_cpu", "cart_cpu"], nodes=["bigbox"])
    assert [s.entity.kind for s in series] == ["node", "service"]


def test_a_column_without_an_entity_is_left_out_and_told() -> None:
    series, other = columns.series(["cart_cpu", "uptime", "_x"])
    assert [s.column for s in series] == ["cart_cpu"]
    assert other == ("uptime", "_x")
