"""The rules: what mends a workload, by what is seen of it. One function an idea, and their table.

First aid as the SRE book orders it: take the latest change back, else give what is short, else
start anew (Site Reliability Engineering, 2016, chapter 12, "Effective Troubleshooting", "Triage").
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from aiops.agents.proposing.patient import Patient, waits
from aiops.analyze.state.changes import LAG_S, LEAD_S
from aiops.analyze.state.holds_now import short, unwell
from aiops.analyze.state.naming import slip
from aiops.analyze.state.routes import host_of
from aiops.analyze.wording import duration
from aiops.model.cluster import ConfigMap
from aiops.model.faults import FaultType
from aiops.model.pod_spec import Container, PodSpec

MORE: Final = 2.0
"""Times as much of what is short: the smallest step after which a shortage is surely told from
another cause, and one that a quota or a node often still has room for."""
MOST_REPLICAS: Final = 20
"""Beyond what a rule, not a person, adds replicas to."""


@dataclass(frozen=True, slots=True)
class Move:
    """One write.

    Attributes:
        verb: the tool's name without its toolset.
        arguments: but for the cluster.
    """

    verb: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would mend it, and why, in a sentence; several moves are one plan, in order."""

    moves: tuple[Move, ...]
    reason: str


def undo(patient: Patient) -> Iterator[Remedy]:
    """Back to the version before, where a new one came shortly before the trouble."""
    newest, *others = patient.versions() or (patient.workload,)
    if newest.age_s is None or not others:
        return
    before_s = newest.age_s - patient.onset_ago_s
    # A replica set that is older than lower revisions was taken up again: somebody went back.
    went_back = any(newest.age_s > (one.age_s or 0.0) for one in others)
    if went_back or not -LAG_S <= before_s <= LEAD_S:
        return
    for earlier in others:
        other = _difference(earlier.spec, newest.spec)
        if other:
            when = f"{duration(before_s)} before" if before_s >= 0 else "at"
            yield Remedy(
                (Move("rollout_undo", {**patient.place, "to_revision": earlier.revision}),),
                f"{patient.workload.name} got revision {newest.revision} {when} the onset, and "
                f"{other}; revision {earlier.revision} is the one before that differs",
            )
            return


def scale_back(patient: Patient) -> Iterator[Remedy]:
    """Replicas for what was scaled to nothing: as many as it had."""
    workload = patient.workload
    if workload.desired != 0 or workload.type not in ("deployment", "statefulset"):
        return
    had, said = _had(patient)
    yield Remedy(
        (Move("scale", {**patient.place, "replicas": had}),),
        f"{workload.name} wants 0 replicas, so nothing serves; {said}",
    )


def resume(patient: Patient) -> Iterator[Remedy]:
    """A paused rollout that leaves it short goes on."""
    if patient.workload.paused and patient.workload.type == "deployment" and short(patient.app):
        place = {name: value for name, value in patient.place.items() if name != "kind"}
        yield Remedy(
            (Move("rollout_resume", place),),
            f"the rollout of {patient.workload.name} is paused, and {short(patient.app)} of its "
            "pods are missing or not ready",
        )


def settings_back(patient: Patient) -> Iterator[Remedy]:
    """An address of a config map that leads nowhere, set to the service whose name is near."""
    for config in patient.settings():
        data, words = _mended(patient, config)
        if not data:
            continue
        place = {"namespace": config.namespace, "name": config.name}
        moves = [Move("set_config", {**place, "data": data})]
        if any(_reads(container, config) for container in patient.containers):
            moves.append(Move("rollout_restart", patient.place))
        yield Remedy(tuple(moves), f"config map {config.name}: {'; '.join(words)}")


def uncordon(patient: Patient) -> Iterator[Remedy]:
    """Room for pods that wait: a node that works and was closed to new ones."""
    waiting = [pod.name for pod in patient.app.pods if waits(pod)]
    closed = [n for n in patient.scene.state.nodes if n.unschedulable and n.ready is not False]
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
    most = min(math.ceil(one.maximum * MORE), max(MOST_REPLICAS, one.maximum))
    least = one.minimum or 1
    if most > one.maximum:
        bounds = {"name": one.name, "min_replicas": least, "max_replicas": most}
        yield Remedy(
            (Move("set_hpa_bounds", {"namespace": patient.workload.namespace, **bounds}),),
            f"autoscaler {one.name} is at its maximum of {one.maximum} replicas and can add none",
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


Rule = Callable[[Patient], Iterator[Remedy]]
BROKEN: Final[tuple[Rule, ...]] = (undo, scale_back, resume, settings_back, uncordon)
"""Mend what is seen to be wrong, best first."""
FITTING: Final[tuple[Rule, ...]] = (more_memory, higher_bounds, more_cpu, more_replicas, restart)
"""Fit the kind of fault; for where nothing is seen to be wrong. Best first."""


def _difference(earlier: PodSpec, newest: PodSpec) -> str:
    """What the newest template has otherwise, in words; "" where nothing that matters."""
    if earlier == newest:
        return ""
    before = {one.name: one for one in earlier.containers}
    for one in newest.containers:
        was = before.get(one.name)
        if was is not None and was.image != one.image:
            return f"runs image {one.image} where it ran {was.image}"
        if was is not None and was.variables != one.variables:
            then = {each.name: each for each in was.variables}
            names = [each.name for each in one.variables if then.get(each.name) != each]
            return f"has another {', '.join(names) or 'environment'}"
        if was is not None and (was.limits, was.requests) != (one.limits, one.requests):
            return "has other resources"
    return "has another pod template"


_SCALED = re.compile(r"from (?P<from>\d{1,4})(?: to \d|$)|to 0 from (?P<was>\d{1,4})")


def _had(patient: Patient) -> tuple[int, str]:
    """How many replicas it had, and how that is known."""
    events = sorted(patient.scene.events_of(patient.app), key=lambda one: one.last_s or 0.0)
    for event in events:
        found = _SCALED.search(event.message)
        number = int(found["from"] or found["was"]) if found else 0
        if number:
            return number, f'it had {number}: "{event.message}"'
    return 1, "how many it had is not told, so one"


def _mended(patient: Patient, config: ConfigMap) -> tuple[dict[str, str], list[str]]:
    names = {one.name for one in patient.scene.state.services if one.observed}
    data, words = dict[str, str](), list[str]()
    for key, value in config.data.items():
        host, _ = host_of(value)
        if not host or "\n" in value or host in names or host in patient.scene.by_name:
            continue
        near = [name for name in names if slip(host, name)]
        if len(near) == 1:
            data[key] = value.replace(host, near[0], 1)
            words.append(f"{key} names {host}, which is no service; {near[0]} is one")
    return data, words


def _reads(container: Container, config: ConfigMap) -> bool:
    """Whether it takes variables from it, which it sees after a restart only."""
    origins = [*container.variables_from, *(one.origin for one in container.variables)]
    return any(one and (one.kind, one.name) == ("configmap", config.name) for one in origins)


def _bytes(size: float) -> str:
    return f"{math.ceil(size / 2**20)}Mi"


def _cores(amount: float) -> str:
    return f"{math.ceil(amount * 1000)}m"
