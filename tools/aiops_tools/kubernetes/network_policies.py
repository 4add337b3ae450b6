"""Which network policy decides whether one pod may reach another (Kubernetes documentation,
"Network Policies"): policies add up, and a pod that any chooses is closed to the rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from aiops.analyze.state.api import Api, number, pairs, part, parts, text, texts
from aiops_tools.kubernetes.selectors import chooses

Way = Literal["ingress", "egress"]


@dataclass(frozen=True, slots=True)
class Peer:
    """One end: a pod with its labels and its namespace's.

    Attributes:
        ports: port name -> number, of its containers.
    """

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str]
    address: str
    ports: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policies say one way.

    Attributes:
        by: the policies that let it through; where none does, those that close the pod.
    """

    way: Way
    allowed: bool
    by: tuple[str, ...]

    @property
    def said(self) -> str:
        """In a sentence."""
        if not self.by:
            return f"{self.way}: no policy chooses the pod, so everything passes"
        names = ", ".join(self.by)
        return f"{self.way}: " + (
            f"let through by {names}"
            if self.allowed
            else f"stopped: only what {names} allow passes"
        )


def reach(
    policies: Sequence[Api], source: Peer, target: Peer, port: int, protocol: str
) -> tuple[Ruling, Ruling]:
    """What is said of leaving ``source`` and of entering ``target``; both must allow it.

    Args:
        policies: of both namespaces.
        port: number of the target's port.
    """
    return (
        _rule("egress", policies, source, target, target, port, protocol),
        _rule("ingress", policies, target, source, target, port, protocol),
    )


def _rule(
    way: Way,
    policies: Sequence[Api],
    own: Peer,
    other: Peer,
    target: Peer,
    port: int,
    protocol: str,
) -> Ruling:
    closing = [
        one
        for one in policies
        if text(one, "metadata", "namespace") == own.namespace
        and way in ways(one)
        and chooses(part(one, "spec", "podSelector"), own.labels)
    ]
    key = "to" if way == "egress" else "from"
    letting = [
        one
        for one in closing
        if any(
            _peers(rule, key, other, text(one, "metadata", "namespace"))
            and _ports(rule, target, port, protocol)
            for rule in parts(one, "spec", way)
        )
    ]
    by = tuple(text(one, "metadata", "name") for one in (letting or closing))
    return Ruling(way, bool(letting) or not closing, by)


def ways(policy: Api) -> tuple[str, ...]:
    """What a policy closes; without types ingress, and egress where it has rules for it."""
    types = texts(policy, "spec", "policyTypes")
    if types:
        return tuple(one.lower() for one in types)
    return ("ingress", "egress") if parts(policy, "spec", "egress") else ("ingress",)


def _peers(rule: Api, key: str, other: Peer, namespace: str) -> bool:
    """Whether a rule means ``other``; one without peers means everybody."""
    peers = parts(rule, key)
    return not peers or any(_peer(one, other, namespace) for one in peers)


def _peer(one: Api, other: Peer, namespace: str) -> bool:
    if "ipBlock" in one:
        return _block(part(one, "ipBlock"), other.address)
    # Without a namespace selector the policy's own namespace is meant.
    if "namespaceSelector" in one:
        if not chooses(part(one, "namespaceSelector"), other.namespace_labels):
            return False
    elif other.namespace != namespace:
        return False
    return chooses(part(one, "podSelector"), other.labels)


def _block(block: Api, address: str) -> bool:
    try:
        own = ip_address(address)
        if own not in ip_network(text(block, "cidr"), strict=False):
            return False
        return not any(own in ip_network(one, strict=False) for one in texts(block, "except"))
    except ValueError:
        return False


def _ports(rule: Api, target: Peer, port: int, protocol: str) -> bool:
    """Whether a rule means the port; one without ports means all."""
    ports = parts(rule, "ports")
    return not ports or any(_port(one, target, port, protocol) for one in ports)


def _port(one: Api, target: Peer, port: int, protocol: str) -> bool:
    if (text(one, "protocol") or "TCP") != protocol:
        return False
    if "port" not in one:
        return True
    first = number(one, "port")
    if first is None:
        return target.ports.get(text(one, "port")) == port
    return first <= port <= (number(one, "endPort") or first)


def peer(pod: Api, namespace_labels: Mapping[str, str]) -> Peer:
    """A pod as one end."""
    ports = {
        text(p, "name"): number(p, "containerPort") or 0
        for container in parts(pod, "spec", "containers")
        for p in parts(container, "ports")
        if text(p, "name")
    }
    return Peer(
        text(pod, "metadata", "namespace"),
        pairs(pod, "metadata", "labels"),
        namespace_labels,
        text(pod, "status", "podIP"),
        ports,
    )
