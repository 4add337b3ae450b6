"""How far a rollout is, and how much it takes away meanwhile."""

from typing import Any

import pytest

from aiops_tools.kubernetes.actions.consequences import of_interruption, of_quotas
from aiops_tools.kubernetes.actions.history import current_revision, revisions
from aiops_tools.kubernetes.actions.rollout import rolled_out, rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, is_ready

CONTAINER = {"name": "main", "image": "web:2"}


def workload(kind: str = "Deployment", replicas: int = 4, **more: Any) -> dict[str, Any]:
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}},
        **more.pop("spec", {}),
    }
    done = {"replicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}
    status = {"observedGeneration": 2, "readyReplicas": replicas, **done, **more.pop("status", {})}
    metadata = {"name": "web", "namespace": "shop", "uid": "w", "generation": 2}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": status}


def pod(waiting: str = "", image: str = "web:2") -> dict[str, Any]:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    ready = {"type": "Ready", "status": "False" if waiting else "True"}
    return {
        "metadata": {"name": "web-1"},
        "spec": {"containers": [CONTAINER | {"image": image}]},
        "status": {"conditions": [ready], "containerStatuses": [{"name": "main", "state": state}]},
    }


def test_a_rollout_is_done_when_every_pod_is_new_and_available_and_no_old_one_is_left() -> None:
    assert rolled_out(workload(), ()).reached
    for late in ({"updatedReplicas": 3}, {"availableReplicas": 3}, {"replicas": 5}):
        standing = rolled_out(workload(status=late), ())
        assert not standing.reached
        assert not standing.hopeless


def test_a_status_of_before_the_change_is_not_believed() -> None:
    assert not rolled_out(workload(status={"observedGeneration": 1}), ()).reached


def test_a_new_pod_that_cannot_start_ends_the_waiting_and_an_old_one_does_not() -> None:
    behind = workload(status={"availableReplicas": 3})

    assert rolled_out(behind, [pod("ImagePullBackOff")]).hopeless
    assert "cannot start: ImagePullBackOff" in rolled_out(behind, [pod("ImagePullBackOff")]).seen
    assert not rolled_out(behind, [pod("ImagePullBackOff", image="web:1")]).hopeless
    assert not rolled_out(behind, [pod("CrashLoopBackOff")]).hopeless


def test_a_deadline_that_passed_ends_the_waiting() -> None:
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}

    assert rolled_out(workload(status={"availableReplicas": 1, "conditions": [late]}), ()).hopeless


def test_a_partition_keeps_pods_of_the_old_template_on_purpose() -> None:
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 3}}
    one = workload("StatefulSet", spec={"updateStrategy": rolling}, status={"updatedReplicas": 1})

    assert rolled_out(one, ()).reached


def test_what_changes_only_on_deletion_or_resumption_is_reached_at_once_and_says_so() -> None:
    on_delete = workload("DaemonSet", spec={"updateStrategy": {"type": "OnDelete"}})
    paused = workload(spec={"paused": True}, status={"updatedReplicas": 0})

    assert "when they are deleted" in rolled_out(on_delete, ()).seen
    assert "once it is resumed" in rolled_out(paused, ()).seen


@pytest.mark.parametrize(
    ("kind", "spec", "interrupted"),
    [
        ("Deployment", {}, 1),  # a quarter of four
        ("Deployment", {"strategy": {"type": "Recreate"}}, 4),
        ("Deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": "50%"}}}, 2),
        ("Deployment", {"strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}}, 0),
        ("Deployment", {"paused": True, "strategy": {"type": "Recreate"}}, 0),
        ("StatefulSet", {}, 1),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, 0),
    ],
)
def test_a_rollout_takes_away_what_its_strategy_allows(
    kind: str, spec: dict[str, Any], interrupted: int
) -> None:
    one = workload(kind, spec=spec)

    radius = rolling_radius(Scene(one, pods=(pod(),) * 4), one)

    assert (radius.interrupted, radius.serving) == (interrupted, 4)


def test_a_pod_that_ends_does_not_serve() -> None:
    ending = pod()
    ending["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert is_ready(pod())
    assert not is_ready(ending)


def test_the_only_pod_is_downtime_and_a_budget_is_named() -> None:
    one = workload(replicas=1, spec={"strategy": {"type": "Recreate"}})
    budget = {"metadata": {"name": "keep"}, "status": {"disruptionsAllowed": 0}}
    scene = Scene(one, pods=(pod(),), budgets=(budget,))

    told = list(of_interruption(scene, rolling_radius(scene, one)))

    assert "the only pod stops" in told[0]
    assert "budget keep allows 0" in told[1]


def test_a_quota_is_told_of_only_where_it_has_no_room() -> None:
    status = {"hard": {"pods": "5", "cpu": "2"}, "used": {"pods": "4", "cpu": "1500m"}}
    scene = Scene(workload(), quotas=({"metadata": {"name": "q"}, "status": status},))

    assert list(of_quotas(scene, {"pods": 1.0, "requests.cpu": 0.5})) == []
    assert len(list(of_quotas(scene, {"pods": 2.0, "requests.cpu": 0.6}))) == 2


def test_the_revision_in_use_is_known_by_its_template_also_where_its_number_was_renewed() -> None:
    one = workload()
    old = _replica_set("web:1", "3")
    renewed = _replica_set("web:2", "4")
    scene = Scene(one, history=(renewed, old))

    assert [each.number for each in revisions(scene)] == [3, 4]
    assert current_revision(scene) == 4
    assert current_revision(Scene(one, history=(old,))) is None


def test_a_controller_revision_is_a_template_without_the_word_it_is_patched_with() -> None:
    one = workload("StatefulSet")
    made = {
        "metadata": {"name": "web-x", "ownerReferences": [{"uid": "w"}]},
        "data": {"spec": {"template": {**one["spec"]["template"], "$patch": "replace"}}},
        "revision": 7,
    }

    found = revisions(Scene(one, history=(made,)))

    assert "$patch" not in found[0].template
    assert current_revision(Scene(one, history=(made,))) == 7


def _replica_set(image: str, number: str) -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "web", "pod-template-hash": number}},
        "spec": {"containers": [CONTAINER | {"image": image}]},
    }
    return {
        "metadata": {
            "name": f"web-{number}",
            "annotations": {"deployment.kubernetes.io/revision": number},
            "ownerReferences": [{"uid": "w"}],
        },
        "spec": {"template": template},
    }
