"""An alert list laid out over its instances: what each raised itself, received and sent.

An alert says more by where it stands than by what it is: a slow call is about the callee unless
the callee itself waits, a replica that fell silent is seen in its twin that did not.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from aiops.model import AlertSignal, Entity, ServiceGraph, TelemetryWindow

MOST_ALERTS = 100_000
"""Alerts read of one list; a storm beyond it repeats itself, and reading stays bounded."""
MOST_CANDIDATES = 5_000
"""Entities compared with each other in one incident; more are counted and left out."""
_SCOPES = frozenset({"namespace"})


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate and the alerts around it.

    Attributes:
        entity: the candidate.
        own: metric, log and service alerts raised on it.
        inside: trace alerts of its own spans, and of calls whose other side is not known.
        incoming: trace alerts of calls into it.
        outgoing: trace alerts of calls it made.
        neighbours: positions of entities that share a call with it, in either direction.
        siblings: positions of the other replicas of its service.
        host: the machine its alerts name, where they name one.
        calls_in, calls_out, loops: weights of the graph's calls into it, by it, and to itself
            (spans within one instance are drawn as loops; a dead one has none).
    """

    entity: Entity
    own: tuple[AlertSignal, ...]
    inside: tuple[AlertSignal, ...]
    incoming: tuple[AlertSignal, ...]
    outgoing: tuple[AlertSignal, ...]
    neighbours: tuple[int, ...]
    siblings: tuple[int, ...]
    host: Entity | None
    calls_in: float = 0.0
    calls_out: float = 0.0
    loops: float = 0.0

    @property
    def alerts(self) -> tuple[AlertSignal, ...]:
        """Every alert it takes part in."""
        return self.own + self.inside + self.incoming + self.outgoing

    @property
    def raised(self) -> int:
        """Alerts that point at it: what a count of alerts ranks by."""
        return len(self.own) + len(self.inside) + len(self.incoming)


@dataclass(frozen=True, slots=True)
class Incident:
    """An alert list over its candidates, in the order of their names.

    Attributes:
        places: the candidates; empty where nothing alerted.
        hosts: machines with the alerts raised on them.
        notes: what was left out, each counted, one sentence each.
    """

    places: tuple[Place, ...]
    hosts: tuple[tuple[Entity, tuple[AlertSignal, ...]], ...]
    notes: tuple[str, ...]


def lay_out(window: TelemetryWindow) -> Incident:
    """The alerts of ``window`` over the entities of its graph, and over any others they name.

    The order of the list does not matter. Exact repeats of an alert count once: a detector that
    fires again says nothing new. Machines are kept apart: they host candidates.
    """
    notes: list[str] = []
    alerts = _distinct(window.alerts, notes)
    graph = window.graph or ServiceGraph((), ())
    on_machines: dict[Entity, list[AlertSignal]] = defaultdict(list)
    rest: list[AlertSignal] = []
    for alert in alerts:
        if alert.entity.kind == "node":
            on_machines[alert.entity].append(alert)
        elif alert.entity.kind not in _SCOPES:
            rest.append(alert)
    candidates = _candidates(graph, rest, notes)
    hosts = tuple((host, tuple(on_machines[host])) for host in sorted(on_machines, key=_order))
    return Incident(_places(candidates, graph, rest), hosts, tuple(notes))


def _distinct(alerts: Iterable[AlertSignal], notes: list[str]) -> list[AlertSignal]:
    ordered = sorted(set(alerts), key=_alert_order)
    if len(ordered) > MOST_ALERTS:
        notes.append(f"{len(ordered) - MOST_ALERTS:,} of {len(ordered):,} alerts were not read.")
    return ordered[:MOST_ALERTS]


def _candidates(
    graph: ServiceGraph, alerts: Iterable[AlertSignal], notes: list[str]
) -> tuple[Entity, ...]:
    known = {node for node in graph.nodes if node.kind not in ("node", *_SCOPES)}
    named = {alert.entity for alert in alerts}
    callers = {a.peer for a in alerts if a.modality == "trace" and a.peer is not None}
    strangers = {e for e in (named | callers) - known if e.kind != "node"}
    if known and strangers:
        notes.append(f"Alerting entities that are not in the graph: {len(strangers)}.")
    everyone = sorted(known | strangers, key=_order)
    if len(everyone) > MOST_CANDIDATES:
        # Entities that alerted go first: silence among thousands accuses nobody.
        everyone = sorted(everyone, key=lambda e: (e not in named, _order(e)))
        notes.append(f"{len(everyone) - MOST_CANDIDATES:,} entities were left out.")
        everyone = sorted(everyone[:MOST_CANDIDATES], key=_order)
    return tuple(everyone)


def _places(
    candidates: tuple[Entity, ...], graph: ServiceGraph, alerts: Iterable[AlertSignal]
) -> tuple[Place, ...]:
    position = {entity: i for i, entity in enumerate(candidates)}
    own: list[list[AlertSignal]] = [[] for _ in candidates]
    inside: list[list[AlertSignal]] = [[] for _ in candidates]
    incoming: list[list[AlertSignal]] = [[] for _ in candidates]
    outgoing: list[list[AlertSignal]] = [[] for _ in candidates]
    neighbours: list[set[int]] = [set() for _ in candidates]
    hosts: dict[int, Entity] = {}
    weights = [[0.0, 0.0, 0.0] for _ in candidates]
    for call in graph.calls:
        source, target = position.get(call.source), position.get(call.target)
        _join(neighbours, source, target)
        if source is not None and source == target:
            weights[source][2] += call.weight
            continue
        if target is not None:
            weights[target][0] += call.weight
        if source is not None:
            weights[source][1] += call.weight
    for alert in alerts:
        here = position.get(alert.entity)
        there = position.get(alert.peer) if alert.peer is not None else None
        if alert.modality != "trace":
            if here is not None:
                own[here].append(alert)
                if alert.peer is not None and alert.peer.kind == "node":
                    hosts[here] = alert.peer
            continue
        _join(neighbours, here, there)
        if here is not None:
            (inside if there in (None, here) else incoming)[here].append(alert)
        if there is not None and there != here:
            outgoing[there].append(alert)
    replicas = _replicas(candidates)
    return tuple(
        Place(
            entity,
            tuple(own[i]),
            tuple(inside[i]),
            tuple(incoming[i]),
            tuple(outgoing[i]),
            tuple(sorted(neighbours[i])),
            tuple(j for j in replicas.get(_replica_key(entity), ()) if j != i),
            hosts.get(i),
            *weights[i],
        )
        for i, entity in enumerate(candidates)
    )


def _join(neighbours: list[set[int]], one: int | None, other: int | None) -> None:
    if one is not None and other is not None and one != other:
        neighbours[one].add(other)
        neighbours[other].add(one)


def _replicas(candidates: tuple[Entity, ...]) -> dict[tuple[str, str, str], list[int]]:
    found: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, entity in enumerate(candidates):
        if entity.service is not None:
            found[_replica_key(entity)].append(i)
    return found


def _replica_key(entity: Entity) -> tuple[str, str, str]:
    return (entity.service or entity.name, entity.namespace or "", entity.cluster or "")


def _order(entity: Entity) -> tuple[str, ...]:
    parts = (entity.kind, entity.name, entity.namespace, entity.cluster, entity.service)
    return tuple(part or "" for part in parts)


def _alert_order(alert: AlertSignal) -> tuple[str, ...]:
    peer = _order(alert.peer) if alert.peer is not None else ()
    return (alert.modality, *_order(alert.entity), alert.name, alert.detail, *peer)
