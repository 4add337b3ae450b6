"""The far ends of calls that record no spans: databases, queues, services of others.

Names are those of OpenTelemetry's semantic conventions, the former ones included.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aiops.analyze.service_graph import SeenCall, merged
from aiops.ingest.otlp.attributes import texts
from aiops.ingest.otlp.limits import Limits
from aiops.model import Entity

OUTWARD: Final = frozenset({Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER})
_OUTSIDE: Final = OUTWARD | {Span.SPAN_KIND_CONSUMER}
_MOST_PEERS: Final = 1_000
"""Kept of one request: names that change with every call are no peers."""
_STORES = ("db.system.name", "db.system")
_QUEUES = ("messaging.destination.name", "messaging.destination")
_HOSTS = ("server.address", "net.peer.name")


class Peers:
    """Finds the peers of one request's spans."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._found: dict[tuple[Entity, Entity], SeenCall] = {}

    def look_at(self, service: str, spans: Iterable[Span]) -> None:
        """Note whom these spans of ``service`` call, or are called by."""
        own = Entity("service", service)
        for span in spans:
            if span.kind not in _OUTSIDE:
                continue
            peer = peer_of(texts(span.attributes, self._limits))
            if peer is None or peer.name == service:
                continue
            ends = (own, peer) if span.kind in OUTWARD else (peer, own)
            if ends not in self._found and len(self._found) >= _MOST_PEERS:
                continue
            at = span.start_time_unix_nano / 1e9
            seen = SeenCall(*ends, calls=1, errors=int(span.status.code == 2), first=at, last=at)
            known = self._found.get(ends)
            self._found[ends] = seen if known is None else merged([known, seen])[0]

    def calls(self) -> tuple[SeenCall, ...]:
        """What was found."""
        return tuple(self._found.values())


def peer_of(said: Mapping[str, str]) -> Entity | None:
    """The far end that a client, producer or consumer span names; None for one that has spans.

    A queue is known by its destination, a database by its host, else by what it is. Plain HTTP and
    RPC calls name a host that the callee's own spans call otherwise: they are no peers.
    """

    def first(names: tuple[str, ...]) -> str | None:
        return next((said[name] for name in names if said.get(name)), None)

    if said.get("peer.service"):
        return Entity("service", said["peer.service"])
    queue = first(_QUEUES)
    if queue is not None:
        return Entity("component", queue)
    store = first(_STORES)
    if store is None:
        return None
    host = first(_HOSTS)
    return Entity("component", store if host is None or _is_address(host) else host)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit() or host == "localhost"
