"""One suspect as the rules see it: its workload, its past revisions, what was changed before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from aiops.analyze.state.scene import SIDECARS, App, Scene
from aiops.model.change import Change
from aiops.model.cluster import Autoscaler, ConfigMap, Pod, Workload
from aiops.model.faults import FaultType
from aiops.model.pod_spec import Container, PodSpec, Reference
from aiops.model.report import RootCause

LIKELY: Final = 0.2
"""Share of a suspect from which a kind of fault is worth a remedy of its own."""
KINDS: Final[Mapping[str, str]] = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
}
"""Workloads that actions take, by how they are read."""


def waits(pod: Pod) -> bool:
    """Whether it waits for a node."""
    return pod.phase == "Pending" and not pod.node


@dataclass(frozen=True, slots=True)
class Version:
    """What a workload was, or is now.

    Attributes:
        name: of the object that keeps it.
        number: its revision, as the rollout history counts.
        age_s: since it was first made.
        ready: pods of it that serve; None where the cluster does not count them by version.
    """

    name: str
    number: int
    spec: PodSpec
    age_s: float | None = None
    ready: int | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """A suspect with a workload of its own.

    Attributes:
        workload: of the app; what actions are made on.
        onset_ago_s: seconds from the onset to the moment the cluster was read.
        changes: of its service, as the report has them.
    """

    cause: RootCause
    app: App
    workload: Workload
    scene: Scene
    onset_ago_s: float
    changes: tuple[Change, ...] = ()

    @property
    def place(self) -> dict[str, object]:
        """Arguments that say which workload is meant, but for its cluster."""
        return {
            "namespace": self.workload.namespace,
            "kind": KINDS[self.workload.type],
            "name": self.workload.name,
        }

    @property
    def faults(self) -> frozenset[FaultType]:
        """The kinds of fault that it likely has."""
        likely = {kind for kind, share in self.cause.fault_type_candidates if share >= LIKELY}
        return frozenset({self.cause.fault_type, *likely})

    @property
    def evidence(self) -> tuple[str, ...]:
        """Ids of what speaks against it, its changes included."""
        of_changes = (ref for change in self.changes for ref in change.evidence)
        return tuple(dict.fromkeys([*self.cause.evidence, *of_changes]))

    @property
    def containers(self) -> tuple[Container, ...]:
        """Of its template, without those that a mesh adds."""
        return tuple(one for one in self.workload.spec.containers if one.name not in SIDECARS)

    @property
    def autoscaler(self) -> Autoscaler | None:
        """That chooses how many replicas it has."""
        return next(
            (
                one
                for one in self.scene.state.autoscalers
                if (one.target, one.namespace) == (self.workload.name, self.workload.namespace)
            ),
            None,
        )

    def versions(self) -> tuple[Version, ...]:
        """Those that are numbered, the newest first."""
        return tuple(sorted(self._versions(), key=lambda one: one.number, reverse=True))

    def _versions(self) -> Iterator[Version]:
        own, place = (self.workload.type, self.workload.name), self.workload.namespace
        for one in self.scene.state.workloads:
            made = one.type == "replicaset" and (one.owner, one.namespace) == (own, place)
            if made and one.revision is not None:
                yield Version(one.name, one.revision, one.spec, one.age_s, one.ready)
        for kept in self.scene.state.revisions:
            if (kept.owner, kept.namespace) == (own, place):
                yield Version(kept.name, kept.number, kept.spec, kept.age_s)

    def settings(self) -> Iterator[ConfigMap]:
        """The config maps that its containers read."""
        names = {one.name for one in self._references() if one.kind == "configmap"}
        for one in self.scene.state.config_maps:
            if one.name in names and one.namespace == self.workload.namespace:
                yield one

    def _references(self) -> Iterator[Reference]:
        for container in self.containers:
            yield from container.variables_from
            yield from (one.origin for one in container.variables if one.origin is not None)
        yield from (one.origin for one in self.workload.spec.volumes if one.origin is not None)
