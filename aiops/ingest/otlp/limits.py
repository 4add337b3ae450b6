"""How much of one request is taken in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What goes beyond is rejected, and the sender told so, or cut.

    Attributes:
        body_bytes: of a request once unpacked; more refuses all of it.
        items: spans, log lines or data points of a request.
        attributes: read of one item.
        series: of a request.
        buckets: of one histogram.
        name: characters of a name.
        text: characters of a log line.
    """

    body_bytes: int = 16 * 2**20
    items: int = 100_000
    attributes: int = 64
    series: int = 20_000
    buckets: int = 2_048
    name: int = 256
    text: int = 16_384
