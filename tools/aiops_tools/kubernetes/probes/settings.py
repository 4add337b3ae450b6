"""Whether workloads are set up to survive: probes, requests and limits, and room in the quota."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiops.analyze.state.api import Api, number, pairs, part, parts, text
from aiops.analyze.state.quantities import quantity
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.owners import containers, template
from aiops_tools.kubernetes.probes.places import InNamespace, there
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.kubernetes.standing import standing
from aiops_tools.names import WorkloadName
from aiops_tools.spec import Result

if TYPE_CHECKING:
    from aiops.model.tool import Unread

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
MOST = 40


class SettingsAsked(InNamespace):
    """Arguments of check_settings."""

    name: WorkloadName | None = None


class Finding(Result):
    """One thing that is set so that it may hurt, and who has it."""

    what: str
    count: int
    workloads: list[str]


class QuotaRow(Result):
    """How full a quota is."""

    quota: str
    resource: str
    used: str
    hard: str
    full: bool


class SettingsChecked(Result):
    """Answer of check_settings."""

    workloads: int
    findings: list[Finding]
    quotas: list[QuotaRow]
    limit_ranges: list[str]


def check_settings(view: View, asked: SettingsAsked) -> Answer:
    """What is missing or contradicts itself, by finding rather than by workload."""
    unread: list[Unread] = []
    found = [
        one
        for kind in KINDS
        for one in view.reader.some(kind_named(kind), unread, asked.namespace)
        if asked.name in (None, text(one, "metadata", "name"))
    ]
    if not found:
        there(view, asked.namespace)
    who: dict[str, list[str]] = {}
    for one in found:
        for what in sorted(set(_findings(one))):
            who.setdefault(what, []).append(f"{text(one, 'kind')}/{text(one, 'metadata', 'name')}")
    quotas = view.reader.some(kind_named("ResourceQuota"), unread, asked.namespace)
    ranges = view.reader.some(kind_named("LimitRange"), unread, asked.namespace)
    order = sorted(who.items(), key=lambda item: (-len(item[1]), item[0]))
    result = SettingsChecked(
        workloads=len(found),
        findings=[Finding(what=w, count=len(n), workloads=n[:10]) for w, n in order[:MOST]],
        quotas=[row for quota in quotas for row in _quota(quota)][:MOST],
        limit_ranges=[said for one in ranges for said in _range(one)][:MOST],
    )
    said = [f"{len(found)} workloads looked at."]
    said += [f"{f.what}: {f.count} ({', '.join(f.workloads[:5])})" for f in result.findings]
    said += [
        f"quota {q.quota}: {q.resource} {q.used} of {q.hard}{', full' if q.full else ''}"
        for q in result.quotas
    ]
    room = [standing(quota, view.now.timestamp()).why for quota in quotas]
    said += [f"No more fits: {why}" for why in room if why]
    return Answer(result, "\n".join(said), tuple(unread))


def _findings(one: Api) -> Iterator[str]:
    """What may hurt about one workload."""
    if number(one, "spec", "replicas") == 1:
        yield "one replica only: every restart is an outage"
    for container in containers(part(template(one), "spec")):
        yield from _of_container(container)


def _of_container(container: Api) -> Iterator[str]:
    requests = pairs(container, "resources", "requests")
    limits = pairs(container, "resources", "limits")
    for name in ("cpu", "memory"):
        if name not in requests and name not in limits:
            yield f"no {name} request: placed as if it used none"
        asked, most = quantity(requests.get(name, "")), quantity(limits.get(name, ""))
        if asked is not None and most is not None and asked > most:
            yield f"{name} request is above its limit"
    if "memory" not in limits:
        yield "no memory limit: a leak takes the node down"
    readiness, liveness = (part(container, f"{p}Probe") for p in ("readiness", "liveness"))
    if not readiness:
        yield "no readiness probe: gets requests before it can answer"
    if not liveness:
        yield "no liveness probe: is not restarted where it hangs"
    if readiness and readiness == liveness:
        yield "liveness and readiness are the same: it is restarted where it is only busy"
    ports = {text(p, key) for p in parts(container, "ports") for key in ("name", "containerPort")}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        for way in ("httpGet", "tcpSocket", "grpc"):
            port = text(container, probe, way, "port")
            if port and ports and port not in ports:
                yield f"{probe} asks port {port}, which the container does not declare"


def _quota(quota: Api) -> Iterator[QuotaRow]:
    hard, used = pairs(quota, "status", "hard"), pairs(quota, "status", "used")
    for name in sorted(hard):
        yield QuotaRow(
            quota=text(quota, "metadata", "name"),
            resource=name,
            used=used.get(name, "0"),
            hard=hard[name],
            full=(quantity(used.get(name, "0")) or 0) >= (quantity(hard[name]) or 0),
        )


def _range(one: Api) -> Iterator[str]:
    for limit in parts(one, "spec", "limits"):
        for key in ("min", "max", "default", "defaultRequest"):
            for name, value in sorted(pairs(limit, key).items()):
                who = f"{text(one, 'metadata', 'name')} {text(limit, 'type')}"
                yield f"{who} {key} {name} {value}"


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "check_settings",
        "Probes, requests and limits of workloads that are missing or contradict themselves, and "
        "how full the namespace's quotas are.",
        SettingsAsked,
        SettingsChecked,
        check_settings,
        ("are probes and limits set", "is the quota used up"),
    ),
)
