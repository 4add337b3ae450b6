"""What is there and how it is: list, get and describe, short however much there is."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from aiops.analyze.state.api import Api, number, pairs, part, parts, text
from aiops.analyze.state.parse_objects import parse_stamp
from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.kubernetes.kinds import EVENT, Kind, kind_named
from aiops_tools.kubernetes.owners import containers, template, workload
from aiops_tools.kubernetes.probes.events import EventGroup, grouped, lines
from aiops_tools.kubernetes.probes.places import KindName, ObjectName, listed, one, pods_of
from aiops_tools.kubernetes.probes.probe import Answer, InCluster, Question, View
from aiops_tools.kubernetes.standing import restarts, standing
from aiops_tools.names import Namespace
from aiops_tools.spec import Result

WHY = 160
"""Characters of what an object says of itself."""
FEW = 12
GROUPS = 20


class Row(Result):
    """One object."""

    name: str
    namespace: str | None
    state: str
    abnormal: bool
    why: str
    owner: str
    node: str
    age_s: int | None
    restarts: int | None


class Group(Result):
    """Objects alike, counted."""

    namespace: str | None
    owner: str
    state: str
    abnormal: bool
    count: int


class ListAsked(InCluster):
    """Arguments of list."""

    kind: KindName
    namespace: Namespace | None = None
    all_namespaces: bool = False
    labels: str = Field(default="", max_length=500, description='label selector: "app=web"')
    only_abnormal: bool = False
    after: str = Field(default="", max_length=600, description="next_page of the answer before")
    limit: int = Field(default=FEW, ge=1, le=200)


class Listed(Result):
    """Answer of list.

    Attributes:
        groups: everything, counted; at most ``GROUPS``.
        rows: the abnormal ones first; all of them where they are few.
        next_page: to be asked with; None where nothing is left.
    """

    kind: str
    total: int
    abnormal: int
    groups: list[Group]
    groups_left_out: int
    rows: list[Row]
    next_page: str | None


def list_objects(view: View, asked: ListAsked) -> Answer:
    """Every object counted, the abnormal ones in full."""
    kind = kind_named(asked.kind)
    if kind.namespaced and asked.namespace is None and not asked.all_namespaces:
        raise ToolFailed("invalid", "say which namespace, or all_namespaces = true")
    namespace = asked.namespace if kind.namespaced and not asked.all_namespaces else None
    found = listed(view, kind, namespace, labels=asked.labels)
    listing = summed(
        found, view.now, after=asked.after, limit=asked.limit, only=asked.only_abnormal
    )
    result = listing.model_copy(update={"kind": kind.name})
    where = f" in {namespace}" if namespace else ""
    return Answer(result, f"{result.total} {kind.plural}{where}. {told(result)}")


def summed(
    found: Sequence[Api], now: datetime, *, after: str = "", limit: int = FEW, only: bool = False
) -> Listed:
    """Objects counted by owner and state, and a page of the rows."""
    rows = [row(one, now.timestamp()) for one in found]
    counts = Counter((r.namespace, r.owner, r.state, r.abnormal) for r in rows)
    order = sorted(counts.items(), key=lambda c: (not c[0][3], -c[1], str(c[0])))
    groups = [
        Group(namespace=k[0], owner=k[1], state=k[2], abnormal=k[3], count=n) for k, n in order
    ]
    odd = sum(r.abnormal for r in rows)
    # Beyond a page the sound ones are in the groups; who wants each of them asks for the next page.
    shown = sorted((r for r in rows if r.abnormal or not only), key=_place)
    rest = [r for r in shown if not after or _mark(r) > after]
    first = rest[:limit]
    if not after and len(rest) > limit and odd < limit:
        first = rest[: max(odd, 5)]
    more = _mark(first[-1]) if first and len(rest) > len(first) else None
    return Listed(
        kind="",
        total=len(rows),
        abnormal=odd,
        groups=groups[:GROUPS],
        groups_left_out=max(0, len(groups) - GROUPS),
        rows=first,
        next_page=more,
    )


def row(one: Api, now: float) -> Row:
    """One object in short; ``now`` in unix seconds."""
    is_ = standing(one, now)
    owner = workload(one)
    pod = text(one, "kind") == "Pod"
    made = parse_stamp(text(one, "metadata", "creationTimestamp"))
    return Row(
        name=text(one, "metadata", "name"),
        namespace=text(one, "metadata", "namespace") or None,
        state=is_.word,
        abnormal=is_.abnormal,
        why=is_.why[:WHY],
        owner="/".join(owner) if owner else "",
        node=text(one, "spec", "nodeName") if pod else "",
        age_s=None if made is None else max(0, round(now - made)),
        restarts=restarts(one) if pod else None,
    )


def told(listing: Listed) -> str:
    """A listing in words."""
    said = [f"{listing.abnormal} need a look."]
    for group in listing.groups[:10]:
        place = f"{group.namespace}/" if group.namespace else ""
        said.append(f"{group.count} x {place}{group.owner or listing.kind}: {group.state}")
    said += [f"{r.name} {r.state}: {r.why}" for r in listing.rows[:6] if r.abnormal]
    if listing.next_page:
        said.append("more with after = next_page")
    return "\n".join(said)


def _mark(one: Row) -> str:
    """Its place among all rows, as text that sorts as they do."""
    return f"{int(not one.abnormal)}/{one.namespace or ''}/{one.name}"


def _place(one: Row) -> str:
    return _mark(one)


class OneAsked(InCluster):
    """Arguments of get and describe."""

    kind: KindName
    namespace: Namespace | None = None
    name: ObjectName


class Got(Result):
    """Answer of get: the object as the API has it; of a Secret, names and sizes only."""

    object: dict[str, Any]


def get_object(view: View, asked: OneAsked) -> Answer:
    """One object, without what only the API server needs."""
    found = one(view, kind_named(asked.kind), asked.namespace, asked.name)
    metadata = {k: v for k, v in part(found, "metadata").items() if k != "managedFields"}
    is_ = standing(found, view.now.timestamp())
    what = f"{text(found, 'kind')} {asked.name}: {is_.word}"
    return Answer(Got(object={**found, "metadata": metadata}), f"{what}. {is_.why}".rstrip(". "))


class ContainerRow(Result):
    """One container, as it is set and as it is."""

    name: str
    image: str
    requests: dict[str, str]
    limits: dict[str, str]
    probes: list[str]
    env: list[str]
    state: str
    last: str
    restarts: int


class Described(Result):
    """Answer of describe.

    Attributes:
        env: names of variables and where their value comes from; no values.
        pods: of a workload.
    """

    kind: str
    name: str
    namespace: str | None
    state: str
    why: str
    owner: str
    labels: dict[str, str]
    selector: dict[str, str]
    conditions: list[str]
    containers: list[ContainerRow]
    pods: Listed | None
    events: list[EventGroup]


def describe(view: View, asked: OneAsked) -> Answer:
    """One object with its pods and what was said of them."""
    kind = kind_named(asked.kind)
    found = one(view, kind, asked.namespace, asked.name)
    namespace = asked.namespace if kind.namespaced else None
    unread: list[Unread] = []
    pods = _pods(view, kind, found, namespace)
    is_ = standing(found, view.now.timestamp())
    spec = part(found, "spec") if kind.name == "Pod" else part(template(found), "spec")
    owner = workload(found)
    result = Described(
        kind=kind.name,
        name=asked.name,
        namespace=namespace,
        state=is_.word,
        why=is_.why[:WHY],
        owner="/".join(owner) if owner else "",
        labels=pairs(found, "metadata", "labels"),
        selector=pairs(found, "spec", "selector", "matchLabels") or _plain_selector(found),
        conditions=[
            f"{text(c, 'type')}={text(c, 'status')} {text(c, 'reason')} {text(c, 'message')}"[:WHY]
            for c in parts(found, "status", "conditions")
        ],
        containers=[_container(c, found) for c in containers(spec)][:FEW],
        pods=None if pods is None else summed(pods, view.now).model_copy(update={"kind": "Pod"}),
        events=_events(view, kind, asked.name, namespace, pods or [], unread),
    )
    said = [f"{kind.name} {asked.name}: {is_.word}. {is_.why}".rstrip(". ")]
    if result.pods is not None:
        said.append(f"{result.pods.total} pods. {told(result.pods)}")
    said += lines(result.events)
    return Answer(result, "\n".join(said), tuple(unread))


def _pods(view: View, kind: Kind, found: Api, namespace: str | None) -> list[Api] | None:
    if kind.name == "Node":
        name = text(found, "metadata", "name")
        return view.reader.every(kind_named("Pod"), fields=f"spec.nodeName={name}")
    if namespace is None or not part(found, "spec", "selector", "matchLabels"):
        return None
    return pods_of(view, found, namespace)


def _events(
    view: View,
    kind: Kind,
    name: str,
    namespace: str | None,
    pods: Sequence[Api],
    unread: list[Unread],
) -> list[EventGroup]:
    own = f"involvedObject.name={name}"
    found = view.reader.some(EVENT, unread, namespace, fields=own)
    if pods and kind.name != "Node":
        # That hundreds of pods were started says little; warnings of any of them say much.
        names = {text(pod, "metadata", "name") for pod in pods} - {name}
        warnings = view.reader.some(EVENT, unread, namespace, fields="type=Warning")
        found += [one for one in warnings if text(one, "involvedObject", "name") in names]
    return grouped(found, most=10)


def _plain_selector(found: Api) -> dict[str, str]:
    return pairs(found, "spec", "selector") if text(found, "kind") == "Service" else {}


def _container(found: Api, owner: Api) -> ContainerRow:
    name = text(found, "name")
    statuses = parts(owner, "status", "initContainerStatuses") + parts(
        owner, "status", "containerStatuses"
    )
    status = next((s for s in statuses if text(s, "name") == name), {})
    state = part(status, "state")
    kind = next(iter(state), "")
    last = part(status, "lastState", "terminated")
    return ContainerRow(
        name=name,
        image=text(found, "image"),
        requests=pairs(found, "resources", "requests"),
        limits=pairs(found, "resources", "limits"),
        probes=[p.removesuffix("Probe") for p in _PROBES if part(found, p)],
        env=[_variable(v) for v in parts(found, "env")][:FEW],
        state=f"{kind} {text(state, kind, 'reason')}".strip() if kind else "",
        last=f"{text(last, 'reason')}, exit {text(last, 'exitCode')}" if last else "",
        restarts=number(status, "restartCount") or 0,
    )


_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def _variable(found: Api) -> str:
    """Its name, and where it comes from; the value stays where it is."""
    source = part(found, "valueFrom")
    for key in ("secretKeyRef", "configMapKeyRef"):
        if key in source:
            kind = key.removesuffix("KeyRef")
            return f"{text(found, 'name')} from {kind} {text(source, key, 'name')}"
    return text(found, "name")


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "list",
        "Objects of one kind, counted by owner and state, the abnormal ones in full.",
        ListAsked,
        Listed,
        list_objects,
        ("which pods are not running", "what is deployed in this namespace"),
    ),
    Question(
        "get",
        "One object as the API has it. Of a Secret only names of keys and sizes.",
        OneAsked,
        Got,
        get_object,
        ("show the manifest of this deployment", "what does the config map hold"),
    ),
    Question(
        "describe",
        "One object in short: state, conditions, containers, its pods counted, its events grouped.",
        OneAsked,
        Described,
        describe,
        ("why is this pod failing", "what is wrong with this deployment"),
    ),
)
