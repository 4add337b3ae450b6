"""What a pod is made of, as declared and as it became: containers, probes, volumes, wishes.

Times are seconds, sizes bytes, CPU is cores. A field that was not read is None or empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ProbeRole = Literal["liveness", "readiness", "startup"]


@dataclass(frozen=True, slots=True)
class Probe:
    """How the kubelet asks a container whether it is well. Times in seconds.

    Attributes:
        handler: "http", "https", "tcp", "grpc" or "exec".
        port: a number or a port's name; "" for exec.
    """

    role: ProbeRole
    handler: str
    port: str = ""
    path: str = ""
    delay_s: float = 0.0
    timeout_s: float = 1.0
    period_s: float = 10.0
    failures: int = 3


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a container (``target`` "") or of a service (number -> target)."""

    number: int
    name: str = ""
    protocol: str = "TCP"
    target: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a container or a volume takes from another object: "secret", "configmap" or "claim"."""

    kind: str
    name: str
    key: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable; ``value`` is None where it is taken from elsewhere."""

    name: str
    value: str | None = None
    origin: Reference | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container as declared, and what has become of it.

    Attributes:
        requests, limits: resource name -> cores, bytes or a count.
        mounts: (volume, path, read-only).
        state: "waiting", "running", "terminated" or "" where unknown.
        exit_code, last_exit_code: of this and of the previous run.
    """

    name: str
    image: str = ""
    pull_policy: str = ""
    ports: tuple[Port, ...] = ()
    requests: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    variables: tuple[Variable, ...] = ()
    variables_from: tuple[Reference, ...] = ()
    mounts: tuple[tuple[str, str, bool], ...] = ()
    read_only_root: bool = False
    state: str = ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    last_reason: str = ""
    last_exit_code: int | None = None
    ready: bool | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Volume:
    """What a pod can mount: ``origin`` is the object behind it, ``host_path`` a node's folder."""

    name: str
    origin: Reference | None = None
    host_path: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on labels: ``In``, ``NotIn``, ``Exists``, ``DoesNotExist``, ``Gt``, ``Lt``."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Toleration:
    """A taint a pod puts up with; empty fields match anything."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class PodSpec:
    """What a pod asks for.

    Attributes:
        node_affinity: terms of which one must hold; each is a tuple of requirements that all must.
        anti_affinity: label requirements of pods it refuses to share a topology with.
        spread: topology keys it must be spread over.
    """

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    service_account: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    node_affinity: tuple[tuple[Requirement, ...], ...] = ()
    anti_affinity: tuple[tuple[Requirement, ...], ...] = ()
    spread: tuple[str, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    pull_secrets: tuple[str, ...] = ()
    dns_policy: str = ""
    nameservers: tuple[str, ...] = ()
    scheduler: str = ""
    priority_class: str = ""
    run_as_user: int | None = None
