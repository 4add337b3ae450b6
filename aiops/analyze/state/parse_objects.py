"""API objects, live or rebuilt from read-outs and manifests, to one ``ClusterState``."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiops.analyze.state import pod_objects, routes
from aiops.analyze.state.api import Api, merged, number, pairs, part, parts, text, texts
from aiops.analyze.state.calls import NO_NAMESPACE, kind_of
from aiops.analyze.state.makers import maker_of
from aiops.analyze.state.quantities import age, quantity
from aiops.model.cluster import (
    Autoscaler,
    Claim,
    ClusterState,
    ConfigMap,
    Daemon,
    Endpoints,
    Event,
    Named,
    NetworkPolicy,
    Node,
    PersistentVolume,
    Quota,
    Route,
    Service,
    StorageClass,
    Taint,
)
from aiops.model.pod_spec import Port

WORKLOADS = frozenset({"deployment", "replicaset", "statefulset", "daemonset", "job", "cronjob"})
NAMED = frozenset(
    {
        "secret",
        "serviceaccount",
        "namespace",
        "limitrange",
        "role",
        "rolebinding",
        "disruptionbudget",
    }
)
Key = tuple[str, str, str]


@dataclass(slots=True)
class Draft:
    """Objects as they are found; what is found first counts, later finds fill its gaps.

    Attributes:
        now: moment of the snapshot, unix seconds; ages of live objects are counted from it.
    """

    cluster: str | None = None
    now: float | None = None
    found: dict[Key, Api] = field(default_factory=dict)
    sources: dict[Key, list[str]] = field(default_factory=dict)
    observed: set[Key] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    listed: set[tuple[str, str]] = field(default_factory=set)
    daemons: list[Daemon] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, one: Api, source: str, *, observed: bool = True) -> None:
        """Takes one API object up."""
        kind = kind_of(text(one, "kind"))
        name = text(one, "metadata", "name")
        if not name:
            return
        namespace = "" if kind in NO_NAMESPACE else text(one, "metadata", "namespace")
        if kind == "event":
            self.event(one, namespace, source)
            return
        key = (kind, namespace, name)
        one["metadata"] = part(one, "metadata") | part(one, "owner")
        self.found[key] = merged(self.found[key], one) if key in self.found else one
        known = self.sources.setdefault(key, [])
        if source not in known:
            known.append(source)
        if observed:
            self.observed.add(key)

    def event(self, one: Api, namespace: str, source: str) -> None:
        """Takes an event of the API (or of a table in its shape) up."""
        about = part(one, "involvedObject") or part(one, "regarding")
        kind = kind_of(text(about, "kind"))
        last, first = one.get("last_s"), one.get("first_s")
        if last is None:
            last = self._since(
                text(one, "lastTimestamp")
                or text(one, "series", "lastObservedTime")
                or text(one, "eventTime")
            )
            first = self._since(text(one, "firstTimestamp"))
        self.events.append(
            Event(
                (
                    kind,
                    "" if kind in NO_NAMESPACE else (text(about, "namespace") or namespace),
                    text(about, "name"),
                ),
                text(one, "reason"),
                text(one, "message") or text(one, "note"),
                text(one, "type") != "Normal",
                number(one, "count") or 1,
                last,
                first,
                source,
            )
        )

    def state(self) -> ClusterState:
        """Everything taken up, typed."""
        self._fill_pods()
        by_kind: dict[str, list[tuple[Key, Api]]] = {}
        for key, one in sorted(self.found.items()):
            by_kind.setdefault(key[0], []).append((key, one))

        def of(*kinds: str) -> Iterator[tuple[Key, Api, dict[str, Any]]]:
            for kind in kinds:
                for key, one in by_kind.get(kind, ()):
                    yield key, one, self._common(key, one)

        return ClusterState(
            pods=tuple(pod_objects.pod(one, common) for _, one, common in of("pod")),
            workloads=tuple(
                pod_objects.workload(one, common, key[0])
                for key, one, common in of(*sorted(WORKLOADS))
            ),
            revisions=tuple(
                pod_objects.revision(one, common) for _, one, common in of("controllerrevision")
            ),
            services=tuple(_service(one, common) for _, one, common in of("service")),
            endpoints=tuple(_endpoints(one, common) for _, one, common in of("endpoints")),
            nodes=tuple(_node(one, common) for _, one, common in of("node")),
            daemons=tuple(self.daemons),
            claims=tuple(_claim(one, common) for _, one, common in of("claim")),
            volumes=tuple(_volume(one, common) for _, one, common in of("volume")),
            storage_classes=tuple(
                StorageClass(
                    **common,
                    provisioner=text(one, "provisioner"),
                    binding_mode=text(one, "volumeBindingMode"),
                )
                for _, one, common in of("storageclass")
            ),
            quotas=tuple(_quota(one, common) for _, one, common in of("quota")),
            config_maps=tuple(
                ConfigMap(**common, data=pairs(one, "data")) for _, one, common in of("configmap")
            ),
            named=tuple(Named(**common, type=key[0]) for key, _, common in of(*sorted(NAMED))),
            policies=tuple(_policy(one, common) for _, one, common in of("networkpolicy")),
            autoscalers=tuple(_autoscaler(one, common) for _, one, common in of("autoscaler")),
            routes=tuple(self._routes()),
            events=tuple(dict.fromkeys(self.events)),
            listed=frozenset(self.listed),
            notes=tuple(self.notes),
        )

    def _fill_pods(self) -> None:
        """A read-out of a pod leaves out what only its template says (affinity, DNS)."""
        for key, one in self.found.items():
            if key[0] != "pod":
                continue
            template = self._template(key[1], pod_objects.owner(one))
            if template:
                one["spec"] = merged(part(one, "spec"), template)

    def _template(self, namespace: str, owner: tuple[str, str] | None) -> Api:
        found: Api = {}
        for _ in range(3):  # pod -> replica set -> deployment
            if owner is None:
                break
            one = self.found.get((owner[0], namespace, owner[1]))
            if one is None:
                owner = maker_of(*owner)
                continue
            found = merged(found, part(one, "spec", "template", "spec"))
            owner = pod_objects.owner(one) or maker_of(*owner)
        return found

    def _common(self, key: Key, one: Api) -> dict[str, Any]:
        known_age = part(one, "metadata").get("age_s")
        if not isinstance(known_age, int | float):
            known_age = self._since(text(one, "metadata", "creationTimestamp"))
        return {
            "name": key[2],
            "namespace": key[1] or None,
            "cluster": self.cluster,
            "labels": pairs(one, "metadata", "labels"),
            "annotations": pairs(one, "metadata", "annotations"),
            "age_s": known_age,
            "observed": key in self.observed,
            "sources": tuple(self.sources[key]),
        }

    def _since(self, moment: str) -> float | None:
        then = parse_stamp(moment)
        return None if then is None or self.now is None else max(0.0, self.now - then)

    def _routes(self) -> Iterator[Route]:
        for key, one in sorted(self.found.items()):
            yield from routes.routes(key[0], one, self.sources[key][0])


def parse_stamp(moment: str) -> float | None:
    """Unix seconds of the API's way to write a moment; None for what is none."""
    from datetime import datetime

    try:
        then = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return then.timestamp() if then.tzinfo is not None else None


def cluster_state(
    objects: Iterable[Api], *, cluster: str | None = None, now: float | None = None
) -> ClusterState:
    """The state that live API objects describe, secrets' values left out.

    Args:
        objects: as the API gives them, lists taken apart; "kind" says what each is.
        now: unix seconds, for ages; None leaves them unknown.
    """
    draft = Draft(cluster=cluster, now=now)
    for one in objects:
        kind = kind_of(text(one, "kind"))
        kept = (
            {key: value for key, value in one.items() if key not in ("data", "stringData")}
            if kind == "secret"
            else dict(one)
        )
        draft.add(kept, f"{kind}/{text(one, 'metadata', 'name')}")
        draft.listed.add((kind, text(one, "metadata", "namespace")))
    return draft.state()


def described_events(rows: list[dict[str, str]], about: Key, source: str) -> Iterator[Event]:
    """The events at the end of a describe ("Age" reads "2m (x3 over 4m)")."""
    for row in rows:
        last, _, over = row.get("Age", "").partition(" (x")
        count, _, first = over.rstrip(")").partition(" over ")
        yield Event(
            about,
            row.get("Reason", ""),
            row.get("Message", ""),
            row.get("Type", "") != "Normal",
            int(count) if count.isdigit() and len(count) < 10 else 1,
            age(last),
            age(first) if first else age(last),
            source,
        )


def _service(one: Api, common: dict[str, Any]) -> Service:
    spec = part(one, "spec")
    return Service(
        **common,
        type=text(spec, "type") or "ClusterIP",
        selector=pairs(spec, "selector"),
        ports=tuple(
            Port(
                number(port, "port") or 0,
                text(port, "name"),
                text(port, "protocol") or "TCP",
                text(port, "targetPort"),
            )
            for port in parts(spec, "ports")
            if number(port, "port")
        ),
        headless=text(spec, "clusterIP") == "None",
    )


def _endpoints(one: Api, common: dict[str, Any]) -> Endpoints:
    subsets = parts(one, "subsets")
    return Endpoints(
        **common,
        ready=sum(len(parts(subset, "addresses")) for subset in subsets),
        not_ready=sum(len(parts(subset, "notReadyAddresses")) for subset in subsets),
    )


def _node(one: Api, common: dict[str, Any]) -> Node:
    conditions = pod_objects.conditions(part(one, "status"))
    ready = next((found.status for found in conditions if found.type == "Ready"), "")
    return Node(
        **common,
        ready=ready == "True" if ready else None,
        unschedulable=text(one, "spec", "unschedulable") == "true",
        taints=tuple(
            Taint(text(taint, "key"), text(taint, "value"), text(taint, "effect"))
            for taint in parts(one, "spec", "taints")
        ),
        conditions=conditions,
        allocatable=pod_objects.quantities(one, "status", "allocatable"),
        requested=pod_objects.quantities(one, "status", "requested"),
    )


def _claim(one: Api, common: dict[str, Any]) -> Claim:
    spec = part(one, "spec")
    return Claim(
        **common,
        phase=text(one, "status", "phase"),
        volume=text(spec, "volumeName"),
        requested=quantity(text(spec, "resources", "requests", "storage")),
        access_modes=texts(spec, "accessModes"),
        storage_class=text(spec, "storageClassName") if "storageClassName" in spec else None,
        selector=pairs(spec, "selector", "matchLabels"),
        volume_mode=text(spec, "volumeMode") or "Filesystem",
    )


def _volume(one: Api, common: dict[str, Any]) -> PersistentVolume:
    spec = part(one, "spec")
    claim = part(spec, "claimRef")
    return PersistentVolume(
        **common,
        phase=text(one, "status", "phase"),
        capacity=quantity(text(spec, "capacity", "storage")),
        access_modes=texts(spec, "accessModes"),
        storage_class=text(spec, "storageClassName"),
        claim=f"{text(claim, 'namespace')}/{text(claim, 'name')}" if claim else "",
        volume_mode=text(spec, "volumeMode") or "Filesystem",
    )


def _quota(one: Api, common: dict[str, Any]) -> Quota:
    hard = pod_objects.quantities(one, "status", "hard")
    return Quota(
        **common,
        used=pod_objects.quantities(one, "status", "used"),
        hard=hard or pod_objects.quantities(one, "spec", "hard"),
    )


def _policy(one: Api, common: dict[str, Any]) -> NetworkPolicy:
    spec = part(one, "spec")
    types = {name.lower() for name in texts(spec, "policyTypes")}
    if "policyTypes" not in spec:  # the API's own default
        types = {"ingress", *(["egress"] if parts(spec, "egress") else [])}
    ways = [way for way in ("ingress", "egress") if way in types]
    return NetworkPolicy(
        **common,
        selector=pairs(spec, "podSelector", "matchLabels"),
        denies=tuple(way for way in ways if not parts(spec, way)),
        allows=tuple(way for way in ways if parts(spec, way)),
    )


def _autoscaler(one: Api, common: dict[str, Any]) -> Autoscaler:
    return Autoscaler(
        **common,
        target=text(one, "spec", "scaleTargetRef", "name"),
        current=number(one, "status", "currentReplicas"),
        desired=number(one, "status", "desiredReplicas"),
        minimum=number(one, "spec", "minReplicas"),
        maximum=number(one, "spec", "maxReplicas"),
        load=max(_loads(one), default=None),
        conditions=pod_objects.conditions(part(one, "status")),
    )


def _loads(one: Api) -> Iterator[float]:
    """Of each metric of resources, as autoscaling/v2 has them and v1 had of the CPU."""
    aims = {
        text(each, "resource", "name"): number(each, "resource", "target", "averageUtilization")
        for each in parts(one, "spec", "metrics")
    }
    for each in parts(one, "status", "currentMetrics"):
        used = number(each, "resource", "current", "averageUtilization")
        aim = aims.get(text(each, "resource", "name"))
        if used is not None and aim:
            yield used / aim
    used = number(one, "status", "currentCPUUtilizationPercentage")
    aim = number(one, "spec", "targetCPUUtilizationPercentage")
    if used is not None and aim:
        yield used / aim
