"""Workloads as a whole: how many pods are wanted, let run, and kept."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, short, unwell, weight
from aiops.analyze.state.raising import CONTRADICTION, FITS, HINT, SYMPTOM, raised
from aiops.analyze.state.scene import Scene
from aiops.model import Entity, FaultType, Hypothesis
from aiops.model.cluster import Autoscaler

_GATE = "ReadinessGatesNotReady"
_LOW_ON = re.compile(r"low on resource: (?P<what>[\w-]+)|(?P<own>ephemeral)")
"""How the kubelet says what a pod was evicted for: its node's shortage, or its own limit."""


def zero_replicas(scene: Scene) -> Iterator[Hypothesis]:
    """A workload that others need is scaled to nothing."""
    for app in scene.apps:
        workload = app.workload
        if (
            workload is None
            or workload.desired != 0
            or not workload.observed
            or workload.type in ("job", "cronjob")
        ):
            continue
        needed = bool(app.services) or bool(scene.callers_of(app.name))
        yield raised(
            app.entity,
            FaultType.BAD_DEPLOY,
            "workload_scaled_to_zero_replicas",
            CONTRADICTION if needed else SYMPTOM * SYMPTOM,
            [scene.read(f"{workload.type} {app.name} wants 0 replicas", workload.sources)],
            indicator="replicas",
            refuted_by=f"{app.name} being meant to be off",
            explains=[
                scene.by_name[name].entity
                for name in scene.callers_of(app.name)
                if name in scene.by_name
            ],
        )


def evictions(scene: Scene) -> Iterator[Hypothesis]:
    """Pods put off their node for want of a resource."""
    for app in scene.apps:
        evicted = [pod for pod in app.pods if "Evicted" in (pod.reason, pod.status)]
        if not evicted or not short(app):
            continue
        told = (
            evicted[0].message,
            *(e.message for e in scene.events_about.get(evicted[0].key, ())),
        )
        low = next((found for text in told if (found := _LOW_ON.search(text))), None)
        resource = (low["what"] or "ephemeral-storage" if low else "resources").replace("-", "_")
        yield raised(
            app.entity,
            FaultType.DISK if "storage" in resource else FaultType.MEMORY,
            f"pod_evicted_for_{resource}",
            FITS,
            [
                scene.read(
                    f"{evicted[0].name} was evicted: {evicted[0].message}", evicted[0].sources
                )
            ],
            affected=len(evicted),
            refuted_by=f"pods of {app.name} staying on their node",
        )


def rollouts(scene: Scene) -> Iterator[Hypothesis]:
    """A rollout that does not get on, for a reason not seen."""
    for app in scene.apps:
        workload = app.workload
        if workload is None:
            continue
        if workload.paused and short(app):
            yield raised(
                app.entity,
                FaultType.BAD_DEPLOY,
                "rollout_paused",
                FITS,
                [scene.read(f"{app.name} is paused", workload.sources)],
            )
        for condition in workload.conditions:
            if condition.reason == "ProgressDeadlineExceeded" and short(app):
                yield raised(
                    app.entity,
                    FaultType.BAD_DEPLOY,
                    "rollout_stuck",
                    SYMPTOM,
                    [scene.read(f"{app.name}: {condition.reason}", workload.sources)],
                    affected=max(short(app), 1),
                )
            if workload.type == "job" and condition.type == "Failed" and condition.status == "True":
                yield raised(
                    app.entity,
                    FaultType.CRASH,
                    "job_failed",
                    SYMPTOM,
                    [
                        scene.read(
                            f"job {app.name}: {condition.reason} {condition.message}",
                            workload.sources,
                        )
                    ],
                )


def suspended(scene: Scene) -> Iterator[Hypothesis]:
    """A job or a cron job that was told not to run; a habit of some clusters, so a hint."""
    for app in scene.apps:
        workload = app.workload
        if workload is not None and workload.type in ("job", "cronjob") and workload.paused:
            yield raised(
                app.entity,
                FaultType.BAD_DEPLOY,
                f"{'cron_job' if workload.type == 'cronjob' else 'job'}_suspended",
                (SYMPTOM if workload.type == "job" else HINT) * weight(workload, scene),
                [scene.read(f"{workload.type} {app.name} is suspended", workload.sources)],
                refuted_by=f"{app.name} being meant to be off",
            )


def readiness_gates(scene: Scene) -> Iterator[Hypothesis]:
    """A pod whose containers are ready, and which something outside it has not called ready."""
    for app in scene.apps:
        for pod in app.pods:
            gate = next((one for one in pod.conditions if one.reason == _GATE), None)
            if gate is None or gate.status == "True" or unwell(pod):
                continue
            yield raised(
                app.entity,
                FaultType.BAD_CONFIG,
                "readiness_gate_not_satisfied",
                FITS,
                [scene.read(f"{pod.name}: {gate.message or gate.reason}", pod.sources)],
                affected=max(short(app), 1),
                refuted_by=f"the controller of the gate calling {pod.name} ready",
                explains=scene.caller_entities(app.name),
            )
            break


def disruption_budgets(scene: Scene) -> Iterator[Hypothesis]:
    """An eviction that a disruption budget forbids, so that a node cannot be emptied."""
    for event in scene.state.events:
        if not current(event) or "disruption budget" not in event.message.lower():
            continue
        app = scene.app_of.get(event.about)
        node = Entity("node", event.about[2]) if event.about[0] == "node" else None
        entity = app.entity if app is not None else node
        if entity is not None and "violate" in event.message.lower():
            yield raised(
                entity,
                FaultType.BAD_CONFIG,
                "disruption_budget_blocks_eviction",
                SYMPTOM,
                [scene.read(event.message, (event.source,), "event")],
                refuted_by="the eviction being granted",
            )


def autoscalers(scene: Scene) -> Iterator[Hypothesis]:
    """An autoscaler at its limit, or one that cannot read what it scales by."""
    for one in scene.state.autoscalers:
        app = scene.by_name.get(one.target)
        if app is None:
            continue
        if one.maximum and one.current == one.maximum and (one.desired or 0) >= one.maximum:
            yield raised(
                app.entity,
                FaultType.TRAFFIC,
                "autoscaler_at_maximum",
                SYMPTOM,
                [scene.read(_at_maximum(one), one.sources)],
            )
        for condition in one.conditions:
            if condition.type == "ScalingActive" and condition.status == "False":
                yield raised(
                    app.entity,
                    FaultType.BAD_CONFIG,
                    "autoscaler_without_metrics",
                    SYMPTOM,
                    [scene.read(condition.message, one.sources)],
                )


RULES = (
    zero_replicas,
    evictions,
    rollouts,
    suspended,
    readiness_gates,
    disruption_budgets,
    autoscalers,
)


def _at_maximum(one: Autoscaler) -> str:
    wanted = "replica" if one.maximum == 1 else "replicas"
    return (
        f"the autoscaler of {one.target} is at its maximum of {one.maximum} {wanted} and wants no "
        "less"
    )
