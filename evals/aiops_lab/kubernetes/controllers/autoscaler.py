"""HorizontalPodAutoscalers: more pods when they use more CPU or memory than wanted.

The algorithm is that of the Kubernetes documentation, "Algorithm details": desired =
ceil(current x usage / target), nothing within a tolerance of 0.1, scaling up at once by at most
max(4, 100 %), scaling down to the highest recommendation of the stabilization window.
"""

from collections import defaultdict, deque
from collections.abc import Iterable
from decimal import Decimal
from math import ceil

from aiops.errors import AiopsError
from aiops_lab.kubernetes.admission import pod_requests
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, is_active, is_ready, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.quantities import cores, parse_quantity
from aiops_lab.kubernetes.selectors import label_selector
from aiops_lab.kubernetes.store import Change, Object

RESOURCE = "horizontalpodautoscalers.autoscaling"
BY = "horizontal-pod-autoscaler"
PERIOD_S = 15.0
TOLERANCE = 0.1
DOWN_WINDOW_S = 300.0


_DESIRED = "the desired replica count is"
_LIMITS = {
    0: ("False", "DesiredWithinRange", "the desired count is within the acceptable range"),
    1: ("True", "TooManyReplicas", f"{_DESIRED} more than the maximum replica count"),
    -1: ("True", "TooFewReplicas", f"{_DESIRED} less than the minimum replica count"),
}


class NoMetrics(AiopsError):
    """The usage of the pods cannot be compared with its target; says why."""


class Autoscalers:
    """Looks at every autoscaler each 15 seconds."""

    locks = True

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster, self._events = cluster, events
        self._recommended: dict[str, deque[tuple[float, int]]] = defaultdict(deque)

    def touched(self, change: Change) -> Iterable[Name]:
        """An autoscaler that is new, changed by a user, or gone."""
        if change.now.key[0] != RESOURCE:
            return ()
        spec = change.now.object["spec"]
        same = change.before is not None and change.before.object["spec"] == spec
        return () if same and change.type == "MODIFIED" else [change.now.key[1:]]

    def reconcile(self, name: Name) -> float | None:
        """Scale the target where its usage asks for it."""
        autoscaler = self._cluster.find(RESOURCE, *name)
        if autoscaler is None:
            return None
        target = self._target(autoscaler)
        if target is None:
            reference = autoscaler["spec"]["scaleTargetRef"]
            text = f'{reference["kind"].lower()}s "{reference["name"]}" not found'
            self._set(autoscaler, {}, ("AbleToScale", "False", "FailedGetScale", text))
            self._events.warning(autoscaler, "FailedGetScale", text, BY)
            return PERIOD_S
        current = target["spec"].get("replicas", 1)
        status: Object = {"currentReplicas": current, "desiredReplicas": current}
        if current == 0:
            text = "scaling is disabled since the replica count of the target is zero"
            self._set(autoscaler, status, ("ScalingActive", "False", "ScalingDisabled", text))
            return PERIOD_S
        bound = self._bound(autoscaler["spec"], current)
        if bound is not None:
            self._obey(autoscaler, target, *bound)
            return PERIOD_S
        try:
            wanted, metrics = self._recommend(autoscaler, target, current)
        except NoMetrics as missing:
            reason = "FailedGetResourceMetric"
            self._set(autoscaler, status, ("ScalingActive", "False", reason, str(missing)))
            self._events.warning(autoscaler, reason, str(missing), BY)
            return PERIOD_S
        self._scale(autoscaler, target, wanted, {**status, "currentMetrics": metrics})
        return PERIOD_S

    @staticmethod
    def _bound(spec: Object, current: int) -> tuple[int, str] | None:
        """The bound that the replicas are beyond, and how that is told; needs no metrics."""
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        if current > most:
            return most, "Current number of replicas above Spec.MaxReplicas"
        if current < least:
            return least, "Current number of replicas below Spec.MinReplicas"
        return None

    def _obey(self, autoscaler: Object, target: Object, bound: int, why: str) -> None:
        status = {"currentReplicas": target["spec"].get("replicas", 1), "desiredReplicas": bound}
        self._cluster.change(target, spec={**target["spec"], "replicas": bound})
        text = f"New size: {bound}; reason: {why}"
        self._events.normal(autoscaler, "SuccessfulRescale", text, BY)
        text = f"the HPA controller was able to update the target scale to {bound}"
        status["lastScaleTime"] = self._cluster.now()
        self._set(autoscaler, status, ("AbleToScale", "True", "SucceededRescale", text))

    def _target(self, autoscaler: Object) -> Object | None:
        reference = autoscaler["spec"]["scaleTargetRef"]
        version = reference.get("apiVersion", "apps/v1")
        kind = self._cluster.registry.of(version, reference["kind"])
        # Manifests from before apps/v1 name it under its old group.
        kind = kind or self._cluster.registry.of("apps/v1", reference["kind"])
        if kind is None or not kind.scale:
            return None
        namespace = autoscaler["metadata"]["namespace"]
        return self._cluster.find(kind.resource, namespace, reference["name"])

    def _recommend(
        self, autoscaler: Object, target: Object, current: int
    ) -> tuple[int, list[Object]]:
        selector = label_selector(target["spec"].get("selector"))
        pods = [
            pod
            for pod in self._cluster.every("pods", target["metadata"]["namespace"])
            if selector.matches(pod["metadata"].get("labels") or {})
            and is_active(pod)
            and is_ready(pod)
        ]
        if not pods:
            raise NoMetrics("no ready pods to read metrics of")
        wanted, shown = 0, []
        for metric in autoscaler["spec"]["metrics"]:
            if metric["type"] != "Resource":
                raise NoMetrics(f"metrics of type {metric['type']} are not served here")
            ratio, current_value = self._ratio(metric["resource"], pods)
            shown.append({"type": "Resource", "resource": current_value})
            count = current if abs(ratio - 1) <= TOLERANCE else ceil(ratio * len(pods))
            wanted = max(wanted, count)
        return wanted, shown

    def _ratio(self, metric: Object, pods: list[Object]) -> tuple[float, Object]:
        name, target = metric["name"], metric["target"]
        which = 0 if name == "cpu" else 1
        usage = [Decimal(self._cluster.runtime.usage(p["metadata"]["uid"])[which]) for p in pods]
        average = sum(usage, Decimal(0)) / len(pods)
        shown: Object = {"averageValue": cores(average) if which == 0 else str(int(average))}
        if target["type"] == "Utilization":
            requests = [pod_requests(pod["spec"]).get(name, Decimal(0)) for pod in pods]
            if not all(requests):
                raise NoMetrics(f"failed to get {name} utilization: missing request for {name}")
            percent = sum(usage, Decimal(0)) * 100 / sum(requests, Decimal(0))
            shown["averageUtilization"] = int(percent)
            return float(percent / target["averageUtilization"]), {"name": name, "current": shown}
        wanted = parse_quantity(target.get("averageValue") or target["value"])
        return float(average / wanted), {"name": name, "current": shown}

    def _scale(self, autoscaler: Object, target: Object, wanted: int, status: Object) -> None:
        spec, current = autoscaler["spec"], status["currentReplicas"]
        stable = self._stabilized(autoscaler, wanted, current)
        limit = max(current + 4, current * 2)
        least, most = spec.get("minReplicas", 1), spec["maxReplicas"]
        bounded = max(least, min(stable, most, limit))
        status["desiredReplicas"] = bounded
        limited = ("ScalingLimited", *_LIMITS[(stable > most) - (stable < least)])
        able = ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
        if bounded != current:
            self._cluster.change(target, spec={**target["spec"], "replicas": bounded})
            way = "above" if bounded > current else "below"
            name = spec["metrics"][0]["resource"]["name"]
            text = f"New size: {bounded}; reason: {name} resource utilization {way} target"
            self._events.normal(autoscaler, "SuccessfulRescale", text, BY)
            status["lastScaleTime"] = self._cluster.now()
            text = f"the HPA controller was able to update the target scale to {bounded}"
            able = ("AbleToScale", "True", "SucceededRescale", text)
        text = "the HPA was able to successfully calculate a replica count"
        active = ("ScalingActive", "True", "ValidMetricFound", text)
        self._set(autoscaler, status, able, active, limited)

    def _stabilized(self, autoscaler: Object, wanted: int, current: int) -> int:
        """The highest recommendation of the window: scaling down waits until all agree."""
        behavior = autoscaler["spec"].get("behavior", {}).get("scaleDown", {})
        window_s = behavior.get("stabilizationWindowSeconds", DOWN_WINDOW_S)
        now = self._cluster.clock.stopwatch()
        past = self._recommended[autoscaler["metadata"]["uid"]]
        if not past:
            past.append((now, current))
        past.append((now, wanted))
        while past and past[0][0] < now - window_s:
            past.popleft()
        return wanted if wanted >= current else min(current, max(count for _, count in past))

    def _set(
        self, autoscaler: Object, status: Object, *conditions: tuple[str, str, str, str]
    ) -> None:
        now, held = self._cluster.now(), autoscaler.get("status", {}).get("conditions")
        for kind, value, reason, text in conditions:
            new = {"type": kind, "status": value, "reason": reason, "message": text}
            held = with_condition(held, new, now)
        old = autoscaler.get("status") or {}
        kept = {k: old[k] for k in ("lastScaleTime",) if k in old}
        observed = {"observedGeneration": autoscaler["metadata"].get("generation", 1)}
        defaults = {"desiredReplicas": 0, "currentReplicas": 0}
        new_status = {**defaults, **kept, **observed, **status, "conditions": held}
        self._cluster.change(autoscaler, status=new_status)
