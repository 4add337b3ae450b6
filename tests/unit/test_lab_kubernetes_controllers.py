"""The controllers bring the cluster to what is wanted, and tell how it went."""

from typing import Any

import pytest
from lab_kubernetes import ROOT, Lab, deployment, pod

from aiops_lab.kubernetes.deleting import DeleteOptions, delete, evict
from aiops_lab.kubernetes.problems import Refused

DEPLOYMENTS, SETS = "deployments.apps", "replicasets.apps"


@pytest.fixture
def lab() -> Lab:
    return Lab()


def conditions(obj: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c.get("reason", "")) for c in obj["status"]["conditions"]}


def set_image(lab: Lab, image: str, name: str = "web") -> None:
    container = {"name": "main", "image": image}
    lab.patch(
        DEPLOYMENTS,
        name,
        {"spec": {"template": {"spec": {"containers": [container]}}}},
        "strategic",
    )


def remove(lab: Lab, resource: str, name: str, **options: Any) -> None:
    delete(lab.cluster, lab.cluster.kind(resource), "default", name, DeleteOptions(**options))
    lab.settle()


def test_a_deployment_becomes_running_pods_behind_its_service(lab: Lab) -> None:
    lab.create(
        "services",
        {
            "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    )
    lab.create(DEPLOYMENTS, deployment())
    status = lab.get(DEPLOYMENTS, "web")["status"]
    assert (status["readyReplicas"], status["availableReplicas"]) == (3, 3)
    assert conditions(lab.get(DEPLOYMENTS, "web"))["Progressing"] == (
        "True",
        "NewReplicaSetAvailable",
    )
    uids = {p["metadata"]["uid"] for p in lab.every("pods")}
    assert {uid for uid, _ in lab.runtime.targets["default/web:80"]} == uids
    assert len(lab.get("endpoints", "web")["subsets"][0]["addresses"]) == 3
    assert {
        "ScalingReplicaSet",
        "SuccessfulCreate",
        "Scheduled",
        "Pulled",
        "Started",
    } <= lab.reasons()


def test_a_rollout_never_has_fewer_available_pods_than_promised(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment(replicas=4))
    lowest = []

    def count(change: Any) -> None:
        if change.now.key[0] == "pods":
            ready = [
                p
                for p in lab.every("pods")
                if any(
                    c["type"] == "Ready" and c["status"] == "True"
                    for c in p["status"].get("conditions", ())
                )
                and not p["metadata"].get("deletionTimestamp")
            ]
            lowest.append((len(ready), len(lab.every("pods"))))

    lab.cluster.store.listen(count)
    set_image(lab, "web:2")
    assert {p["spec"]["containers"][0]["image"] for p in lab.every("pods")} == {"web:2"}
    assert min(ready for ready, _ in lowest) >= 3


def test_an_old_template_comes_back_as_a_new_revision(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment())
    set_image(lab, "web:2")
    set_image(lab, "web:1")
    annotations = lab.get(DEPLOYMENTS, "web")["metadata"]["annotations"]
    assert annotations["deployment.kubernetes.io/revision"] == "3"
    assert len(lab.every(SETS)) == 2


def test_a_rollout_that_does_not_become_ready_stops_and_says_so_after_its_deadline(
    lab: Lab,
) -> None:
    lab.create(DEPLOYMENTS, deployment(progressDeadlineSeconds=60))
    lab.patch(DEPLOYMENTS, "web", {"spec": {"paused": True}})
    set_image(lab, "web:bad")
    start = lab.runtime.start

    def start_unready(uid: str, obj: Any) -> None:
        start(uid, obj)
        from dataclasses import replace

        state = lab.runtime.state(uid)
        broken = tuple(
            replace(c, state="waiting", reason="ImagePullBackOff", ready=False)
            for c in state.containers
        )
        lab.runtime.put(replace(state, containers=broken, phase="Pending"))

    lab.runtime.start = start_unready  # type: ignore[method-assign]
    lab.patch(DEPLOYMENTS, "web", {"spec": {"paused": False}})
    assert lab.get(DEPLOYMENTS, "web")["status"]["availableReplicas"] == 3
    lab.forward(61)
    assert conditions(lab.get(DEPLOYMENTS, "web"))["Progressing"] == (
        "False",
        "ProgressDeadlineExceeded",
    )


def test_a_deleted_pod_is_replaced(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment(replicas=1))
    before = lab.every("pods")[0]["metadata"]["name"]
    remove(lab, "pods", before)
    assert [p["metadata"]["name"] for p in lab.every("pods")] != [before]
    assert len(lab.every("pods")) == 1


def test_dependents_go_with_their_owner_and_stay_when_orphaned(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment())
    remove(lab, DEPLOYMENTS, "web", propagation="Foreground")
    assert not lab.every(SETS)
    assert not lab.every("pods")
    lab.create(DEPLOYMENTS, deployment())
    remove(lab, DEPLOYMENTS, "web", propagation="Orphan")
    assert len(lab.every("pods")) == 3
    assert lab.find(DEPLOYMENTS, "web") is None


def test_a_namespace_takes_all_that_is_in_it_along(lab: Lab) -> None:
    lab.create("namespaces", {"metadata": {"name": "shop"}})
    wanted = deployment()
    wanted["metadata"]["namespace"] = "shop"
    lab.create(DEPLOYMENTS, wanted)
    delete(lab.cluster, lab.cluster.kind("namespaces"), "", "shop", DeleteOptions())
    lab.settle()
    assert lab.cluster.find("namespaces", "", "shop") is None
    assert not lab.cluster.every("pods", "shop")


def test_a_pod_too_large_for_every_node_is_told_why(lab: Lab) -> None:
    big = pod(
        "big",
        containers=[{"name": "main", "image": "x:1", "resources": {"requests": {"cpu": "99"}}}],
    )
    lab.create("pods", big)
    status = lab.get("pods", "big")["status"]
    assert status["phase"] == "Pending"
    assert "Insufficient cpu" in status["conditions"][0]["message"]
    assert "FailedScheduling" in lab.reasons()


def test_a_cordoned_node_takes_new_pods_only_after_it_is_uncordoned(lab: Lab) -> None:
    node = lab.cluster.find("nodes", "", "lab-node")
    assert node is not None
    lab.cluster.change(node, spec={"unschedulable": True})
    lab.settle()
    lab.create("pods", pod("late"))
    assert not lab.get("pods", "late")["spec"].get("nodeName")
    node = lab.cluster.find("nodes", "", "lab-node")
    assert node is not None
    lab.cluster.change(node, spec={})
    lab.settle()
    assert lab.get("pods", "late")["status"]["phase"] == "Running"


def test_memory_pressure_is_a_condition_and_a_taint_and_goes_again(lab: Lab) -> None:
    lab.plane.press("lab-node", frozenset({"MemoryPressure"}))
    lab.settle()
    node = lab.cluster.find("nodes", "", "lab-node")
    assert node is not None
    assert conditions(node)["MemoryPressure"][0] == "True"
    assert node["spec"]["taints"][0]["key"] == "node.kubernetes.io/memory-pressure"
    lab.plane.press("lab-node", frozenset())
    lab.settle()
    node = lab.cluster.find("nodes", "", "lab-node")
    assert node is not None
    assert "taints" not in node["spec"]


def test_a_crashing_container_is_seen_in_status_and_events(lab: Lab) -> None:
    lab.create("pods", pod("p"))
    lab.fail(
        lab.get("pods", "p"),
        state="waiting",
        reason="CrashLoopBackOff",
        ready=False,
        restarts=2,
        last_reason="OOMKilled",
        last_exit_code=137,
    )
    status = lab.get("pods", "p")["status"]["containerStatuses"][0]
    assert status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["lastState"]["terminated"] == {"exitCode": 137, "reason": "OOMKilled"}
    assert {"BackOff", "OOMKilling"} <= lab.reasons()
    assert conditions(lab.get("pods", "p"))["Ready"][0] == "False"


def test_a_pod_that_is_not_ready_is_not_behind_the_service(lab: Lab) -> None:
    lab.create(
        "services",
        {"metadata": {"name": "p"}, "spec": {"selector": {"app": "p"}, "ports": [{"port": 80}]}},
    )
    lab.create("pods", pod("p"))
    lab.fail(lab.get("pods", "p"), ready=False, unhealthy="Readiness probe failed: 503")
    assert lab.runtime.targets["default/p:80"] == ()
    assert "notReadyAddresses" in lab.get("endpoints", "p")["subsets"][0]
    assert "Unhealthy" in lab.reasons()


def test_a_quota_stops_what_passes_it_and_the_deployment_says_so(lab: Lab) -> None:
    lab.create("resourcequotas", {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "2"}}})
    lab.create(DEPLOYMENTS, deployment(replicas=3))
    assert len(lab.every("pods")) == 2
    assert lab.get("resourcequotas", "few")["status"]["used"] == {"pods": "2"}
    assert conditions(lab.get(DEPLOYMENTS, "web"))["ReplicaFailure"] == ("True", "FailedCreate")
    lab.patch("resourcequotas", "few", {"spec": {"hard": {"pods": "3"}}})
    lab.forward(5)
    assert lab.get(DEPLOYMENTS, "web")["status"]["readyReplicas"] == 3
    lab.patch("resourcequotas", "few", {"spec": {"hard": {"pods": "2"}}})
    with pytest.raises(Refused, match="exceeded quota: few, requested: pods=1, used: pods=3"):
        lab.create("pods", pod("third"))


def test_a_limit_range_gives_defaults(lab: Lab) -> None:
    limit = {"type": "Container", "default": {"cpu": "200m"}, "defaultRequest": {"cpu": "50m"}}
    lab.create("limitranges", {"metadata": {"name": "l"}, "spec": {"limits": [limit]}})
    lab.create("pods", pod("p"))
    resources = lab.get("pods", "p")["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"cpu": "200m"}, "requests": {"cpu": "50m"}}


def test_an_eviction_that_breaks_the_budget_is_refused_until_there_is_room(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment(replicas=2))
    budget = {
        "metadata": {"name": "b"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
    }
    lab.create("poddisruptionbudgets.policy", budget)
    first = lab.every("pods")[0]["metadata"]["name"]
    with pytest.raises(Refused) as refused:
        evict(lab.cluster, "default", first, DeleteOptions())
    assert refused.value.code == 429
    lab.patch("poddisruptionbudgets.policy", "b", {"spec": {"minAvailable": 1}})
    evict(lab.cluster, "default", first, DeleteOptions())
    lab.settle()
    assert lab.find("pods", first) is None


def test_an_autoscaler_follows_cpu_up_at_once_and_down_after_its_window(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment(replicas=2))
    load = 0.2

    def usage(uid: str) -> tuple[float, int]:
        return load, 0

    lab.runtime.usage = usage  # type: ignore[method-assign]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    wanted = {"type": "Utilization", "averageUtilization": 100}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": wanted}}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5, "metrics": [metric]}
    lab.create("horizontalpodautoscalers.autoscaling", {"metadata": {"name": "web"}, "spec": spec})
    lab.forward(15)
    assert lab.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 5
    load = 0.01
    lab.forward(30)
    assert lab.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 5
    for _ in range(25):
        lab.forward(15)
    assert lab.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 1
    assert "SuccessfulRescale" in lab.reasons()


def test_an_autoscaler_keeps_its_bounds_though_no_pod_can_be_measured(lab: Lab) -> None:
    silent = deployment(replicas=1)
    silent["spec"]["template"]["spec"]["containers"][0].pop("resources", None)
    lab.create(DEPLOYMENTS, silent)
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    wanted = {"type": "Utilization", "averageUtilization": 100}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": wanted}}
    spec = {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 5, "metrics": [metric]}
    lab.create("horizontalpodautoscalers.autoscaling", {"metadata": {"name": "web"}, "spec": spec})
    assert lab.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 3
    lab.patch("horizontalpodautoscalers.autoscaling", "web", {"spec": {"maxReplicas": 3}})
    lab.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 9}})
    lab.forward(15)
    assert lab.get(DEPLOYMENTS, "web")["spec"]["replicas"] == 3
    assert "FailedGetResourceMetric" in lab.reasons(), "within them it would have to measure"


def test_a_stateful_set_numbers_its_pods_and_updates_from_the_last(lab: Lab) -> None:
    wanted = deployment("db", replicas=3)
    wanted["spec"]["serviceName"] = "db"
    lab.create("statefulsets.apps", wanted)
    assert [p["metadata"]["name"] for p in lab.every("pods")] == ["db-0", "db-1", "db-2"]
    container = {"name": "main", "image": "web:2"}
    lab.patch(
        "statefulsets.apps",
        "db",
        {"spec": {"template": {"spec": {"containers": [container]}}}},
        "strategic",
    )
    assert {p["spec"]["containers"][0]["image"] for p in lab.every("pods")} == {"web:2"}
    status = lab.get("statefulsets.apps", "db")["status"]
    assert status["currentRevision"] == status["updateRevision"]


def test_a_daemon_set_has_one_pod_on_every_node(lab: Lab) -> None:
    wanted = deployment("agent")
    del wanted["spec"]["replicas"]
    lab.create("daemonsets.apps", wanted)
    assert len(lab.every("pods")) == 1
    assert lab.get("daemonsets.apps", "agent")["status"]["numberReady"] == 1


def test_a_job_is_complete_when_its_pods_have_ended_well(lab: Lab) -> None:
    template = {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "x:1"}]}
    }
    lab.create("jobs.batch", {"metadata": {"name": "once"}, "spec": {"template": template}})
    running = lab.every("pods")[0]
    lab.runtime.stop(running["metadata"]["uid"], 0)
    lab.settle()
    job = lab.get("jobs.batch", "once")
    assert conditions(job)["Complete"][0] == "True"
    assert job["status"]["succeeded"] == 1


def test_chaos_that_nobody_enacts_says_so(lab: Lab) -> None:
    spec = {"action": "pod-kill", "mode": "one", "selector": {"namespaces": ["default"]}}
    experiment = {"metadata": {"name": "x"}, "spec": spec}
    lab.create("podchaos.chaos-mesh.org", experiment)
    found = lab.get("podchaos.chaos-mesh.org", "x")
    assert conditions(found)["AllInjected"] == ("False", "NoEnactor")


def test_a_dry_run_leaves_nothing_behind(lab: Lab) -> None:
    from dataclasses import replace

    revision = lab.cluster.store.revision
    lab.create(DEPLOYMENTS, deployment(), replace(ROOT, dry_run=True))
    assert lab.find(DEPLOYMENTS, "web") is None
    assert lab.cluster.store.revision == revision
