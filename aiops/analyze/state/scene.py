"""What a rule looks at: the cluster's state and what else was recorded at the same moment."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from aiops.analyze.state.alerts_text import Moved, moved
from aiops.analyze.state.calls import understand
from aiops.analyze.state.makers import deployment_of, maker_of
from aiops.analyze.state.parse_kubectl import Reach, Recorded, recorded
from aiops.analyze.state.routes import host_of
from aiops.model import CaseData, Entity, Evidence, LogTable, RecordedOutput, Window
from aiops.model.cluster import ClusterState, Event, Pod, Service, Workload
from aiops.model.pod_spec import PodSpec
from aiops.model.ranking import EvidenceKind

SIDECARS = ("istio-proxy", "linkerd-proxy", "envoy", "istio-validation", "istio-init")
"""Containers a mesh adds to a pod: their probes and ports are not the application's."""
LOG_CHARACTERS = 300_000
"""Characters of one service's log that are searched, counted from the end."""


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of what one service logged, and how to find it again."""

    text: str
    lower: str
    kind: EvidenceKind
    source: str
    call: str = ""

    @classmethod
    def of(cls, text: str, kind: EvidenceKind, source: str, call: str = "") -> "Said":
        """The end of ``text``, kept in lower case too."""
        kept = text[-LOG_CHARACTERS:]
        lower = kept.lower()
        # A few letters change their length in lower case; then places would not agree.
        return cls(kept if len(lower) == len(kept) else lower, lower, kind, source, call)

    def evidence(self, claim: str, line: str, window: Window) -> Evidence:
        """The evidence for ``claim``, read in ``line``."""
        return Evidence("", self.kind, claim, self.source, window, self.call or line)


@dataclass(frozen=True, slots=True)
class App:
    """What people call a service: a workload (or a lone pod), its pods, the services before it."""

    entity: Entity
    spec: PodSpec
    labels: Mapping[str, str]
    workload: Workload | None
    pods: tuple[Pod, ...]
    services: tuple[Service, ...]

    @property
    def name(self) -> str:
        """The name it is known by."""
        return self.entity.name

    @property
    def sources(self) -> tuple[str, ...]:
        """The calls it was read from."""
        of_pods = tuple(source for pod in self.pods for source in pod.sources)
        return (self.workload.sources if self.workload else ()) + of_pods


@dataclass(frozen=True)
class Scene:
    """One moment of one cluster.

    Attributes:
        window: what every evidence of a state is about.
        logs: service -> what it said.
        calls: (caller, callee) names.
        signs: what alerts say moved.
    """

    state: ClusterState
    window: Window
    reach: tuple[Reach, ...] = ()
    calls: frozenset[tuple[str, str]] = frozenset()
    logs: Mapping[str, tuple[Said, ...]] = field(default_factory=dict)
    signs: tuple[Moved, ...] = ()

    @cached_property
    def apps(self) -> tuple[App, ...]:
        """Every workload that nothing else makes, and every pod that nothing makes."""
        return tuple(_apps(self.state))

    @cached_property
    def by_name(self) -> Mapping[str, App]:
        """Apps by name; the first of a name where there are several."""
        found: dict[str, App] = {}
        for app in self.apps:
            found.setdefault(app.name, app)
        return found

    @cached_property
    def app_of(self) -> Mapping[tuple[str, str, str], App]:
        """The app of each workload, replica set and pod, by key."""
        found: dict[tuple[str, str, str], App] = {}
        for app in self.apps:
            if app.workload is not None:
                found[app.workload.key] = app
            for pod in app.pods:
                found[pod.key] = app
        for workload in self.state.workloads:
            if workload.owner is not None:
                owner = found.get((workload.owner[0], workload.namespace or "", workload.owner[1]))
                if owner is not None:
                    found.setdefault(workload.key, owner)
        return found

    @cached_property
    def app_of_service(self) -> Mapping[str, App]:
        """The app behind each service, by its selector; by its name where that matches none."""
        found = {service.name: app for app in reversed(self.apps) for service in app.services}
        for service in self.state.services:
            if service.name in self.by_name:
                found.setdefault(service.name, self.by_name[service.name])
        return found

    @cached_property
    def events_about(self) -> Mapping[tuple[str, str, str], tuple[Event, ...]]:
        """Events by what they are about."""
        found: dict[tuple[str, str, str], list[Event]] = {}
        for event in self.state.events:
            found.setdefault(event.about, []).append(event)
        return {key: tuple(events) for key, events in found.items()}

    def events_of(self, app: App) -> Iterator[Event]:
        """Events about the app's workload, its replica sets and its pods."""
        for key, owner in self.app_of.items():
            if owner is app:
                yield from self.events_about.get(key, ())

    def callers_of(self, name: str) -> set[str]:
        """Everything that reaches ``name`` by calls."""
        seen: set[str] = set()
        front = [name]
        while front:
            current = front.pop()
            for caller, callee in self.calls:
                if callee == current and caller not in seen:
                    seen.add(caller)
                    front.append(caller)
        return seen - {name}

    def caller_entities(self, name: str) -> list[Entity]:
        """The apps among the callers of ``name``."""
        found = (self.by_name.get(caller) for caller in sorted(self.callers_of(name)))
        return [app.entity for app in found if app is not None]

    def reached(self, service: str) -> bool:
        """The service was tried, and always answered."""
        tries = [one for one in self.reach if one.service == service]
        return bool(tries) and all(one.ok and not one.failed for one in tries)

    def unreached(self, service: str) -> bool:
        """The service was tried, and did not answer at least once."""
        return any(one.failed for one in self.reach if one.service == service)

    def read(self, claim: str, sources: Iterable[str], kind: EvidenceKind = "state") -> Evidence:
        """The evidence for a claim read from the first of ``sources``."""
        source = next(iter(sources), "")
        return Evidence("", kind, claim, "cluster state", self.window, source)

    def said(self, name: str, *phrases: str) -> tuple[str, Evidence] | None:
        """The last line in which the service logged one of ``phrases`` (in lower case)."""
        for said in self.logs.get(name, ()):
            at, phrase = max(
                ((said.lower.rfind(phrase), phrase) for phrase in phrases), default=(-1, "")
            )
            if at < 0:
                continue
            start = said.text.rfind("\n", 0, at) + 1
            end = said.text.find("\n", at)
            line = said.text[start : end if end >= 0 else None]
            shown = line[max(0, at - start - 120) : at - start + len(phrase) + 80].strip()
            return line.strip(), said.evidence(f"{name} logs: {shown}", shown, self.window)
        return None


def scene(case: CaseData) -> Scene:
    """The scene of a case; its state is empty where no snapshot was recorded."""
    window = case.window
    found = _recorded((*window.cluster_state, *window.tool_outputs))
    return Scene(
        found.state,
        Window(window.start, window.end),
        found.reach,
        found.calls | _graph_calls(case) | _configured_calls(found.state),
        _logs(window.logs, found),
        moved(window.alerts),
    )


@lru_cache(maxsize=1)
def _recorded(outputs: tuple[RecordedOutput, ...]) -> Recorded:
    """What the outputs say; kept for the next reader of the same case."""
    return recorded(outputs)


def is_recorded(case: CaseData) -> bool:
    """Whether a snapshot was recorded at all, be it an empty one."""
    outputs = (*case.window.cluster_state, *case.window.tool_outputs)
    return any(understand(output.call).verb != "other" for output in outputs)


def _graph_calls(case: CaseData) -> frozenset[tuple[str, str]]:
    graph = case.window.graph
    if graph is None:
        return frozenset()
    return frozenset((c.source.service_name, c.target.service_name) for c in graph.calls)


def _configured_calls(state: ClusterState) -> frozenset[tuple[str, str]]:
    """Who is told where to find whom: addresses in environment variables."""
    services = {service.name for service in state.services}
    return frozenset(
        (workload.name, host)
        for workload in state.workloads
        if workload.owner is None
        for container in workload.spec.containers
        for variable in container.variables
        if (host := host_of(variable.value or "")[0]) in services and host != workload.name
    )


def _logs(table: LogTable | None, found: Recorded) -> dict[str, tuple[Said, ...]]:
    logs: dict[str, list[Said]] = {}
    for name, text, call in found.errors:
        logs.setdefault(name, []).append(Said.of(text, "tool", "tool", call))
    if table is not None:
        for i, service in enumerate(table.services):
            name, _, container = service.partition(".")
            if container in SIDECARS:
                continue
            text = _ending(table.messages[table.service_of == i])
            logs.setdefault(name, []).append(Said.of(text, "log", table.source))
    return {name: tuple(said) for name, said in logs.items()}


def _ending(lines: npt.NDArray[np.object_]) -> str:
    """The last lines, as many as are searched, and no more copied than those."""
    kept, characters = list[str](), 0
    for line in reversed(lines):
        kept.append(str(line))
        characters += len(kept[-1]) + 1
        if characters >= LOG_CHARACTERS:
            break
    return "\n".join(reversed(kept))


def _apps(state: ClusterState) -> Iterator[App]:
    """Whatever nothing makes; or whose maker was not read, which then gives it its name."""
    services = {(one.namespace, one.name) for one in state.services}
    pods = _pods_by_owner(state)
    known = {one.key for one in state.workloads}
    for workload in state.workloads:
        owner = workload.owner
        if owner is not None and (owner[0], workload.namespace or "", owner[1]) in known:
            continue
        if workload.key in pods or workload.type != "replicaset":
            own = owner[1] if owner and owner[0] in MAKERS else workload.name
            yield _app(state, services, own, workload, tuple(pods.get(workload.key, ())))
    for key, orphans in pods.items():
        if key not in known:
            _, name = maker_of(key[0], key[2]) or (key[0], key[2])
            yield _app(state, services, name, None, tuple(orphans))


MAKERS = frozenset({"deployment", "cronjob"})
"""What makes other workloads, which are then called after it."""


def _pods_by_owner(state: ClusterState) -> dict[tuple[str, str, str], list[Pod]]:
    """Pods by the highest of their makers that was read, or named; lone pods by themselves."""
    owners = {one.key: one.owner for one in state.workloads}
    found: dict[tuple[str, str, str], list[Pod]] = {}
    for pod in state.pods:
        namespace = pod.namespace or ""
        owner = pod.owner or _by_labels(state, pod) or deployment_of(pod.name)
        if owner is None or owner[0] == "node":  # a static pod is its node's in name only
            owner = ("pod", pod.name)
        key = (owner[0], namespace, owner[1])
        for _ in range(3):
            above = owners[key] if key in owners else maker_of(key[0], key[2])
            if above is None or (above[0], namespace, above[1]) not in owners:
                break
            key = (above[0], namespace, above[1])
        found.setdefault(key, []).append(pod)
    return found


def _by_labels(state: ClusterState, pod: Pod) -> tuple[str, str] | None:
    for workload in state.workloads:
        if (
            workload.owner is None
            and workload.selector
            and workload.namespace == pod.namespace
            and workload.selector.items() <= pod.labels.items()
        ):
            return workload.type, workload.name
    return None


def _app(
    state: ClusterState,
    services: set[tuple[str | None, str]],
    own: str,
    workload: Workload | None,
    pods: tuple[Pod, ...],
) -> App:
    first = workload or pods[0]
    labels = (workload.pod_labels if workload else {}) or (pods[0].labels if pods else {})
    names = [own, labels.get("app.kubernetes.io/name", ""), labels.get("app", "")]
    name = next((one for one in names if (first.namespace, one) in services), own)
    behind = tuple(
        service
        for service in state.services
        if service.selector
        and service.namespace == first.namespace
        and service.selector.items() <= labels.items()
    )
    spec = workload.spec if workload and workload.spec.containers else PodSpec()
    if not spec.containers and pods:
        spec = pods[0].spec
    entity = Entity("service", name, namespace=first.namespace, cluster=first.cluster)
    return App(entity, spec, labels, workload, pods, behind)
