"""Pods no node takes."""

import pytest
from clusters import deployment, event, first, healthy, node, pending, pod, raised, seen


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("3 Insufficient cpu.", "cpu_request_over_capacity_of_nodes"),
        ("3 Insufficient memory.", "memory_request_over_capacity_of_nodes"),
        ("3 node(s) didn't match pod anti-affinity rules.", "pod_anti_affinity_leaves_no_node"),
        ("3 node(s) had untolerated taint {team: a}.", "taint_of_node_not_tolerated"),
        (
            "3 node(s) didn't match pod topology spread constraints.",
            "topology_spread_leaves_no_node",
        ),
        (
            "1 node(s) didn't have free ports for the requested pod ports.",
            "host_port_taken_on_nodes",
        ),
        ("3 node(s) had volume node affinity conflict.", "volume_node_affinity_conflict"),
    ],
)
def test_what_the_scheduler_says_is_named(message: str, kind: str) -> None:
    assert first(pending(f"0/3 nodes are available: {message}", node("n1")))[2] == kind


def test_selector_affinity_and_cordon_are_told_apart_by_the_nodes_themselves() -> None:
    message = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    ssd = {"disk": "ssd"}
    term = {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}
    wish = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    cordoned = node("n2", labels=ssd, unschedulable=True)
    selector = pending(message, node("n1"), nodeSelector=ssd)
    affinity = pending(message, node("n1"), affinity={"nodeAffinity": wish})
    cordon = pending(message, node("n1"), cordoned, nodeSelector=ssd)
    assert first(selector)[2] == "node_selector_matches_no_node"
    assert first(affinity)[2] == "node_affinity_matches_no_node"
    assert first(cordon)[2] == "matching_node_is_cordoned"


def test_a_scheduler_that_says_nothing_is_gone() -> None:
    plane = node("cp", labels={"node-role.kubernetes.io/control-plane": ""})
    scene = seen(
        deployment("web", 0),
        pod("web", node=""),
        *healthy("cart"),
        event("Pod", "cart-1", "Pulled", "image present"),
        plane,
    )
    assert first(scene) == ("node", "cp", "kube_scheduler_not_running")


def test_without_events_of_pods_a_silent_scheduler_is_not_accused() -> None:
    scene = seen(deployment("web", 0), pod("web", node=""), node("cp"))
    assert not [h for h in raised(scene) if "scheduler" in h.kind]
