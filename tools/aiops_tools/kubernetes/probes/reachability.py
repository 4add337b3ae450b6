"""Whether network policies let one pod reach another, and which of them decides."""

from typing import Any, Literal

from pydantic import Field

from aiops.analyze.state.api import pairs
from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.kubernetes.kinds import NAMESPACE, POD, kind_named
from aiops_tools.kubernetes.network_policies import peer, reach
from aiops_tools.kubernetes.probes.places import InNamespace, one
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.names import Namespace, PodName
from aiops_tools.spec import Result


class ReachAsked(InNamespace):
    """Arguments of reachability; ``namespace`` and ``pod`` are where it starts."""

    pod: PodName
    to_namespace: Namespace
    to_pod: PodName
    port: int = Field(ge=1, le=65535, description="number of the container's port")
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"


class ReachFound(Result):
    """Answer of reachability: what the policies say, not what the network does."""

    allowed: bool
    egress: str
    ingress: str
    policies: int


def reachability(view: View, asked: ReachAsked) -> Answer:
    """What the policies of both namespaces say of one way."""
    unread: list[Unread] = []
    source = one(view, POD, asked.namespace, asked.pod)
    target = one(view, POD, asked.to_namespace, asked.to_pod)
    namespaces = sorted({asked.namespace, asked.to_namespace})
    kind = kind_named("NetworkPolicy")
    policies = [found for where in namespaces for found in view.reader.every(kind, where)]
    labels = {where: _labels(view, where, unread) for where in namespaces}
    out, in_ = reach(
        policies,
        peer(source, labels[asked.namespace]),
        peer(target, labels[asked.to_namespace]),
        asked.port,
        asked.protocol,
    )
    result = ReachFound(
        allowed=out.allowed and in_.allowed,
        egress=out.said,
        ingress=in_.said,
        policies=len(policies),
    )
    word = "may" if result.allowed else "may not"
    head = f"{asked.pod} {word} reach {asked.to_pod} on {asked.protocol} {asked.port}."
    return Answer(result, "\n".join([head, out.said, in_.said]), tuple(unread))


def _labels(view: View, namespace: str, unread: list[Unread]) -> dict[str, str]:
    """Of a namespace; its name is a label of every one, whoever may read it."""
    own = {"kubernetes.io/metadata.name": namespace}
    try:
        found = view.reader.one(NAMESPACE, None, namespace)
    except ToolFailed as failure:
        unread.append(Unread(f"labels of namespace {namespace}", str(failure)))
        return own
    return own | pairs(found, "metadata", "labels")


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "reachability",
        "Whether network policies let one pod reach another's port, and which policy decides.",
        ReachAsked,
        ReachFound,
        reachability,
        ("does a network policy block this connection", "may this pod talk to the database"),
    ),
)
