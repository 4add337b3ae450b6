"""Rules about what is short: room on nodes, memory, CPU, copies, or a fresh start."""

import math
from collections.abc import Iterator
from typing import Final

from aiops.agents.proposing.patient import Patient, waits
from aiops.agents.proposing.remedy import Move, Remedy
from aiops.analyze.state.holds_now import short, unwell
from aiops.analyze.state.rules_scheduling import fits
from aiops.model.faults import FaultType

MORE: Final = 2.0
"""Times as much of what is short: the smallest step after which a shortage is surely told from
another cause, and one that a quota or a node often still has room for."""
_AT_ONCE: Final = (
    "; it cannot measure pods that are too busy to be ready, so the minimum is raised with it, to "
    "be lowered again once all is well"
)
MOST_REPLICAS: Final = 20
"""Beyond what a rule, not a person, adds replicas to."""


def uncordon(patient: Patient) -> Iterator[Remedy]:
    """Room for pods that wait: a node that works and was closed to new ones."""
    waiting = [pod.name for pod in patient.app.pods if waits(pod)]
    closed = [
        node
        for node in patient.scene.state.nodes
        if node.unschedulable and node.ready is not False and fits(node, patient.workload.spec)
    ]
    if waiting and closed:
        yield Remedy(
            (Move("uncordon", {"name": closed[0].name}),),
            f"{len(waiting)} pods of {patient.workload.name} wait for a node, and node "
            f"{closed[0].name} is ready but takes no new pods",
        )


def more_memory(patient: Patient) -> Iterator[Remedy]:
    """A higher limit for what is killed at it."""
    killed = {
        one.name
        for pod in patient.app.pods
        for one in pod.spec.containers
        if "OOMKilled" in (one.reason, one.last_reason)
    }
    if not killed and FaultType.OOM not in patient.faults:
        return
    limited = [one for one in patient.containers if one.limits.get("memory")]
    for container in limited[:1] if not killed else limited:
        if killed and container.name not in killed:
            continue
        limit = container.limits["memory"]
        more = {"container": container.name, "memory_limit": _bytes(limit * MORE)}
        yield Remedy(
            (Move("set_resources", {**patient.place, **more}),),
            f"container {container.name} of {patient.workload.name} is short of memory at its "
            f"limit of {_bytes(limit)}; should it leak, this only buys time",
        )


def higher_bounds(patient: Patient) -> Iterator[Remedy]:
    """Room for an autoscaler that wants more replicas than it may have."""
    one = patient.autoscaler
    if one is None or not one.maximum or (one.current or 0) < one.maximum:
        return
    wants = math.ceil((one.current or 0) * (one.load or 0.0))
    most = min(max(math.ceil(one.maximum * MORE), wants), max(MOST_REPLICAS, one.maximum))
    # An autoscaler measures ready pods alone: of those that are too busy to say that they are
    # ready it makes no sum. Its minimum it keeps without one.
    overrun = short(patient.app) > 0 or (one.load or 0.0) >= MORE
    least = most if overrun else one.minimum or 1
    if most > one.maximum:
        bounds = {"name": one.name, "min_replicas": least, "max_replicas": most}
        yield Remedy(
            (Move("set_hpa_bounds", {"namespace": patient.workload.namespace, **bounds}),),
            f"autoscaler {one.name} is at its maximum of {one.maximum} replicas and can add none"
            + (f"; by what they use it would want {wants}" if wants > one.maximum else "")
            + (_AT_ONCE if overrun else ""),
        )


def more_cpu(patient: Patient) -> Iterator[Remedy]:
    """A higher limit for what uses all the CPU that it may."""
    limited = [one for one in patient.containers if one.limits.get("cpu")]
    if FaultType.CPU not in patient.faults or not limited:
        return
    container = limited[0]
    limit = container.limits["cpu"]
    more = {"container": container.name, "cpu_limit": _cores(limit * MORE)}
    yield Remedy(
        (Move("set_resources", {**patient.place, **more}),),
        f"container {container.name} of {patient.workload.name} is short of CPU at its limit of "
        f"{_cores(limit)} cores",
    )


def more_replicas(patient: Patient) -> Iterator[Remedy]:
    """More copies of what has more to do than it can, and keeps nothing of its own."""
    wanted, volumes = patient.workload.desired or 0, patient.workload.spec.volumes
    busy = {FaultType.TRAFFIC, FaultType.QUEUE_BACKLOG} & patient.faults
    keeps = any(one.origin is not None and one.origin.kind == "claim" for one in volumes)
    if not busy or keeps or patient.workload.type != "deployment" or patient.autoscaler is not None:
        return
    more = min(math.ceil(wanted * MORE), MOST_REPLICAS)
    if more > wanted > 0:
        yield Remedy(
            (Move("scale", {**patient.place, "replicas": more}),),
            f"{patient.workload.name} has more to do than its {wanted} replicas can",
        )


def restart(patient: Patient) -> Iterator[Remedy]:
    """Fresh processes for what leaks or hangs while nothing else about it is wrong."""
    leaks = {FaultType.CONNECTION_POOL, FaultType.MEMORY} & patient.faults
    hangs = FaultType.PROBE in patient.faults and any(unwell(pod) for pod in patient.app.pods)
    if leaks or hangs:
        why = f"leaks ({', '.join(sorted(leaks))})" if leaks else "does not answer its probes"
        yield Remedy(
            (Move("rollout_restart", patient.place),),
            f"{patient.workload.name} {why}; fresh processes give back what is held, and should "
            "it come again the cause is in the program",
        )


def _bytes(size: float) -> str:
    return f"{math.ceil(size / 2**20)}Mi"


def _cores(amount: float) -> str:
    return f"{math.ceil(amount * 1000)}m"
