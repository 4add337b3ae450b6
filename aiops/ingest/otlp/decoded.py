"""What came out of one request."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiops.analyze.service_graph import SeenCall
from aiops.ingest.otlp.bodies import CONTENT_TYPES, Encoding, answer
from aiops.model import TelemetryWindow


@dataclass(frozen=True, slots=True)
class Decoded:
    """The telemetry of one request, ready for a TelemetryStore, and the answer to it.

    Attributes:
        windows: what was taken in; each can be appended by itself, and none is empty.
        calls: calls of which only the caller's attributes tell: to databases, queues, peers.
        taken: spans, lines or data points in ``windows``.
        rejected: those that are not.
        reason: why not, in one line; "" where nothing was rejected.
        response: body of the 200, in the encoding of the request; says what was rejected.
        content_type: of that body.
    """

    windows: tuple[TelemetryWindow, ...]
    calls: tuple[SeenCall, ...]
    taken: int
    rejected: int
    reason: str
    response: bytes
    content_type: str


@dataclass(slots=True)
class Rejections:
    """Counts what is left out of one request, by reason."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, items: int = 1) -> None:
        """Leave ``items`` out."""
        if items > 0:
            self.counts[reason] += items

    @property
    def total(self) -> int:
        """How many were left out."""
        return self.counts.total()

    def text(self) -> str:
        """Every reason, the most frequent first."""
        return "; ".join(f"{count} {reason}" for reason, count in self.counts.most_common())


def decoded(
    windows: tuple[TelemetryWindow, ...],
    calls: tuple[SeenCall, ...],
    taken: int,
    rejections: Rejections,
    written: Encoding,
    reply: Any,
    count: str,
) -> Decoded:
    """The result, with OTLP's partial success in its answer where something was rejected.

    Args:
        written: encoding of the request.
        reply: an empty answer of the signal.
        count: the field of its partial success that says how many were rejected.
    """
    if rejections.total:
        setattr(reply.partial_success, count, rejections.total)
        reply.partial_success.error_message = rejections.text()
    return Decoded(
        windows=windows,
        calls=calls,
        taken=taken,
        rejected=rejections.total,
        reason=rejections.text(),
        response=answer(written, reply),
        content_type=CONTENT_TYPES[written],
    )
