"""Faults of what there is to have: replicas, quota, the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.errors import WrongState
from aiops.model.entity import Entity
from aiops.model.faults import FaultType
from aiops_lab.faults.compute import MOST_CORES
from aiops_lab.faults.demand import demand, loaded
from aiops_lab.faults.deploys import DEPLOYMENTS
from aiops_lab.faults.effects import Evicted, Made, Pressed, Removed, Strained
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, callers, throughout
from aiops_lab.topology.model import STORES, Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.effects import Phase
    from aiops_lab.faults.ports import Ground

HPAS = "horizontalpodautoscalers.autoscaling"
QUOTAS = "resourcequotas"
USERS_PATIENCE_S = 5.0
SHORT_OF = {"MemoryPressure": "memory", "DiskPressure": "ephemeral-storage", "PIDPressure": "pids"}
"""Conditions of a node, and the resource that each is about."""


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
    costly = Behaviour(work_factor=_work_factor(aim, replicas))
    return throughout(Made(HPAS, aim.target, autoscaler), Strained(aim.target, costly))


def _work_factor(aim: Aim, replicas: int) -> float:
    """So that the load there is takes its share of the limit, and one request half a time-out."""
    services, service = aim.topology.services, aim.topology.services[aim.target]
    asked = demand(aim.topology, aim.target)
    own = callers(aim.topology, aim.target)
    patience_s = min((services[name].timeout_s for name in own), default=USERS_PATIENCE_S)
    limit = service.resources.cpu_limit
    load_ms = max(aim.sight.users_rate(), 1.0) * asked.work_ms
    # Far more than any autoscaler is content with, and no more than the machine has to bear.
    busy = min(aim.level("busy") * replicas * limit, MOST_CORES) * 1e3 / load_ms
    bearable = 0.5 * patience_s * limit * 1e3 * asked.calls / asked.work_ms
    return max(min(busy, bearable), 1.0)


HPA_LIMIT = Fault(
    name="hpa-limit",
    type=FaultType.SCHEDULING,
    says="requests cost so much CPU that its autoscaler wants more pods than it may have",
    metric="container_cpu_usage_cores",
    phases=_at_its_limit,
    parameters=(
        Level("busy", "share", 0.6, 1.2, 0.05, 10, "of its CPU limits that the load takes"),
        Level("target", "%", 50, 50, 1, 100, "of the CPU request that the autoscaler aims at"),
    ),
    targets=loaded,
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
    condition = aim.text("condition")
    evicted = Evicted(aim.text("evicts"), SHORT_OF[condition])
    return throughout(Pressed(aim.target, condition), evicted)


NODE_PRESSURE = Fault(
    name="node-pressure",
    type=FaultType.NODE,
    says="the node runs short of something, evicts a service's pods and takes no new ones",
    metric="kube_node_status_condition",
    phases=_pressed,
    parameters=(
        Choice(
            "condition",
            lambda *_: tuple(SHORT_OF),
            "that holds on it",
        ),
        Choice("evicts", _stateless_first, "service whose pods have to go"),
    ),
    targets=lambda ground: ground.nodes,
    entity=lambda _ground, target: Entity("node", target),
    needs="kubernetes",
)
