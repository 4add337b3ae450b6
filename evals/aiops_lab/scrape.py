"""What a service's own metrics say about the requests it served between two scrapes."""

from __future__ import annotations

import http.client
import re
from collections import Counter
from dataclasses import dataclass, field

_SAMPLE = re.compile(r"(?m)^request_duration_seconds_(bucket|count)\{([^}]*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class Scrape:
    """Totals since a pod's start: requests, those answered 500 up, and requests by bucket."""

    requests: float = 0.0
    errors: float = 0.0
    buckets: Counter[float] = field(default_factory=Counter)

    def since(self, before: Scrape) -> Scrape:
        """The difference; a pod that restarted meanwhile counts from zero."""
        if self.requests < before.requests:
            return self
        buckets = Counter(self.buckets)
        buckets.subtract(before.buckets)
        return Scrape(self.requests - before.requests, self.errors - before.errors, buckets)

    def __add__(self, other: Scrape) -> Scrape:
        buckets = self.buckets + other.buckets
        return Scrape(self.requests + other.requests, self.errors + other.errors, buckets)

    def quantile_ms(self, share: float) -> float:
        """A latency that ``share`` of the requests did not pass, between bucket bounds; or 0."""
        rank, below, bound_below = share * self.requests, 0.0, 0.0
        for bound, total in sorted(self.buckets.items()):
            if total >= rank and total > below:
                if bound == float("inf"):
                    return bound_below * 1e3
                inside = (rank - below) / (total - below)
                return (bound_below + (bound - bound_below) * inside) * 1e3
            below, bound_below = max(below, total), bound
        return 0.0


def read_scrape(text: str) -> Scrape:
    """The totals in an exposition."""
    requests = errors = 0.0
    buckets: Counter[float] = Counter()
    for kind, inner, value in _SAMPLE.findall(text):
        labels = dict(_LABEL.findall(inner))
        if kind == "bucket":
            buckets[float(labels["le"])] += int(float(value))
        else:
            requests += float(value)
            errors += float(value) if labels.get("status_code", "") >= "500" else 0.0
    return Scrape(requests, errors, buckets)


def scrape(ip: str, port: int) -> Scrape | None:
    """The totals of a pod now; ``None`` where it does not answer."""
    connection = http.client.HTTPConnection(ip, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/metrics")
        return read_scrape(connection.getresponse().read().decode())
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
