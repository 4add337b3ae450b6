"""Which alerts belong together: the same values of chosen labels, or services that call each other.

Both are wanted: labels say what a team calls one thing; a fault does not stop at its border, and
within minutes the callers of a broken service alert too.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiops.model.alert import Alert
from aiops.model.graph import ServiceGraph


@dataclass(frozen=True, slots=True)
class Grouping:
    """How alerts become incidents; durations in seconds. The fields of ``settings.incidents``.

    Attributes:
        group_by: labels whose values say which alerts belong together.
        join_window_s: an alert this soon after the last of an open incident may join it ...
        join_hops: ... where at most so many calls lead from its service to one of the incident's.
        reopen_window_s: an alert this soon after the end opens the incident again.
        flapping_turns, flapping_window_s: so many changes of status within this time is flapping.
        settle_s: more alerts are awaited this long before an investigation.
        cooldown_s: no second investigation of an incident sooner than this after the last.
    """

    group_by: tuple[str, ...]
    join_window_s: float
    join_hops: int
    reopen_window_s: float
    flapping_turns: int
    flapping_window_s: float
    settle_s: float
    cooldown_s: float


def value_of(alert: Alert, label: str) -> str:
    """The value of a label for grouping and silencing; "" where the alert says nothing.

    Sources differ in what they label: where the label is missing, the alert's name stands in for
    "alertname", and what it is about for "service", "namespace" and "cluster".
    """
    given = alert.label(label)
    if given is not None:
        return given
    if label == "alertname":
        return alert.name
    if alert.entity is None:
        return ""
    about = {
        "service": alert.entity.service_name,
        "namespace": alert.entity.namespace,
        "cluster": alert.entity.cluster,
    }
    return about.get(label) or ""


def group_of(alert: Alert, group_by: Sequence[str]) -> str:
    """The group of an alert: its grouping labels with their values, else its name.

    Values are quoted, so that no value can pass for another label.
    """
    told = [(name, value) for name in group_by if (value := value_of(alert, name))]
    return ",".join(f"{k}={json.dumps(v)}" for k, v in told or [("alertname", alert.name)])


class Neighbours:
    """The services within some calls of each service, callers and callees alike.

    Args:
        graph: who calls whom; None where nobody knows.
        hops: how many calls away a neighbour may be; 0: only the service itself.
    """

    def __init__(self, graph: ServiceGraph | None, hops: int) -> None:
        self._hops = hops
        self._beside: defaultdict[str, set[str]] = defaultdict(set)
        self._known: dict[str, Mapping[str, int]] = {}
        for call in graph.calls if graph is not None else ():
            source, target = call.source.service_name, call.target.service_name
            self._beside[source].add(target)
            self._beside[target].add(source)

    def of(self, service: str) -> Mapping[str, int]:
        """Each neighbour and how many calls away it is; the service itself at 0."""
        if service not in self._known:
            self._known[service] = self._reached(service)
        return self._known[service]

    def _reached(self, service: str) -> dict[str, int]:
        distance, rim = {service: 0}, {service}
        for hops in range(1, self._hops + 1):
            rim = {far for near in rim for far in self._beside.get(near, ())} - distance.keys()
            distance.update(dict.fromkeys(rim, hops))
        return distance
