"""What workloads stand on: nodes, storage, autoscalers and jobs, each with what ails it."""

from typing import TYPE_CHECKING, Any

from aiops.analyze.state.api import Api, number, pairs, part, parts, text
from aiops.analyze.state.quantities import quantity
from aiops_tools.kubernetes.kinds import EVENT, POD, kind_named
from aiops_tools.kubernetes.owners import containers
from aiops_tools.kubernetes.probes.events import grouped, lines
from aiops_tools.kubernetes.probes.places import InNamespace, listed, there
from aiops_tools.kubernetes.probes.probe import Answer, InCluster, Question, View
from aiops_tools.kubernetes.standing import standing
from aiops_tools.spec import Result

if TYPE_CHECKING:
    from aiops.model.tool import Unread

MOST = 30


class NodeRow(Result):
    """One node.

    Attributes:
        cpu_requested, memory_requested: by its pods, of what it can give out, 0 to 1.
    """

    name: str
    state: str
    why: str
    taints: list[str]
    pods: int
    pods_at_most: int | None
    cpu_requested: float | None
    memory_requested: float | None


class NodesFound(Result):
    """Answer of nodes, those that need a look first."""

    total: int
    abnormal: int
    nodes: list[NodeRow]


def nodes(view: View, asked: InCluster) -> Answer:
    """Every node's conditions, taints and how much of it is spoken for."""
    del asked
    unread: list[Unread] = []
    found = view.reader.every(kind_named("Node"))
    pods: dict[str, list[Api]] = {}
    for pod in view.reader.some(POD, unread):
        if text(pod, "status", "phase") not in ("Succeeded", "Failed"):
            pods.setdefault(text(pod, "spec", "nodeName"), []).append(pod)
    now = view.now.timestamp()
    found.sort(key=lambda one: (not standing(one, now).abnormal, text(one, "metadata", "name")))
    rows = [_node(one, pods.get(text(one, "metadata", "name"), []), now) for one in found]
    odd = sum(standing(one, now).abnormal for one in found)
    said = [f"{len(rows)} nodes, {odd} need a look."]
    said += [
        f"{r.name}: {r.state}, {r.pods} pods, {_share(r.cpu_requested)} of CPU and "
        f"{_share(r.memory_requested)} of memory requested. {r.why}".rstrip(". ")
        for r in rows[:MOST]
    ]
    result = NodesFound(total=len(rows), abnormal=odd, nodes=rows[:MOST])
    return Answer(result, "\n".join(said), tuple(unread))


def _node(one: Api, pods: list[Api], now: float) -> NodeRow:
    is_ = standing(one, now)
    room = pairs(one, "status", "allocatable")
    shares = {}
    for name in ("cpu", "memory"):
        asked = sum(
            quantity(pairs(container, "resources", "requests").get(name, "")) or 0.0
            for pod in pods
            for container in containers(part(pod, "spec"))
        )
        most = quantity(room.get(name, ""))
        shares[name] = round(asked / most, 2) if most else None
    return NodeRow(
        name=text(one, "metadata", "name"),
        state=is_.word,
        why=is_.why[:300],
        taints=[
            f"{text(t, 'key')}={text(t, 'value')}:{text(t, 'effect')}"
            for t in parts(one, "spec", "taints")
        ],
        pods=len(pods),
        pods_at_most=number(room, "pods"),
        cpu_requested=shares["cpu"],
        memory_requested=shares["memory"],
    )


def _share(of: float | None) -> str:
    return "?" if of is None else f"{100 * of:.0f} %"


class ClaimRow(Result):
    """One claim and the volume behind it."""

    name: str
    state: str
    asked: str
    volume: str
    volume_state: str
    storage_class: str
    why: str


class StorageFound(Result):
    """Answer of storage, claims that need a look first."""

    total: int
    unbound: int
    claims: list[ClaimRow]
    free_volumes: int


def storage(view: View, asked: InNamespace) -> Answer:
    """Which claims are bound to what, and what keeps the others from it."""
    unread: list[Unread] = []
    claims = listed(view, kind_named("PersistentVolumeClaim"), asked.namespace)
    volumes = view.reader.some(kind_named("PersistentVolume"), unread)
    by_name = {text(one, "metadata", "name"): one for one in volumes}
    classes = {
        text(one, "metadata", "name")
        for one in view.reader.some(kind_named("StorageClass"), unread)
    }
    known = not any(one.what.startswith("storageclasses") for one in unread)
    about = "involvedObject.kind=PersistentVolumeClaim"
    events = view.reader.some(EVENT, unread, asked.namespace, fields=about)
    claims.sort(key=lambda one: (text(one, "status", "phase") == "Bound", _name(one)))
    rows = []
    for one in claims[:MOST]:
        volume = by_name.get(text(one, "spec", "volumeName"), {})
        class_ = text(one, "spec", "storageClassName")
        told = [e for e in events if text(e, "involvedObject", "name") == _name(one)]
        why = (
            ""
            if text(one, "status", "phase") == "Bound"
            else " ".join(lines(grouped(told, most=2)))
        )
        if class_ and known and class_ not in classes:
            why = f"there is no storage class {class_!r}. {why}".strip()
        rows.append(
            ClaimRow(
                name=_name(one),
                state=text(one, "status", "phase") or "Unknown",
                asked=text(one, "spec", "resources", "requests", "storage"),
                volume=text(one, "spec", "volumeName"),
                volume_state=text(volume, "status", "phase"),
                storage_class=class_,
                why=why[:400],
            )
        )
    unbound = sum(text(one, "status", "phase") != "Bound" for one in claims)
    free = sum(text(one, "status", "phase") == "Available" for one in volumes)
    said = [f"{len(claims)} claims, {unbound} not bound; {free} volumes are free."]
    said += [f"{r.name}: {r.state} {r.volume} {r.why}".rstrip() for r in rows]
    result = StorageFound(total=len(claims), unbound=unbound, claims=rows, free_volumes=free)
    return Answer(result, "\n".join(said), tuple(unread))


class AutoscalerRow(Result):
    """One autoscaler."""

    name: str
    target: str
    current: int | None
    desired: int | None
    bounds: str
    metrics: list[str]
    abnormal: bool
    why: str


class AutoscalersFound(Result):
    """Answer of autoscalers."""

    autoscalers: list[AutoscalerRow]


def autoscalers(view: View, asked: InNamespace) -> Answer:
    """What every autoscaler of a namespace wants, sees, and is kept from."""
    found = listed(view, kind_named("HorizontalPodAutoscaler"), asked.namespace)
    rows = [_autoscaler(one, view.now.timestamp()) for one in found[:MOST]]
    said = [
        f"{r.name} of {r.target}: {r.current} of {r.bounds}, wants {r.desired}. {r.why}".rstrip(
            ". "
        )
        for r in rows
    ]
    return Answer(
        AutoscalersFound(autoscalers=rows), "\n".join(said or ["There is no autoscaler."])
    )


def _autoscaler(one: Api, now: float) -> AutoscalerRow:
    spec, status = part(one, "spec"), part(one, "status")
    is_ = standing(one, now)
    return AutoscalerRow(
        name=_name(one),
        target=f"{text(spec, 'scaleTargetRef', 'kind')}/{text(spec, 'scaleTargetRef', 'name')}",
        current=number(status, "currentReplicas"),
        desired=number(status, "desiredReplicas"),
        bounds=f"{number(spec, 'minReplicas') or 1}-{number(spec, 'maxReplicas')}",
        metrics=[_metric(spec, status, i) for i in range(len(parts(spec, "metrics")))],
        abnormal=is_.abnormal,
        why=is_.why[:400],
    )


def _metric(spec: Api, status: Api, i: int) -> str:
    wanted = parts(spec, "metrics")[i]
    seen = parts(status, "currentMetrics")
    type_ = text(wanted, "type").lower()
    target = part(wanted, type_, "target")
    current = part(seen[i], type_, "current") if i < len(seen) else {}
    keys = ("averageUtilization", "averageValue", "value")

    def value(found: Api) -> str:
        return next((text(found, key) for key in keys if text(found, key)), "unknown")

    name = text(wanted, type_, "name") or text(wanted, type_, "metric", "name")
    return f"{name}: {value(current)} of {value(target)}"


class JobRow(Result):
    """One job or cron job."""

    kind: str
    name: str
    state: str
    abnormal: bool
    why: str
    schedule: str
    last: str


class JobsFound(Result):
    """Answer of jobs, those that need a look first."""

    total: int
    jobs: list[JobRow]


def jobs(view: View, asked: InNamespace) -> Answer:
    """Jobs and cron jobs of a namespace."""
    unread: list[Unread] = []
    found = view.reader.some(kind_named("CronJob"), unread, asked.namespace)
    found += view.reader.some(kind_named("Job"), unread, asked.namespace)
    if not found:
        there(view, asked.namespace)
    now = view.now.timestamp()
    rows = []
    for one in found:
        is_ = standing(one, now)
        last = text(one, "status", "lastScheduleTime") or text(one, "status", "completionTime")
        rows.append(
            JobRow(
                kind=text(one, "kind"),
                name=_name(one),
                state=is_.word,
                abnormal=is_.abnormal,
                why=is_.why[:300],
                schedule=text(one, "spec", "schedule"),
                last=last,
            )
        )
    rows.sort(key=lambda r: (not r.abnormal, r.kind, r.name))
    said = [f"{r.kind} {r.name}: {r.state}. {r.why}".rstrip(". ") for r in rows[:MOST]]
    result = JobsFound(total=len(rows), jobs=rows[:MOST])
    return Answer(result, "\n".join([f"{len(rows)} jobs and cron jobs.", *said]), tuple(unread))


def _name(one: Api) -> str:
    return text(one, "metadata", "name")


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "nodes",
        "Nodes with conditions, taints and how much of each is requested.",
        InCluster,
        NodesFound,
        nodes,
        ("are all machines healthy", "is there room to schedule more"),
    ),
    Question(
        "storage",
        "Volume claims of a namespace, what they are bound to, and why not.",
        InNamespace,
        StorageFound,
        storage,
        ("why is the volume claim pending",),
    ),
    Question(
        "autoscalers",
        "Horizontal autoscalers with what they see and what keeps them from scaling.",
        InNamespace,
        AutoscalersFound,
        autoscalers,
        ("why does it not scale up",),
    ),
    Question(
        "jobs",
        "Jobs and cron jobs of a namespace, the failed ones first.",
        InNamespace,
        JobsFound,
        jobs,
        ("did the nightly job run",),
    ),
)
