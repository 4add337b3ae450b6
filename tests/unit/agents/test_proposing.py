"""What the rules propose: from what is seen of the accused to writes on its own objects."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from clusters import Api, deployment, event, meta, node, pod, service
from damaged import LAB, WRITES, cause, proposals, report, told, version

from aiops.agents.memory.routines import cue_of
from aiops.agents.memory.signature import signature_of
from aiops.agents.proposing.proposer import MOST, Place
from aiops.model import Entity, FaultType
from aiops.model.memory import Routine
from aiops.store.memories import MemoryMemories

WEB = {"cluster": "lab", "namespace": "shop", "kind": "Deployment", "name": "web"}
ROLLED = (
    deployment("web", 1),
    service("web"),
    version("web", 1, 9000, 0, "web:1"),
    version("web", 2, 70, 1, "web:2"),
)
"""A new image ten seconds before the onset."""


def limited(**limits: str) -> Api:
    return deployment("web", 1, container={"resources": {"limits": limits}})


def test_a_new_version_shortly_before_the_onset_is_taken_back() -> None:
    found = proposals(ROLLED, cause("web"))
    assert told(found) == [("kubernetes.rollout_undo", {**WEB, "to_revision": 1})]
    assert "runs image web:2 where it ran web:1" in found[0].reason


def test_a_proposal_cites_the_evidence_of_the_one_it_is_for() -> None:
    (found,) = proposals(ROLLED, cause("web"))
    assert found.evidence == ("E1",)
    assert found.reason.endswith("[E1]")


def test_a_version_of_yesterday_is_left_alone() -> None:
    old = (*ROLLED[:2], version("web", 1, 99_000, 0, "web:1"), version("web", 2, 9000, 1, "web:2"))
    assert proposals(old, cause("web")) == []


def test_a_version_that_came_after_the_onset_is_not_blamed() -> None:
    hours = (*ROLLED[:2], version("web", 1, 99_000, 0, "web:1"), version("web", 2, 0, 1, "web:2"))
    assert told(proposals(hours, cause("web")))[0][0] == "kubernetes.rollout_undo"  # clocks differ


def test_a_return_to_an_older_version_is_not_undone_by_rule() -> None:
    back = (*ROLLED[:2], version("web", 3, 300, 1, "web:1"), version("web", 2, 70, 0, "web:2"))
    assert proposals(back, cause("web")) == []


def test_a_restart_is_no_new_version() -> None:
    again = (*ROLLED[:2], version("web", 1, 9000, 0, "web:1"), version("web", 2, 70, 1, "web:1"))
    assert proposals(again, cause("web")) == []


def test_the_version_before_is_the_last_one_that_differs() -> None:
    versions = [version("web", n, 9000 - n, 0, f"web:{n // 2}") for n in (2, 4, 5)]
    found = proposals((*ROLLED[:2], *versions, version("web", 6, 70, 1, "web:3")), cause("web"))
    assert told(found)[0][1]["to_revision"] == 5


def test_what_was_scaled_to_nothing_gets_what_it_had() -> None:
    said = event(
        "Deployment", "web", "ScalingReplicaSet", "Scaled down replica set web-1 to 0 from 4"
    )
    found = proposals((deployment("web", 0, 0), service("web"), said), cause("web"))
    assert told(found) == [("kubernetes.scale", {**WEB, "replicas": 4})]


def test_a_paused_rollout_goes_on_where_pods_are_missing() -> None:
    paused = deployment("web", 0)
    paused["spec"]["paused"] = True
    (found,) = told(proposals((paused, service("web")), cause("web")))
    assert found[0] == "kubernetes.rollout_resume"
    assert "kind" not in found[1]


def test_a_wrong_address_in_a_config_map_is_corrected_and_its_readers_restarted() -> None:
    reads = deployment("web", 1, container={"envFrom": [{"configMapRef": {"name": "web-config"}}]})
    config = {
        "kind": "ConfigMap",
        "metadata": meta("web-config"),
        "data": {"CART_URL": "http://cart-old:80", "LEVEL": "info"},
    }
    (found,) = told(proposals((reads, service("web"), service("cart"), config), cause("web")))
    assert found[0] == "plan.carry_out"
    place = {"cluster": "lab", "namespace": "shop", "name": "web-config"}
    assert found[1]["steps"] == [
        {
            "tool": "kubernetes.set_config",
            "arguments": {**place, "data": {"CART_URL": "http://cart:80"}},
        },
        {"tool": "kubernetes.rollout_restart", "arguments": WEB},
    ]


def test_a_closed_node_takes_pods_that_wait() -> None:
    waiting = (deployment("web", 0), service("web"), pod("web", node=""))
    closed = node("n1", unschedulable=True)
    assert told(proposals((*waiting, closed), cause("web"))) == [
        ("kubernetes.uncordon", {"cluster": "lab", "name": "n1"})
    ]
    assert proposals((*waiting, node("n1", ready="False", unschedulable=True)), cause("web")) == []
    accused = replace(cause("n1", FaultType.NODE), entity=Entity("node", "n1"))
    assert [one.tool for one in proposals((*waiting, closed), accused)] == ["kubernetes.uncordon"]


def test_what_is_killed_at_its_memory_limit_gets_twice_as_much() -> None:
    objects = (limited(memory="64Mi"), service("web"))
    assert told(proposals(objects, cause("web", FaultType.OOM))) == [
        ("kubernetes.set_resources", {**WEB, "container": "main", "memory_limit": "128Mi"})
    ]


def test_what_is_held_back_by_its_cpu_limit_gets_twice_as_much() -> None:
    objects = (limited(cpu="250m"), service("web"))
    assert told(proposals(objects, cause("web", FaultType.CPU))) == [
        ("kubernetes.set_resources", {**WEB, "container": "main", "cpu_limit": "500m"})
    ]


def test_an_autoscaler_at_its_maximum_gets_room_before_limits_are_lifted() -> None:
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta("web"),
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 3,
        },
        "status": {"currentReplicas": 3, "desiredReplicas": 3},
    }
    tools = told(proposals((limited(cpu="1"), service("web"), scaler), cause("web", FaultType.CPU)))
    assert tools[0] == (
        "kubernetes.set_hpa_bounds",
        {
            "cluster": "lab",
            "namespace": "shop",
            "name": "web",
            "min_replicas": 2,
            "max_replicas": 6,
        },
    )
    assert tools[1][0] == "kubernetes.set_resources"


def test_under_many_more_requests_copies_are_added_but_not_of_what_keeps_data() -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    traffic = cause("web", FaultType.TRAFFIC)
    assert told(proposals((deployment("web", 2, 2), service("web")), traffic)) == [
        ("kubernetes.scale", {**WEB, "replicas": 4})
    ]
    keeps = deployment("web", 2, 2, volumes=volumes)
    assert proposals((keeps, service("web")), traffic) == []


def test_what_leaks_connections_is_started_anew() -> None:
    found = proposals((deployment("web"), service("web")), cause("web", FaultType.CONNECTION_POOL))
    assert [one.tool for one in found] == ["kubernetes.rollout_restart"]


def test_where_something_is_seen_broken_nothing_is_tried_on_suspicion() -> None:
    found = proposals(ROLLED, cause("web", FaultType.CONNECTION_POOL, FaultType.TRAFFIC))
    assert [one.tool for one in found] == ["kubernetes.rollout_undo"]


def test_of_the_second_suspect_only_visible_damage_is_mended() -> None:
    objects = (*ROLLED, deployment("db"), service("db"))
    second = cause("web", rank=2)
    assert [
        one.tool for one in proposals(objects, cause("db", FaultType.CONNECTION_POOL), second)
    ] == ["kubernetes.rollout_undo", "kubernetes.rollout_restart"]
    assert proposals((deployment("db"), deployment("web")), cause("db"), second) == []


@pytest.mark.parametrize("verdict", ["healthy", "inconclusive"])
def test_where_nobody_is_accused_nothing_is_proposed(verdict: str) -> None:
    assert proposals(ROLLED, cause("web"), verdict=verdict) == []  # type: ignore[arg-type]


def test_between_two_clusters_nothing_is_guessed() -> None:
    both = (LAB, Place("other", "eu"))
    assert proposals(ROLLED, cause("web"), places=both) == []
    (found,) = proposals(ROLLED, cause("web", cluster="lab"), places=both)
    assert found.tool == "kubernetes.rollout_undo"


def test_a_tool_that_is_not_there_is_not_proposed() -> None:
    assert proposals(ROLLED, cause("web"), writes=WRITES - {"kubernetes.rollout_undo"}) == []


def test_what_helped_before_comes_first_and_never_more_than_three() -> None:
    accused = cause("web", FaultType.CPU, FaultType.CONNECTION_POOL, FaultType.OOM)
    objects = (limited(cpu="1", memory="1Gi"), service("web"))
    before = [one.tool for one in proposals(objects, accused)]
    assert before[-1] == "kubernetes.rollout_restart"
    assert len(before) == MOST
    memory = MemoryMemories()
    cue = cue_of(signature_of(report(accused)))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    memory.learn(None, Routine(cue, ("kubernetes.rollout_restart",), ("inv-1",), at))
    assert proposals(objects, accused, memory=memory)[0].tool == "kubernetes.rollout_restart"
