"""What a storm sends, and which incidents that has to become. Pure: both sides of it agree."""

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_FRESH_EACH: Final = 5
"""One alert in so many is new; the others (80 %) repeat one that was sent before."""
_CLUSTERS: Final = 4
"""Services of the same name run in each, and must not be taken for one."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many requests a second, one alert each, however slow the answers are (open loop).

    Attributes:
        rate: requests per second.
        seconds: how long.
        sources: label sets (cluster and service) that alerts come from.
        connections: kept alive; none of them has two requests under way.
    """

    rate: int = 1000
    seconds: int = 100
    sources: int = 2000
    connections: int = 64

    @property
    def requests(self) -> int:
        """How many there are in all."""
        return self.rate * self.seconds

    def alerts(self) -> list[int]:
        """The alert of each request, by number."""
        draw = random.Random(0)  # noqa: S311  a load, not a secret
        return [
            n // _FRESH_EACH if n % _FRESH_EACH == 0 else draw.randrange(n // _FRESH_EACH + 1)
            for n in range(self.requests)
        ]

    def groups(self, alerts: Iterable[int]) -> set[frozenset[str]]:
        """Fingerprints that belong together: those of one service in one cluster.

        This is what ``settings.incidents.group_by`` promises where nothing is known of calls.
        """
        found: defaultdict[int, set[str]] = defaultdict(set)
        for number in alerts:
            found[number % self.sources].add(fingerprint(number))
        return {frozenset(each) for each in found.values()}


def fingerprint(number: int) -> str:
    """Of the alert of that number."""
    return f"{number:016x}"


def alert(load: Load, number: int, starts_at: str) -> dict[str, object]:
    """One alert as Alertmanager writes it."""
    source, kind = number % load.sources, number // load.sources
    service, cluster = divmod(source, _CLUSTERS)
    return {
        "status": "firing",
        "labels": {
            "alertname": f"Rule{kind}",
            "cluster": f"cluster-{cluster}",
            "service": f"service-{service}",
            "severity": "warning",
            "instance": f"10.0.{source // 250}.{source % 250}:9100",
        },
        "annotations": {"summary": f"rule {kind} fires"},
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": fingerprint(number),
    }


def body(alerts: list[dict[str, object]]) -> bytes:
    """The payload of a webhook request."""
    payload = {"version": "4", "receiver": "storm", "status": "firing", "alerts": alerts}
    return json.dumps(payload).encode()


def request(path: str, alerts: list[dict[str, object]]) -> bytes:
    """A webhook request over HTTP/1.1, to be sent as it is."""
    payload = body(alerts)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload
