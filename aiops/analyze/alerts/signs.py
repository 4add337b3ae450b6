"""What one alert says, in words that hold for any system: family, side and direction.

Detectors name metrics by the conventions of exporters and meshes, so ``metric_kinds`` tells the
family; the side (what an instance sends, what it receives) is read from the name's words.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from aiops.analyze import metric_kinds
from aiops.analyze.metric_kinds import MetricKind
from aiops.model import AlertSignal, Entity

Side = Literal["sent", "received", ""]
Direction = Literal["up", "down", ""]

_SENT = re.compile(
    r"(^|[^a-z])(src|source|client|outbound|egress|tra?i?nsmit|tx|sent|send"
    r"|out([^a-z]|$))"
)
_RECEIVED = re.compile(
    r"(^|[^a-z])(dest|dst|destination|server|inbound|ingress|recei?ve|rx|in([^a-z]|$))"
)
_QUANTILE = re.compile(r"(^|[^a-z0-9])p\d{2}([^0-9]|$)")
_DISK = re.compile(r"disk|block.?io")
_THREADS = re.compile(r"thread|goroutine|\bpids?\b|process(es)?\b")
_TRAFFIC = re.compile(r"traffic")
_FALL = re.compile(r"[_ ](drop|fall|loss)\b")
_DOWN = re.compile(r"\bdown\b|drop|decreas|\bfell\b|\(-\d|missing|absent")
_UP = re.compile(r"\bup\b|spike|surge|increas|\brose\b|\(\+\d|high|degrad|anomal")


@dataclass(frozen=True, slots=True, order=True)
class Sign:
    """One alert in general terms.

    Attributes:
        family: a MetricKind's value, "threads", "log", "slow" or "error" (of a call).
        side: of the traffic or of a mesh's view; "" where the name says neither.
        direction: "" where the detector gives none.
    """

    family: str
    side: Side = ""
    direction: Direction = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.family, self.side, self.direction) if part)


def sign_of(alert: AlertSignal) -> Sign:
    """The sign of ``alert``."""
    if alert.modality == "log":
        return Sign("log")
    if alert.modality == "trace":
        return Sign(_trace_family(alert.detail))
    return _metric_sign(alert.name, alert.detail)


@lru_cache(maxsize=65536)
def _metric_sign(name: str, detail: str) -> Sign:
    words = name.lower()
    direction: Direction = ""
    for text in (detail.lower(), words):
        if _DOWN.search(text):
            direction = "down"
        elif _UP.search(text):
            direction = "up"
        if direction:
            break
    side: Side = "sent" if _SENT.search(words) else "received" if _RECEIVED.search(words) else ""
    return Sign(_family(name, words), side, direction)


def _family(name: str, words: str) -> str:
    if _DISK.search(words):  # also the time spent waiting for it
        return MetricKind.DISK.value
    if _TRAFFIC.search(words):
        return MetricKind.NETWORK.value
    undirected = metric_kinds.read(_FALL.sub(" ", words)).kind
    if undirected is MetricKind.LOAD:  # a drop in throughput is no dropped request
        return undirected.value
    kind = metric_kinds.read(name).kind
    if kind is MetricKind.OTHER:
        if _QUANTILE.search(words):
            return MetricKind.LATENCY.value
        if _THREADS.search(words):
            return "threads"
    return kind.value


def _trace_family(detail: str) -> str:
    """ "slow" for a degraded duration; "error" for a status, a code or a failure in words."""
    text = detail.strip().lower()
    return "slow" if text in ("pd", "slow", "latency", "duration", "timeout", "") else "error"


def template_of(alert: AlertSignal) -> str:
    """The log template an alert is about, without the name of the instance that logged it.

    Template miners that run per instance put its name in front of the template's number; without
    it the same statement of two replicas, or of two services on one framework, is one template.
    """
    return _without(alert.name, alert.entity)


def _without(name: str, entity: Entity) -> str:
    for prefix in (entity.name, entity.service):
        if prefix and name.startswith(prefix):
            rest = name[len(prefix) :].lstrip("-_./: ")
            if rest:
                return rest
    return name
