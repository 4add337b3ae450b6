"""Whether a Service leads anywhere: from its selector over its endpoints to its pods."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import Field

from aiops.analyze.state.api import Api, number, pairs, part, parts, text
from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.kubernetes.kinds import POD, kind_named
from aiops_tools.kubernetes.probes.places import InNamespace, ObjectName, one
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.kubernetes.selectors import selector_text
from aiops_tools.kubernetes.standing import pod_ready
from aiops_tools.spec import Result


class ServiceAsked(InNamespace):
    """Arguments of check_service."""

    name: ObjectName = Field(description="the Service object")


class ServiceChecked(Result):
    """Answer of check_service.

    Attributes:
        ports: "name: port -> target".
        pods: that the selector chooses; ``ready`` of them take requests.
        addresses: that the endpoints hold.
        wrong: what keeps requests from arriving, a sentence each; empty where nothing does.
    """

    selector: dict[str, str]
    ports: list[str]
    pods: int
    ready: int
    addresses: int
    wrong: list[str]


def check_service(view: View, asked: ServiceAsked) -> Answer:
    """Follows a Service to its pods and says where the way ends."""
    service = one(view, kind_named("Service"), asked.namespace, asked.name)
    unread: list[Unread] = []
    selector = pairs(service, "spec", "selector")
    chosen = selector_text({"matchLabels": selector})
    pods = view.reader.every(POD, asked.namespace, labels=chosen) if selector else []
    everything = pods or view.reader.every(POD, asked.namespace)
    endpoints = _endpoints(view, asked, unread)
    addresses = _addresses(endpoints)
    wrong = list(_wrong(service, pods, everything))
    if endpoints is not None:
        wrong += _stale(addresses, pods, selector)
    ports = parts(service, "spec", "ports")
    result = ServiceChecked(
        selector=selector,
        ports=[
            f"{text(p, 'name') or text(p, 'protocol') or 'TCP'}: {text(p, 'port')} -> {_target(p)}"
            for p in ports
        ],
        pods=len(pods),
        ready=sum(pod_ready(pod) for pod in pods),
        addresses=len(addresses),
        wrong=wrong,
    )
    head = (
        f"Service {asked.name}: {result.ready} of {result.pods} pods ready, "
        f"{result.addresses} addresses."
    )
    return Answer(
        result, "\n".join([head, *(wrong or ["Nothing is wrong on the way."])]), (*unread,)
    )


def _endpoints(view: View, asked: ServiceAsked, unread: list[Unread]) -> Api | None:
    try:
        return view.reader.one(kind_named("Endpoints"), asked.namespace, asked.name)
    except ToolFailed as failure:
        if failure.kind == "not_found":
            return {}
        unread.append(Unread(f"endpoints of {asked.name}", str(failure)))
        return None


def _addresses(endpoints: Api | None) -> set[str]:
    return {
        text(address, "ip")
        for subset in parts(endpoints or {}, "subsets")
        for address in parts(subset, "addresses")
    }


def _wrong(service: Api, pods: Sequence[Api], everything: Sequence[Api]) -> Iterator[str]:
    spec = part(service, "spec")
    if text(spec, "type") == "ExternalName":
        return
    selector = pairs(spec, "selector")
    if not selector:
        yield "it has no selector: its endpoints are kept by hand"
        return
    if not pods:
        yield f"no pod has the labels {_labels(selector)}{_nearest(selector, everything)}"
        return
    if not any(pod_ready(pod) for pod in pods):
        yield f"none of its {len(pods)} pods is ready, so nothing is sent to any"
    for port in parts(spec, "ports"):
        yield from _port(port, pods)


def _port(port: Api, pods: Sequence[Api]) -> Iterator[str]:
    """A name that containers do not have leads nowhere; a number they do not declare may."""
    target, protocol = _target(port), text(port, "protocol") or "TCP"
    declared = [
        p
        for pod in pods[:1]
        for container in parts(pod, "spec", "containers")
        for p in parts(container, "ports")
    ]
    said = ", ".join(f"{text(p, 'name')}={text(p, 'containerPort')}" for p in declared) or "none"
    if number({"t": target}, "t") is None:
        if target not in {text(p, "name") for p in declared}:
            yield (
                f"port {text(port, 'port')} goes to the port named {target!r}, which its pods do "
                f"not have; they have {said}"
            )
        return
    same = [p for p in declared if text(p, "containerPort") == target]
    if declared and not same:
        yield (
            f"port {text(port, 'port')} goes to {target}, which its pods do not declare; "
            f"they declare {said}"
        )
    if same and all((text(p, "protocol") or "TCP") != protocol for p in same):
        yield f"port {text(port, 'port')} is {protocol}, its pods' port {target} is not"


def _stale(addresses: set[str], pods: Sequence[Api], selector: dict[str, str]) -> list[str]:
    if not selector:
        return []
    ready = {text(pod, "status", "podIP") for pod in pods if pod_ready(pod)} - {""}
    told = []
    if missing := sorted(ready - addresses):
        told.append(f"{len(missing)} ready pods are not among its endpoints ({missing[0]}, ...)")
    if gone := sorted(addresses - ready):
        told.append(f"{len(gone)} of its endpoints are no ready pod of it ({gone[0]}, ...)")
    return told


def _target(port: Api) -> str:
    return text(port, "targetPort") or text(port, "port")


def _nearest(selector: dict[str, str], pods: Sequence[Api]) -> str:
    """The labels that pods do have for what is selected by."""
    near: dict[str, int] = {}
    for pod in pods:
        labels = pairs(pod, "metadata", "labels")
        shared = {key: labels[key] for key in selector if key in labels}
        if any(selector[key] == value for key, value in shared.items()) or len(selector) == 1:
            near[_labels(shared)] = near.get(_labels(shared), 0) + bool(shared)
    best = sorted((-count, said) for said, count in near.items() if count)[:3]
    return f"; there are pods with {' or '.join(said for _, said in best)}" if best else ""


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "check_service",
        "Follows a Service over its selector and endpoints to its pods and their ports, and says "
        "what does not fit.",
        ServiceAsked,
        ServiceChecked,
        check_service,
        ("why does this service refuse connections", "has the service any endpoints"),
    ),
)
