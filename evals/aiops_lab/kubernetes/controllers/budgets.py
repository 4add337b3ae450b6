"""The status of PodDisruptionBudgets and ResourceQuotas: what is there of what is allowed."""

from collections.abc import Iterable
from datetime import timedelta

from aiops_lab.kubernetes.admission import quota_usage
from aiops_lab.kubernetes.cluster import Cluster, moment_of
from aiops_lab.kubernetes.controllers.common import (
    Name,
    controller_of,
    is_active,
    is_ready,
    selected,
    share,
    with_condition,
)
from aiops_lab.kubernetes.quantities import canonical
from aiops_lab.kubernetes.store import Change, Object

BUDGETS, QUOTAS = "poddisruptionbudgets.policy", "resourcequotas"
# An eviction that is not seen to have happened after this long did not.
DISRUPTION_S = 120.0


class DisruptionBudgets:
    """Counts how many pods may be disrupted now."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def touched(self, change: Change) -> Iterable[Name]:
        """A budget, or all of a namespace where a pod or a scale changed."""
        resource, namespace, name = change.now.key
        if resource == BUDGETS:
            return [(namespace, name)]
        if resource in ("pods", "replicasets.apps", "statefulsets.apps"):
            return [kept.key[1:] for kept in self._cluster.store.select(BUDGETS, namespace)]
        return ()

    def reconcile(self, name: Name) -> float | None:
        """Write the status."""
        budget = self._cluster.find(BUDGETS, *name)
        if budget is None:
            return None
        pods = [pod for pod in selected(self._cluster, budget) if is_active(pod)]
        expected = self._expected(pods)
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            desired = max(0, expected - share(spec["maxUnavailable"], expected, up=True))
        else:
            desired = share(spec.get("minAvailable", 1), expected, up=True)
        names = {pod["metadata"]["name"] for pod in pods}
        disrupted = {
            pod: since
            for pod, since in (budget.get("status", {}).get("disruptedPods") or {}).items()
            if pod in names
            and self._cluster.clock.now() - moment_of(since) < timedelta(seconds=DISRUPTION_S)
        }
        healthy = sum(is_ready(p) and p["metadata"]["name"] not in disrupted for p in pods)
        allowed = max(0, healthy - desired) if expected else 0
        new = {
            "type": "DisruptionAllowed",
            "status": "True" if allowed else "False",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "message": "",
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        conditions = budget.get("status", {}).get("conditions")
        status = {
            "observedGeneration": budget["metadata"].get("generation", 1),
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "conditions": with_condition(conditions, new, self._cluster.now()),
        }
        if disrupted:
            status["disruptedPods"] = disrupted
        self._cluster.change(budget, status=status)
        return DISRUPTION_S if disrupted else None

    def _expected(self, pods: list[Object]) -> int:
        """How many pods there should be: what their controllers want."""
        wanted: dict[str, int] = {}
        for pod in pods:
            owner, top = self._top(pod)
            wanted[owner] = 1 if top is pod else top["spec"].get("replicas", 0)
        return sum(wanted.values())

    def _top(self, obj: Object) -> tuple[str, Object]:
        """The uid and object at the top of an object's chain of controllers."""
        while (owner := controller_of(obj)) is not None:
            kind = self._cluster.registry.of(owner["apiVersion"], owner["kind"])
            namespace = obj["metadata"]["namespace"]
            above = self._cluster.find(kind.resource, namespace, owner["name"]) if kind else None
            if above is None:
                break
            obj = above
        return obj["metadata"]["uid"], obj


class Quotas:
    """Writes how much of each quota is used."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def touched(self, change: Change) -> Iterable[Name]:
        """A quota, or all of a namespace in which something came or went."""
        resource, namespace, name = change.now.key
        if resource == QUOTAS:
            return [(namespace, name)]
        if namespace and (change.type != "MODIFIED" or resource == "pods"):
            return [kept.key[1:] for kept in self._cluster.store.select(QUOTAS, namespace)]
        return ()

    def reconcile(self, name: Name) -> float | None:
        """Write the status."""
        quota = self._cluster.find(QUOTAS, *name)
        if quota is not None:
            used = quota_usage(self._cluster, quota)
            texts = {resource: canonical(resource, value) for resource, value in used.items()}
            status = {"hard": quota["spec"].get("hard") or {}, "used": texts}
            self._cluster.change(quota, status=status)
        return None
