"""A Kubernetes cluster as typed objects: what a snapshot, manifests or the live API say of it.

Ages and times are seconds before the moment of the snapshot, sizes are bytes, CPU is cores. A
field that was not read is None or empty. Secrets have names here, never values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from aiops.model.pod_spec import PodSpec, Port

NOTHING_ASKED = PodSpec()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterObject:
    """What every object has.

    Attributes:
        cluster: where it lives; None where there is but one.
        age_s: seconds since it was made.
        observed: the cluster has it; False where only a manifest declares it.
        sources: the calls it was read from, the most telling first; evidence refers to them.
    """

    kind: ClassVar[str] = ""
    name: str
    namespace: str | None = None
    cluster: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    age_s: float | None = None
    observed: bool = True
    sources: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace ("" where it has none) and name."""
        return self.kind, self.namespace or "", self.name


@dataclass(frozen=True, slots=True)
class Condition:
    """One line of an object's own opinion of itself."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    since_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod(ClusterObject):
    """A pod. ``status`` is kubectl's word for it ("CrashLoopBackOff"), ``phase`` the API's.

    Attributes:
        restarts, restarted_s: of all its containers, as a list of pods tells them; a description
            tells them of each container.
    """

    kind: ClassVar[str] = "pod"
    spec: PodSpec = NOTHING_ASKED
    phase: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    node: str = ""
    address: str = ""
    owner: tuple[str, str] | None = None
    conditions: tuple[Condition, ...] = ()
    restarts: int = 0
    restarted_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload(ClusterObject):
    """What makes pods: a deployment, replica set, stateful set, daemon set, job or cron job.

    Attributes:
        type: the kind in lower case, "deployment", ...
        desired, current, ready, updated: counts of pods; None where unknown.
        pod_labels: of its template.
    """

    kind: ClassVar[str] = "workload"
    type: str = "deployment"
    desired: int | None = None
    current: int | None = None
    ready: int | None = None
    updated: int | None = None
    selector: Mapping[str, str] = field(default_factory=dict)
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    spec: PodSpec = NOTHING_ASKED
    owner: tuple[str, str] | None = None
    conditions: tuple[Condition, ...] = ()
    paused: bool = False
    revision: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Type, namespace and name."""
        return self.type, self.namespace or "", self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision(ClusterObject):
    """A version of a stateful set or daemon set; of a deployment its replica sets are those."""

    kind: ClassVar[str] = "controllerrevision"
    owner: tuple[str, str] | None = None
    number: int
    spec: PodSpec = NOTHING_ASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(ClusterObject):
    """A name for pods. ``selector`` is empty where endpoints are kept by hand."""

    kind: ClassVar[str] = "service"
    type: str = "ClusterIP"
    selector: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[Port, ...] = ()
    headless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints(ClusterObject):
    """The addresses behind a service; None where the count was not read."""

    kind: ClassVar[str] = "endpoints"
    ready: int | None = None
    not_ready: int | None = None


@dataclass(frozen=True, slots=True)
class Taint:
    """What keeps pods off a node unless they tolerate it."""

    key: str
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node(ClusterObject):
    """A machine. ``ready`` is None where it does not say."""

    kind: ClassVar[str] = "node"
    ready: bool | None = None
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allocatable: Mapping[str, float] = field(default_factory=dict)
    requested: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A service of a machine's own init system: kubelet, container runtime, scheduler, ..."""

    node: str
    name: str
    active: bool
    status: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(ClusterObject):
    """A persistent volume claim. ``storage_class`` is None where unset, "" where refused."""

    kind: ClassVar[str] = "claim"
    phase: str = ""
    volume: str = ""
    requested: float | None = None
    access_modes: tuple[str, ...] = ()
    storage_class: str | None = None
    selector: Mapping[str, str] = field(default_factory=dict)
    volume_mode: str = "Filesystem"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistentVolume(ClusterObject):
    """A piece of storage. ``claim`` is "namespace/name" or ""."""

    kind: ClassVar[str] = "volume"
    phase: str = ""
    capacity: float | None = None
    access_modes: tuple[str, ...] = ()
    storage_class: str = ""
    claim: str = ""
    volume_mode: str = "Filesystem"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageClass(ClusterObject):
    """A way to make volumes; ``provisioner`` may be one that makes none."""

    kind: ClassVar[str] = "storageclass"
    provisioner: str = ""
    binding_mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota(ClusterObject):
    """Limits of a namespace: resource -> cores, bytes or count."""

    kind: ClassVar[str] = "quota"
    used: Mapping[str, float] = field(default_factory=dict)
    hard: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigMap(ClusterObject):
    """Settings by key. Values are kept: they hold routes and addresses."""

    kind: ClassVar[str] = "configmap"
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named(ClusterObject):
    """An object of which only the name matters: secret, service account, namespace, limit range,
    role, role binding, disruption budget; ``type`` says which."""

    kind: ClassVar[str] = "named"
    type: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Type, namespace and name."""
        return self.type, self.namespace or "", self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy(ClusterObject):
    """Who may talk to the pods ``selector`` chooses ({} chooses all).

    Attributes:
        denies: "ingress" and "egress" where the policy lets nothing through that way.
        allows: the same where it lets something through: policies of one pod add up.
    """

    kind: ClassVar[str] = "networkpolicy"
    selector: Mapping[str, str] = field(default_factory=dict)
    denies: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler(ClusterObject):
    """A horizontal pod autoscaler of the workload ``target``; ``minimum`` None is 1.

    Attributes:
        load: what its pods use over what it aims at, by the metric that asks for most; None
            where it tells none.
    """

    kind: ClassVar[str] = "autoscaler"
    target: str = ""
    current: int | None = None
    desired: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    load: float | None = None
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One rule that sends a path to a service: of an ingress, a gateway, a proxy's settings.

    Attributes:
        owner: name of the object that holds it.
        name: the rule's own id, "" where it has none.
        port: the service's port it asks for, "" where it names none.
    """

    owner: str
    namespace: str | None
    name: str
    path: str
    service: str
    port: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What a component of the cluster said of an object.

    Attributes:
        warning: False for "Normal" events.
        last_s, first_s: seconds before the snapshot; None where unknown.
    """

    about: tuple[str, str, str]
    reason: str
    message: str
    warning: bool = True
    count: int = 1
    last_s: float | None = None
    first_s: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Everything that was read of one cluster at one moment.

    Attributes:
        listed: (kind, namespace) pairs of which all objects are here, so that absence means
            something.
        notes: what could not be read, counted, one sentence each.
    """

    pods: tuple[Pod, ...] = ()
    workloads: tuple[Workload, ...] = ()
    revisions: tuple[Revision, ...] = ()
    services: tuple[Service, ...] = ()
    endpoints: tuple[Endpoints, ...] = ()
    nodes: tuple[Node, ...] = ()
    daemons: tuple[Daemon, ...] = ()
    claims: tuple[Claim, ...] = ()
    volumes: tuple[PersistentVolume, ...] = ()
    storage_classes: tuple[StorageClass, ...] = ()
    quotas: tuple[Quota, ...] = ()
    config_maps: tuple[ConfigMap, ...] = ()
    named: tuple[Named, ...] = ()
    policies: tuple[NetworkPolicy, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    routes: tuple[Route, ...] = ()
    events: tuple[Event, ...] = ()
    listed: frozenset[tuple[str, str]] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing was observed: the snapshot says nothing either way."""
        parts = (self.pods, self.workloads, self.services, self.nodes, self.claims, self.quotas)
        return not any(one.observed for part in parts for one in part) and not self.daemons
