"""Which network policy decides whether a pod reaches another."""

from typing import Any

import pytest

from aiops_tools.kubernetes.network_policies import Peer, reach

WEB = Peer("shop", {"app": "web"}, {"team": "shop"}, "10.0.0.1", {})
STORE = Peer("data", {"app": "store"}, {"team": "data"}, "10.0.1.1", {"sql": 5432})


def policy(name: str, namespace: str, selector: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": selector, **spec},
    }


def allowed(*policies: dict[str, Any], port: int = 5432, protocol: str = "TCP") -> bool:
    out, in_ = reach(policies, WEB, STORE, port, protocol)
    return out.allowed and in_.allowed


def entering(rule: dict[str, Any] | None) -> dict[str, Any]:
    rules = [] if rule is None else [rule]
    return policy("gate", "data", {}, policyTypes=["Ingress"], ingress=rules)


def test_without_policies_everything_passes() -> None:
    assert allowed()


def test_a_policy_of_another_namespace_says_nothing() -> None:
    assert allowed(policy("gate", "elsewhere", {}, policyTypes=["Ingress", "Egress"]))


def test_a_policy_that_allows_nothing_closes_the_pods_it_chooses() -> None:
    assert not allowed(entering(None))
    assert allowed(policy("gate", "data", {"matchLabels": {"app": "other"}}, ingress=[]))


def test_policies_add_up() -> None:
    assert allowed(entering(None), entering({}))


@pytest.mark.parametrize(
    ("peer", "through"),
    [
        ({"podSelector": {}}, False),  # of the policy's own namespace, which the caller is not in
        ({"namespaceSelector": {}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "shop"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "data"}}}, False),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}, True),
        ({"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "job"}}}, False),
        ({"ipBlock": {"cidr": "10.0.0.0/16"}}, True),
        ({"ipBlock": {"cidr": "10.0.0.0/16", "except": ["10.0.0.0/24"]}}, False),
        ({"ipBlock": {"cidr": "not an address"}}, False),
    ],
)
def test_a_rule_means_the_peers_it_names(peer: dict[str, Any], through: bool) -> None:
    assert allowed(entering({"from": [peer]})) is through


@pytest.mark.parametrize(
    ("ports", "through"),
    [
        ([{"port": 5432}], True),
        ([{"port": 80}], False),
        ([{"port": "sql"}], True),
        ([{"port": "http"}], False),
        ([{"port": 5000, "endPort": 6000}], True),
        ([{"port": 5432, "protocol": "UDP"}], False),
        ([{"protocol": "TCP"}], True),
    ],
)
def test_a_rule_means_the_ports_it_names(ports: list[Any], through: bool) -> None:
    assert allowed(entering({"ports": ports})) is through


def test_leaving_is_decided_at_the_source_and_the_deciding_policy_is_named() -> None:
    only_dns = policy("only-dns", "shop", {}, egress=[{"ports": [{"port": 53}]}])
    out, in_ = reach([only_dns], WEB, STORE, 5432, "TCP")
    assert not out.allowed
    assert out.by == ("only-dns",)
    assert "only-dns" in out.said
    assert in_.allowed
    assert in_.by == ()
