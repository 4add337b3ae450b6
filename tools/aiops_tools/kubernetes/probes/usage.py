"""Who uses how much: CPU and memory of pods and nodes, against what they asked for."""

from typing import Any

from pydantic import Field

from aiops.analyze.state.api import Api, pairs, part, parts, text
from aiops.analyze.state.quantities import quantity
from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.kubernetes.kinds import NODE_METRICS, POD, POD_METRICS, Kind, kind_named
from aiops_tools.kubernetes.owners import workload
from aiops_tools.kubernetes.probes.places import InNamespace, there
from aiops_tools.kubernetes.probes.probe import Answer, InCluster, Question, View
from aiops_tools.spec import Result

MI = 2**20


class Used(Result):
    """What one pod or node uses now.

    Attributes:
        cpu: cores; ``memory`` MiB; of limits (pods) or of what can be given out (nodes), 0 to 1.
    """

    name: str
    owner: str
    cpu: float
    memory: float
    cpu_of_limit: float | None
    memory_of_limit: float | None


class UsedFound(Result):
    """Answer of top_pods and top_nodes: those that use most."""

    total: int
    cpu: float
    memory: float
    most: list[Used]


class TopPods(InNamespace):
    """Arguments of top_pods."""

    limit: int = Field(default=15, ge=1, le=100)


class TopNodes(InCluster):
    """Arguments of top_nodes."""

    limit: int = Field(default=15, ge=1, le=100)


def top_pods(view: View, asked: TopPods) -> Answer:
    """The pods of a namespace that come nearest to their limits, then those that use most."""
    measured = _measured(view, POD_METRICS, asked.namespace)
    if not measured:
        there(view, asked.namespace)
    unread: list[Unread] = []
    pods = {
        text(pod, "metadata", "name"): pod for pod in view.reader.some(POD, unread, asked.namespace)
    }
    rows = []
    for one in measured:
        name = text(one, "metadata", "name")
        pod = pods.get(name, {})
        owner = workload(pod) if pod else None
        used = _sum([part(c, "usage") for c in parts(one, "containers")])
        limits = _sum([part(c, "resources", "limits") for c in parts(pod, "spec", "containers")])
        rows.append(_used(name, "/".join(owner) if owner else "", used, limits))
    return _answer(rows, asked.limit, tuple(unread))


def top_nodes(view: View, asked: TopNodes) -> Answer:
    """The nodes that are fullest."""
    unread: list[Unread] = []
    nodes = {
        text(node, "metadata", "name"): node
        for node in view.reader.some(kind_named("Node"), unread)
    }
    rows = []
    for one in _measured(view, NODE_METRICS, None):
        name = text(one, "metadata", "name")
        room = _sum([part(nodes.get(name, {}), "status", "allocatable")])
        rows.append(_used(name, "", _sum([part(one, "usage")]), room))
    return _answer(rows, asked.limit, tuple(unread))


def _measured(view: View, kind: Kind, namespace: str | None) -> list[Api]:
    try:
        return view.reader.every(kind, namespace)
    except ToolFailed as failure:
        if failure.kind != "not_found":
            raise
        raise ToolFailed(
            "not_found",
            f"cluster {view.reader.cluster} measures nothing: its metrics API is not there; "
            "install metrics-server, or ask the telemetry for CPU and memory",
        ) from failure


def _sum(resources: list[Api]) -> tuple[float | None, float | None]:
    """CPU and memory together; None where any part has none: then there is no limit to it all."""
    totals: list[float | None] = []
    for name in ("cpu", "memory"):
        found = [quantity(pairs(one).get(name, "")) for one in resources]
        known = [one for one in found if one is not None]
        totals.append(sum(known) if found and len(known) == len(found) else None)
    return totals[0], totals[1]


def _used(
    name: str,
    owner: str,
    used: tuple[float | None, float | None],
    limit: tuple[float | None, float | None],
) -> Used:
    cpu, memory = used[0] or 0.0, used[1] or 0.0
    return Used(
        name=name,
        owner=owner,
        cpu=round(cpu, 3),
        memory=round(memory / MI, 1),
        cpu_of_limit=round(cpu / limit[0], 2) if limit[0] else None,
        memory_of_limit=round(memory / limit[1], 2) if limit[1] else None,
    )


def _answer(rows: list[Used], limit: int, unread: tuple[Unread, ...]) -> Answer:
    rows.sort(
        key=lambda one: (
            -max(one.cpu_of_limit or 0, one.memory_of_limit or 0),
            -one.cpu,
            -one.memory,
            one.name,
        )
    )
    result = UsedFound(
        total=len(rows),
        cpu=round(sum(one.cpu for one in rows), 3),
        memory=round(sum(one.memory for one in rows), 1),
        most=rows[:limit],
    )
    said = [f"{result.total} use {result.cpu} cores and {result.memory} MiB. Fullest first:"]
    said += [
        f"{one.name}: {one.cpu} cores{_share(one.cpu_of_limit)}, "
        f"{one.memory} MiB{_share(one.memory_of_limit)}"
        for one in result.most
    ]
    return Answer(result, "\n".join(said), unread)


def _share(of: float | None) -> str:
    return "" if of is None else f" ({100 * of:.0f} % of what it may)"


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "top_pods",
        "CPU and memory that the pods of a namespace use now, nearest to their limits first.",
        TopPods,
        UsedFound,
        top_pods,
        ("which pod uses most memory", "who is close to the memory limit"),
    ),
    Question(
        "top_nodes",
        "CPU and memory in use on each node, of what it can give out.",
        TopNodes,
        UsedFound,
        top_nodes,
        ("which machine is full", "is any node busy"),
    ),
)
