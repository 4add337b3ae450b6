"""Following a fault through a cluster: what is asked, in which order, and until when."""

from typing import Final

from asked_clusters import (
    NAMESPACE,
    PODS,
    WELL,
    Asked,
    daemon,
    described,
    listed,
    nodes,
    pods,
    table,
)

from aiops.agents.crew import RunBudget

_CRASHING: Final = """Name:             till-6c5d7f8b9-x2x2x
Namespace:        corner
Node:             n1/10.0.0.1
Labels:           app=till
Status:           Running
Controlled By:  ReplicaSet/till-6c5d7f8b9
Containers:
  main:
    Image:          registry.test/till:1
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  4
    Limits:
      memory:  16Mi
Conditions:
  Type    Status
  Ready   False
Events:  <none>
"""
_UNPLACED: Final = """Name:             till-6c5d7f8b9-x2x2x
Namespace:        corner
Node:             <none>
Labels:           app=till
Status:           Pending
Controlled By:  ReplicaSet/till-6c5d7f8b9
Containers:
  main:
    Image:          registry.test/till:1
Events:  <none>
"""
_CRASHED = "till-6c5d7f8b9-x2x2x  0/1  CrashLoopBackOff  4 (20s ago)  5m  10.0.0.1  n1"
_WAITS = "till-6c5d7f8b9-x2x2x  0/1  Pending  0  5m  <none>  <none>"
_LOST = (
    "till-6c5d7f8b9-x2x2x  0/1  ContainerCreating  0  5m  <none>  n2",
    "stock-7d4b9c6f5-hjk2m  0/1  ContainerCreating  0  5m  <none>  n2",
    "shelf-5f6c8d7b4-klmnp  0/1  ContainerCreating  0  5m  <none>  n2",
)
_NODES = "NAME  STATUS  ROLES  AGE  VERSION  LABELS"


def test_a_pod_that_fails_is_described_and_its_cause_ends_the_asking() -> None:
    asked = Asked(
        {
            pods(): table(PODS, _CRASHED, WELL["stock"]),
            described("pods", "till-6c5d7f8b9-x2x2x"): _CRASHING,
        }
    )
    report = asked.report()
    assert report.root_causes[0].entity.name == "till"
    assert report.root_causes[0].fault_type == "oom"
    assert asked.calls == [
        "GetResources corner pods",
        "DescribeResource till-6c5d7f8b9-x2x2x corner pods",
    ]


def test_a_machine_that_is_lost_is_asked_which_of_its_daemons_died() -> None:
    asked = Asked(
        {
            pods(): table(PODS, *_LOST),
            nodes(): table(
                _NODES, "n1  Ready  node  9d  v1.31.2  a=b", "n2  NotReady  node  9d  v1.31.2  a=b"
            ),
            daemon("n2", "kubelet"): "Service: kubelet\nNode: n2\n  Active: inactive (dead)\n",
            daemon(
                "n2", "containerd"
            ): "Service: containerd\nNode: n2\n  Active: active (running)\n",
        }
    )
    report = asked.report()
    first = report.root_causes[0]
    assert (first.entity.kind, first.entity.name) == ("node", "n2")
    assert any("kubelet" in item.claim for item in report.evidence if item.id in first.evidence)
    assert len(asked.calls) == 4, "no pod of a lost machine is described"


def test_a_pod_that_nobody_places_leads_to_whoever_places_pods() -> None:
    asked = Asked(
        {
            pods(): table(PODS, _WAITS, WELL["stock"]),
            described("pods", "till-6c5d7f8b9-x2x2x"): _UNPLACED,
            nodes(): table(
                _NODES,
                "n0  Ready  <none>  9d  v1.31.2  node-role.kubernetes.io/control-plane=",
                "n1  Ready  <none>  9d  v1.31.2  disk=ssd",
            ),
            daemon("n0", "kube-scheduler"): "Service: kube-scheduler\n  Active: inactive (dead)\n",
        }
    )
    report = asked.report()
    assert report.root_causes[0].entity.name == "n0"
    assert asked.calls[-1] == "CheckNodeServiceStatus n0 kube-scheduler"


def test_where_all_pods_are_well_the_asking_goes_outwards_and_repeats_nothing() -> None:
    asked = Asked({pods(): table(PODS, *WELL.values())})
    report = asked.report()
    assert report.root_causes == ()
    assert [call.split()[-1] for call in asked.calls[:2]] == ["pods", "deployments"]
    assert "GetAlerts" in asked.calls
    assert len(asked.calls) == len(set(asked.calls))


def test_what_was_not_recorded_is_a_failed_step_of_the_report_and_ends_nothing() -> None:
    asked = Asked({pods(): table(PODS, _CRASHED)})
    report = asked.report()
    assert report.root_causes[0].entity.name == "till"
    assert any("not recorded" in step.reason for step in report.failed_steps)


def test_alerts_that_a_tool_answers_are_read_as_alerts() -> None:
    alerts = """{"alerts": [{"type": "Service", "name": "till", "evidence":
        ["RESOURCE_SATURATION [cpu_cfs] | Val: 0.824s (Throttled)",
         "RESOURCE_SATURATION [cpu core] | Normal=0.03 cores -> Current=0.36 cores (+1100%)",
         "LATENCY [Slow Response] | till-p95latency: Normal=4.85ms -> Current=470.04ms"]}]}"""
    asked = Asked(
        {
            pods(): table(PODS, *WELL.values()),
            listed("deployments"): table(
                "NAME  READY  UP-TO-DATE  AVAILABLE  AGE", "till  1/1  1  1  5m"
            ),
            "GetAlerts:{}": alerts,
        }
    )
    report = asked.report()
    assert report.root_causes[0].entity.name == "till"
    assert report.root_causes[0].fault_type == "cpu"
    assert report.root_causes[0].entity.namespace in (None, NAMESPACE)


def test_asking_that_is_cut_short_accuses_nobody() -> None:
    asked = Asked({pods(): table(PODS, *WELL.values())}, RunBudget(turns=2, calls=30))
    report = asked.report()
    assert report.verdict == "inconclusive"
    assert report.usage.stopped_by == "2 rounds"
