"""Faults of what there is to have: replicas, quota, the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.errors import WrongState
from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.deploys import DEPLOYMENTS
from aiops_lab.faults.effects import Evicted, Made, Phase, Pressed, Removed, Strained
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, answering
from aiops_lab.topology.model import STORES, Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

HPAS = "horizontalpodautoscalers.autoscaling"
QUOTAS = "resourcequotas"


class HpaLimit(Fault):
    """Requests cost more, and the autoscaler may not add the replicas that they would need."""

    name = "hpa-limit"
    type = FaultType.SCHEDULING
    says = "requests cost many times the CPU, and its autoscaler is at its maximum"
    indicator = Indicator("metric", "kube_horizontalpodautoscaler_status_desired_replicas")
    parameters = (
        Level("work", "times", 20, 180, 1, 10_000, "the CPU of every request"),
        Level("target", "%", 50, 50, 1, 100, "of the CPU request that the autoscaler aims at"),
    )
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services with routes."""
        return answering(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        deployment = aim.sight.read(DEPLOYMENTS, aim.target)
        if deployment is None:
            raise WrongState(f"deployment {aim.target}", "is not there; nothing can scale it")
        replicas = int(deployment["spec"].get("replicas", 1))
        autoscaler = _autoscaler(aim.target, replicas, int(aim.level("target")))
        costly = Strained(aim.target, Behaviour(work_factor=aim.level("work")))
        return (Phase(0.0, (Made(HPAS, aim.target, autoscaler), costly)),)


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


class Quota(Fault):
    """A pod goes, and the namespace's quota leaves no room for the next."""

    name = "quota"
    type = FaultType.QUOTA
    says = "its pods go, and a quota of the namespace refuses those that should follow"
    indicator = Indicator("metric", "kube_deployment_status_replicas_unavailable")
    needs = "kubernetes"

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        own, every = aim.sight.pods(aim.target), aim.sight.pods(None)
        name = f"{aim.target}-limit"
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": name},
            "spec": {"hard": {"pods": str(len(every) - len(own))}},
        }
        gone = (Removed("pods", pod) for pod in own)
        return (Phase(0.0, (Made(QUOTAS, name, quota), *gone)),)


class NodePressure(Fault):
    """A node runs short: it takes no new pods, and one service's are evicted."""

    name = "node-pressure"
    type = FaultType.NODE
    says = "the node runs short of something, evicts a service's pods and takes no new ones"
    indicator = Indicator("metric", "kube_node_status_condition")
    parameters = (
        Choice(
            "condition",
            lambda *_: ("MemoryPressure", "DiskPressure", "PIDPressure"),
            "that holds on it",
        ),
        Choice(
            "evicts",
            lambda ground, _: tuple(
                sorted(
                    ground.topology.services,
                    key=lambda name: ground.topology.services[name].role in STORES,
                )
            ),
            "service whose pods have to go",
        ),
    )
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Nodes."""
        return ground.nodes

    def entity(self, ground: Ground, target: str) -> Entity:
        """The node."""
        del ground
        return Entity("node", target)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        pressed = Pressed(aim.target, aim.text("condition"))
        return (Phase(0.0, (pressed, Evicted(aim.text("evicts")))),)
