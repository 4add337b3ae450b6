"""A system as data: its services and what each does when it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Role = Literal["frontend", "api", "worker", "database", "cache", "queue"]
STORES: tuple[Role, ...] = ("database", "cache", "queue")


@dataclass(frozen=True, slots=True)
class Work:
    """Burn CPU for ``ms`` milliseconds of the process's own time."""

    ms: float


@dataclass(frozen=True, slots=True)
class Call:
    """Call another service; ``path`` may hold ``{names}`` of the request."""

    to: str
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Query:
    """Ask a database or cache.

    Attributes:
        key: of one row; empty: a scan of the table's first rows.
        missing: the HTTP status to answer with where the row is not there; ``None``: go on.
    """

    op: Literal["read", "write", "delete"]
    to: str
    table: str
    key: str
    missing: int | None = None


@dataclass(frozen=True, slots=True)
class Publish:
    """Put a message about this request on a queue."""

    to: str
    queue: str


@dataclass(frozen=True, slots=True)
class Together:
    """Steps that run at the same time."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Optional:
    """A step whose failure is logged and leaves the request going."""

    step: Step


Step = Work | Call | Query | Publish | Together | Optional


@dataclass(frozen=True, slots=True)
class Route:
    """One thing a service answers to, such as ``GET /items/{id}``."""

    method: str
    path: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """Method and path as declared."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Consumer:
    """What is done with each message of a queue."""

    to: str
    queue: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a process departs from doing its work well; a version may bring one along.

    Attributes:
        work_factor: times the CPU of every step.
        error_rate: share of requests answered 500.
        delay_s: added before every answer.
        leak_bytes_s: memory taken and never given back.
        hog_cores: CPU burnt beside the work.
        exit_after_s: the process exits 1 so long after its start.
        unhealthy: the health endpoint answers 503.
        query_factor: times the time of every query of a store.
        fill_bytes_s: written to its volume beside its data, until that is full.
        pool_leak: share of answered calls whose connection is never given back to its pool.
        extra_retries: of every call, one each half second.
        message_delay_s: longer for every message taken off a queue.
        cpu_share: of its CPU limit, where others on the node leave it no more.
        ballast_bytes: memory taken and held.
        clock_offset_s: added to the time of day that the process sees.
    """

    work_factor: float = 1.0
    error_rate: float = 0.0
    delay_s: float = 0.0
    leak_bytes_s: int = 0
    hog_cores: float = 0.0
    exit_after_s: float | None = None
    unhealthy: bool = False
    query_factor: float = 1.0
    fill_bytes_s: int = 0
    pool_leak: float = 0.0
    extra_retries: int = 0
    message_delay_s: float = 0.0
    cpu_share: float = 1.0
    ballast_bytes: int = 0
    clock_offset_s: float = 0.0

    def beside(self, other: Behaviour) -> Behaviour:
        """Both departures at once."""
        ends = [end for end in (self.exit_after_s, other.exit_after_s) if end is not None]
        return Behaviour(
            work_factor=self.work_factor * other.work_factor,
            error_rate=1 - (1 - self.error_rate) * (1 - other.error_rate),
            delay_s=self.delay_s + other.delay_s,
            leak_bytes_s=self.leak_bytes_s + other.leak_bytes_s,
            hog_cores=self.hog_cores + other.hog_cores,
            exit_after_s=min(ends, default=None),
            unhealthy=self.unhealthy or other.unhealthy,
            query_factor=self.query_factor * other.query_factor,
            fill_bytes_s=self.fill_bytes_s + other.fill_bytes_s,
            pool_leak=1 - (1 - self.pool_leak) * (1 - other.pool_leak),
            extra_retries=self.extra_retries + other.extra_retries,
            message_delay_s=self.message_delay_s + other.message_delay_s,
            cpu_share=self.cpu_share * other.cpu_share,
            ballast_bytes=self.ballast_bytes + other.ballast_bytes,
            clock_offset_s=self.clock_offset_s + other.clock_offset_s,
        )


@dataclass(frozen=True, slots=True)
class Resources:
    """Requests and limits: CPU in cores, memory in bytes."""

    cpu_request: float
    cpu_limit: float
    memory_request: int
    memory_limit: int


@dataclass(frozen=True, slots=True)
class Storage:
    """How a database, cache or queue keeps and serves its rows.

    Attributes:
        slots: queries served at the same time; the rest wait in line.
        latency_ms: one query's own time with nobody else there.
        seed: rows per table at first start.
        max_rows: per table; the oldest give way.
        ttl_s: rows are forgotten after so long; ``None``: never.
        queue_length: messages per queue; more are refused with 503.
        volume_bytes: room for its journal.
        password: callers must show the credential of its Secret.
        certificate_days: how long its certificate holds; ``None``: it has none.
    """

    slots: int = 16
    latency_ms: float = 0.5
    seed: Mapping[str, int] = field(default_factory=dict)
    max_rows: int = 20_000
    ttl_s: float | None = None
    queue_length: int = 1_000
    volume_bytes: int = 64 << 20
    password: bool = False
    certificate_days: float | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """One service: what it is, does and needs.

    Attributes:
        port: of the container; service_port: of the service in front of it.
        concurrency: requests served at the same time; the rest wait in line.
        timeout_s, retries, pool: of every client of another service it has: per attempt,
            attempts after the first, connections per target.
        config: environment variables that its ConfigMap holds.
        images: other image references that mean this service, with their tags.
    """

    name: str
    role: Role
    port: int
    service_port: int
    replicas: int
    resources: Resources
    routes: tuple[Route, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    concurrency: int = 64
    timeout_s: float = 2.0
    retries: int = 1
    pool: int = 16
    storage: Storage = field(default_factory=Storage)
    config: Mapping[str, str] = field(default_factory=dict)
    images: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The services it calls, in order of first mention."""
        programs = [route.steps for route in self.routes] + [c.steps for c in self.consumers]
        named = [c.to for c in self.consumers]
        named += [to for steps in programs for to in _targets(steps)]
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class Visit:
    """One kind of user session: requests to the entry service, in order.

    Attributes:
        weight: how often it occurs beside the others.
        requests: (method, path) pairs; ``{session}`` and ``{item}`` are filled in.
    """

    name: str
    weight: float
    requests: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole system.

    Attributes:
        entry: the service that users call.
        versions: image tag -> how that version behaves; the first is the one deployed.
        items: how many things ``{item}`` chooses from.
        sidecars: images that may run beside a service and have nothing to do here.
    """

    name: str
    namespace: str
    entry: str
    services: Mapping[str, Service]
    versions: Mapping[str, Behaviour]
    visits: tuple[Visit, ...]
    items: int
    sidecars: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The tag that is deployed at first."""
        return next(iter(self.versions))

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """(caller, callee) pairs."""
        return tuple((s.name, to) for s in self.services.values() for to in s.targets)


def _targets(steps: tuple[Step, ...]) -> Iterator[str]:
    for step in steps:
        match step:
            case Call(to=to) | Query(to=to) | Publish(to=to):
                yield to
            case Together(steps=inner):
                yield from _targets(inner)
            case Optional(step=one):
                yield from _targets((one,))
            case Work():
                pass
