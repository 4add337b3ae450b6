"""Rollouts that are stuck, replicas that were taken away, and what an autoscaler asks for."""

import pytest
from clusters import Api, deployment, event, meta, node, pod, service
from damaged import cause, proposals, told, version

from aiops.agents.proposing.left_to_people import who_decides
from aiops.model import FaultType

WEB = {"cluster": "lab", "namespace": "shop", "kind": "Deployment", "name": "web"}


def rolling(reason: str, new_ready: int = 0, old_ready: int = 2) -> list[Api]:
    """A version of two hours ago beside the one before."""
    stuck = deployment("web", 2, 3)
    stuck["status"]["conditions"] = [{"type": "Progressing", "status": "False", "reason": reason}]
    new, old = version("web", 2, 7200, 1, "web:2"), version("web", 1, 9000, 2, "web:1")
    new["status"]["readyReplicas"], old["status"]["readyReplicas"] = new_ready, old_ready
    return [stuck, service("web"), new, old]


def test_a_stuck_rollout_goes_back_to_what_still_serves_however_long_ago_it_began() -> None:
    (found,) = proposals(rolling("ProgressDeadlineExceeded"), cause("web"))
    assert told([found]) == [("kubernetes.rollout_undo", {**WEB, "to_revision": 1})]
    assert "none of whose pods is ready while revision 1 still serves" in found.reason


@pytest.mark.parametrize(
    "objects",
    [
        rolling("NewReplicaSetAvailable"),
        rolling("ProgressDeadlineExceeded", new_ready=1),
        rolling("ProgressDeadlineExceeded", old_ready=0),
    ],
    ids=["goes-on", "serves", "nothing-to-go-back-to"],
)
def test_a_rollout_that_gets_on_or_has_no_way_back_is_left_alone(objects: list[Api]) -> None:
    assert proposals(objects, cause("web")) == []


def scaled_down(age: float, name: str = "web-1", said: str = "to 1 from 4") -> tuple[Api, ...]:
    told = event(
        "Deployment", "web", "ScalingReplicaSet", f"Scaled down replica set {name} {said}", age
    )
    serving = version("web", 1, 9000, 1, "web:1")
    return deployment("web", 1, 1), service("web"), serving, told


@pytest.mark.parametrize("said", ["to 1 from 4", "from 4 to 1"])
def test_replicas_that_were_taken_away_shortly_before_come_back(said: str) -> None:
    found = proposals(scaled_down(100, said=said), cause("web"))
    assert told(found) == [("kubernetes.scale", {**WEB, "replicas": 4})]


@pytest.mark.parametrize(
    "objects",
    [
        scaled_down(9000),
        scaled_down(100, name="web-0"),  # the version before, at the end of a rollout
        scaled_down(100, said="to 2 from 4"),  # by now it is another number
    ],
    ids=["long-ago", "of-another-version", "changed-since"],
)
def test_replicas_that_went_for_another_reason_stay_away(objects: tuple[Api, ...]) -> None:
    assert proposals(objects, cause("web")) == []


def autoscaler(using: int | None, current: int = 1) -> Api:
    aimed = {"type": "Utilization", "averageUtilization": 50}
    used = [] if using is None else [{"averageUtilization": using}]
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta("web"),
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "web"},
            "maxReplicas": 1,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": aimed}}],
        },
        "status": {
            "currentReplicas": current,
            "desiredReplicas": current,
            "currentMetrics": [
                {"type": "Resource", "resource": {"name": "cpu", "current": one}} for one in used
            ],
        },
    }


@pytest.mark.parametrize(("using", "most"), [(238, 5), (60, 2), (None, 2), (9000, 20)])
def test_an_autoscaler_gets_as_much_room_as_its_own_sum_asks_for(
    using: int | None, most: int
) -> None:
    objects = (deployment("web"), service("web"), autoscaler(using))
    ((tool, arguments),) = told(proposals(objects, cause("web", FaultType.SCHEDULING)))
    assert (tool, arguments["max_replicas"]) == ("kubernetes.set_hpa_bounds", most)
    # At twice what it aims at they soon are too busy to be measured.
    assert arguments["min_replicas"] == (most if (using or 0) >= 100 else 1)


def test_replicas_that_an_autoscaler_took_away_are_its_own_to_choose() -> None:
    objects = (*scaled_down(100), autoscaler(10))
    tools = [one.tool for one in proposals(objects, cause("web"))]
    assert "kubernetes.scale" not in tools


def test_a_closed_node_is_opened_only_for_pods_that_may_run_there() -> None:
    wants = {"nodeSelector": {"disk": "fast"}}
    waiting = (deployment("web", 0, **wants), service("web"), pod("web", node="", **wants))
    slow = node("n1", unschedulable=True, labels={"disk": "slow"})
    fast = node("n2", unschedulable=True, labels={"disk": "fast"})
    assert proposals((*waiting, slow), cause("web")) == []
    ((_, arguments),) = told(proposals((*waiting, slow, fast), cause("web")))
    assert arguments["name"] == "n2"


@pytest.mark.parametrize(
    "fault",
    [
        FaultType.QUOTA,
        FaultType.CERTIFICATE,
        FaultType.CREDENTIAL,
        FaultType.DISK,
        FaultType.STORAGE,
        FaultType.NETWORK_PARTITION,
        FaultType.NETWORK_DELAY,
        FaultType.DNS,
        FaultType.NODE,
        FaultType.CRASH,
        FaultType.RETRY_STORM,
    ],
)
def test_what_people_have_to_decide_is_not_proposed_and_it_is_said_who_decides(
    fault: FaultType,
) -> None:
    assert proposals((deployment("web"), service("web"), pod("web")), cause("web", fault)) == []
    assert who_decides(fault) != who_decides(None)


def test_pods_too_busy_to_be_ready_are_not_counted_so_more_are_asked_for_at_once() -> None:
    objects = (deployment("web", ready=0), service("web"), autoscaler(None))
    (found,) = proposals(objects, cause("web", FaultType.SCHEDULING))
    ((_, arguments),) = told([found])
    assert (arguments["min_replicas"], arguments["max_replicas"]) == (2, 2)
    assert "to be lowered again" in found.reason


def kept(number: int, age: float, image: str, kind: str = "StatefulSet") -> Api:
    """A version of a stateful set, as the cluster keeps it."""
    container = {"name": "main", "image": image}
    return {
        "kind": "ControllerRevision",
        "metadata": meta(f"web-{number}", age, ownerReferences=[{"kind": kind, "name": "web"}]),
        "revision": number,
        "data": {"spec": {"template": {"spec": {"containers": [container]}}}},
    }


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_a_new_version_of_what_keeps_its_revisions_itself_is_taken_back(kind: str) -> None:
    made = deployment("web") | {"kind": kind}
    versions = (kept(1, 9000, "web:1", kind), kept(2, 70, "web:2", kind))
    found = proposals((made, service("web"), *versions), cause("web"))
    assert told(found) == [("kubernetes.rollout_undo", WEB | {"kind": kind, "to_revision": 1})]
    assert "runs image web:2 where it ran web:1" in found[0].reason


def test_a_stateful_set_that_went_back_itself_is_left_alone() -> None:
    made = deployment("web") | {"kind": "StatefulSet"}
    # Going back, the controller gives the old version a new number.
    versions = (kept(3, 9000, "web:1"), kept(2, 70, "web:2"))
    assert proposals((made, service("web"), *versions), cause("web")) == []
