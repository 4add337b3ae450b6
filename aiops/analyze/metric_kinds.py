"""What a metric measures, told from its name and metadata by common naming conventions.

The conventions are those of Prometheus exporters, OpenTelemetry, CloudWatch, cAdvisor and service
meshes. Nothing here knows a system: a name is read as words.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from aiops.model import Series


class MetricKind(StrEnum):
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    POWER = "power"
    NETWORK = "network"
    LATENCY = "latency"
    ERRORS = "errors"
    SUCCESS = "success"
    LOAD = "load"
    REPLICAS = "replicas"
    OTHER = "other"


RESOURCES = frozenset({MetricKind.CPU, MetricKind.MEMORY, MetricKind.DISK, MetricKind.POWER})
"""What a component itself uses up: a rise here can be a cause."""
SYMPTOMS = frozenset({MetricKind.LATENCY, MetricKind.ERRORS, MetricKind.SUCCESS})
"""What its callers notice: a rise here may come from somewhere else."""


class Vantage(StrEnum):
    """Whose behaviour a metric shows."""

    OWN = "own"
    CALLEE = "callee"  # measured by a client: it shows what the called service did
    HOST = "host"  # the machine's, repeated for every component on it


@dataclass(frozen=True, slots=True)
class Reading:
    """What one metric name says.

    Attributes:
        inverted: whether less is worse: what is idle, free or ready.
    """

    kind: MetricKind
    vantage: Vantage
    inverted: bool = False


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# Tried in this order: "cpu_seconds_total" is cpu, "request_errors" is errors before it is load.
_KINDS: tuple[tuple[MetricKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (MetricKind.CPU, r"cpu|\bcfs\b|throttl"),
        (
            MetricKind.REPLICAS,
            (
                r"\b(ready|(un)?available|(un)?healthy|running) "
                r"(replica|pod|instance|host|target)s?\b"
                r"|\b(replica|pod|instance|host|target)s? ((is|not|status) )?"
                r"((un)?(ready|available|healthy)|running)\b"
            ),
        ),
        (MetricKind.SUCCESS, r"success|availability|\bup$"),
        (
            MetricKind.ERRORS,
            r"error|\berrs?\b|fail|exception|\b[45] ?xx\b|retran|retan|timeout|reject|drop|refus",
        ),
        (
            MetricKind.LATENCY,
            r"latenc|duration|response time|\blat\b|\brtt?\b|elapsed|\bdelay|wait time",
        ),
        (MetricKind.MEMORY, r"mem(ory)?\b|\brss\b|heap|swap|working set|\boom"),
        (MetricKind.OTHER, r"syscall"),
        (
            MetricKind.DISK,
            r"disk|\bfs\b|file ?system|\biops?\b|\breads?\b|\bwrites?\b|inode|volume|storage|\bblk",
        ),
        (MetricKind.SUCCESS, r"availab"),  # of nothing that is used up
        # By Little's law they are arrivals times the time each takes: no measure of load alone.
        (MetricKind.OTHER, r"\bin ?flight\b|\b(waiting|pending|queued|concurrent|active)\b"),
        (MetricKind.POWER, r"power|energy|watt|joule"),
        (
            MetricKind.NETWORK,
            r"network|\bnet\b|receive|transmit|\brx\b|\btx\b|packet|socket|\btcp\b|bandwidth",
        ),
        (
            MetricKind.LOAD,
            r"lo?a?d\b|\b[rqt]ps\b|req(uest)?s?\b|\bops\b|throughput|\b(calls|hits|count|queries)\b",
        ),
    )
)
_LESS_IS_WORSE = re.compile(
    r"\b(idle|free|freeable|avail(able)?|unused|remaining|headroom)\b|\bhit (ratio|rate|percent)"
)
_MORE_IS_WORSE = re.compile(r"\b(un|not) ?(available|healthy|ready)\b")
_LEFT_OVER = frozenset({MetricKind.CPU, MetricKind.MEMORY, MetricKind.DISK, MetricKind.OTHER})
"""Kinds of which there may be something left; a success rate is turned round as a whole."""
_CLIENT_SIDE = re.compile(r"\b(client|outbound|egress|upstream|source)\b")
_HOST_SIDE = re.compile(r"^(node|host|machine|vm|instance)\b")
_SECOND_HAND = re.compile(r"(^|[^A-Za-z0-9])(client|remote)$", re.IGNORECASE)


@lru_cache(maxsize=65536)
def read(metric: str) -> Reading:
    """What the metric called ``metric`` measures; OTHER where no convention fits."""
    # "edge:<caller>:<metric>" is a mesh's view of the calls into an entity: about the entity.
    on_edge = metric.startswith("edge:")
    words = " ".join(_WORD.findall(metric.rsplit(":", 1)[1] if on_edge else metric)).lower()
    kind = next((kind for kind, pattern in _KINDS if pattern.search(words)), MetricKind.OTHER)
    inverted = _inverted(kind, words)
    if _HOST_SIDE.search(words):
        return Reading(kind, Vantage.HOST, inverted)
    if _CLIENT_SIDE.search(words) and not on_edge:
        return Reading(kind, Vantage.CALLEE, inverted)
    return Reading(kind, Vantage.OWN, inverted)


def _inverted(kind: MetricKind, words: str) -> bool:
    if kind is MetricKind.REPLICAS:
        return _MORE_IS_WORSE.search(words) is None
    return kind in _LEFT_OVER and _LESS_IS_WORSE.search(words) is not None


def reading_of(series: Series) -> Reading:
    """What ``series`` measures; a machine's own metrics are its own."""
    reading = read(series.metric)
    if reading.vantage is Vantage.HOST and series.entity.kind == "node":
        return replace(reading, vantage=Vantage.OWN)
    return reading


def is_second_hand(name: str) -> bool:
    """Whether an entity is only somebody's view of another: a "client" or "remote" vertex.

    Tracing back-ends (X-Ray, service graphs) draw such vertices for callers and endpoints that
    report nothing themselves.
    """
    return _SECOND_HAND.search(name) is not None
