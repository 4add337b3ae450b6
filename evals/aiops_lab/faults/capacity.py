"""Faults of what there is to have: replicas, quota, the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.errors import WrongState
from aiops.model.entity import Entity
from aiops.model.faults import FaultType
from aiops_lab.faults.deploys import DEPLOYMENTS
from aiops_lab.faults.effects import Evicted, Made, Pressed, Removed, Strained
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, answering, throughout
from aiops_lab.topology.model import STORES, Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.effects import Phase
    from aiops_lab.faults.ports import Ground

HPAS = "horizontalpodautoscalers.autoscaling"
QUOTAS = "resourcequotas"


def _autoscaler(name: str, replicas: int, target: int) -> dict[str, Any]:
    metric = {
        "type": "Resource",
        "resource": {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": target},
        },
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": replicas,
            "metrics": [metric],
        },
    }


def _at_its_limit(aim: Aim) -> tuple[Phase, ...]:
    deployment = aim.sight.read(DEPLOYMENTS, aim.target)
    if deployment is None:
        raise WrongState(f"deployment {aim.target}", "is not there; nothing can scale it")
    replicas = int(deployment["spec"].get("replicas", 1))
    autoscaler = _autoscaler(aim.target, replicas, int(aim.level("target")))
    costly = Strained(aim.target, Behaviour(work_factor=aim.level("work")))
    return throughout(Made(HPAS, aim.target, autoscaler), costly)


HPA_LIMIT = Fault(
    name="hpa-limit",
    type=FaultType.SCHEDULING,
    says="requests cost many times the CPU, and its autoscaler is at its maximum",
    metric="container_cpu_usage_cores",
    phases=_at_its_limit,
    parameters=(
        Level("work", "times", 20, 180, 1, 10_000, "the CPU of every request"),
        Level("target", "%", 50, 50, 1, 100, "of the CPU request that the autoscaler aims at"),
    ),
    targets=answering,
    needs="kubernetes",
)


def _refused(aim: Aim) -> tuple[Phase, ...]:
    own, every = aim.sight.pods(aim.target), aim.sight.pods(None)
    name = f"{aim.target}-limit"
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name},
        "spec": {"hard": {"pods": str(len(every) - len(own))}},
    }
    return throughout(Made(QUOTAS, name, quota), *(Removed("pods", pod) for pod in own))


QUOTA = Fault(
    name="quota",
    type=FaultType.QUOTA,
    says="its pods go, and a quota of the namespace refuses those that should follow",
    metric="kube_deployment_status_replicas_unavailable",
    phases=_refused,
    needs="kubernetes",
)


def _stateless_first(ground: Ground, _target: str) -> tuple[str, ...]:
    services = ground.topology.services
    return tuple(sorted(services, key=lambda name: services[name].role in STORES))


def _pressed(aim: Aim) -> tuple[Phase, ...]:
    return throughout(Pressed(aim.target, aim.text("condition")), Evicted(aim.text("evicts")))


NODE_PRESSURE = Fault(
    name="node-pressure",
    type=FaultType.NODE,
    says="the node runs short of something, evicts a service's pods and takes no new ones",
    metric="kube_node_status_condition",
    phases=_pressed,
    parameters=(
        Choice(
            "condition",
            lambda *_: ("MemoryPressure", "DiskPressure", "PIDPressure"),
            "that holds on it",
        ),
        Choice("evicts", _stateless_first, "service whose pods have to go"),
    ),
    targets=lambda ground: ground.nodes,
    entity=lambda _ground, target: Entity("node", target),
    needs="kubernetes",
)
