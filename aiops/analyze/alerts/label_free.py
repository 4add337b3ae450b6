"""Ranking an alert list without labels: typed signs, weighed by how telling and how much its own.

A sign that many candidates share is weather; one that a single candidate shows is about it. What
the other replicas of its service show too came from outside; what they do not is its own. Hubs,
on which everything alerts, are discounted by the same rule: nothing of what they show is theirs.
"""

import math
import zlib
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from aiops.analyze.alerts.graph import Incident
from aiops.analyze.alerts.signs import Sign, sign_of, template_of
from aiops.analyze.metric_kinds import MetricKind
from aiops.model import AlertSignal, FaultType

OWN_RESOURCE = 1.0
"""Weight of more CPU, memory or disk than usual: a resource is a cause, and nobody else's."""
SILENCE = 1.0
"""Weight of fewer requests or packets: a dead or isolated instance stops sending first."""
SYMPTOM = 0.6
"""Weight of latency and failures seen by callers: half the time they are its callees'."""
ITS_OWN_CALLS = 1.0
"""Weight of latency and failures of the calls it makes: that its callers and twins do not have
them too (the shares below) says the trouble is on its side of the wire."""
FAILING_CALLS = 0.6
"""The same from traces, where one failing request alerts on every hop it passed."""
SLOW_INTO = 0.1
"""Weight of slow or failing traces into it: every hop above the cause shows them as well."""
LOG_TEMPLATE = 0.2
"""Weight of an unusual log statement: most only say, in its words, that a callee failed."""
FAINT = 0.2
"""Weight of what has no accepted meaning: an alert nobody can place is still an alert."""
TAKES_OVER = -0.2
"""Weight of more requests than usual: it serves those that another no longer does."""
OF_ALL_REPLICAS = 0.2
"""Share left to a sign that another replica shows too: a fault of one pod is not its twin's."""
OF_ONE_REPLICA = 2.0
"""Factor for a sign that no other replica shows: the twin is the best baseline there is."""
SURPRISE_POWER = 0.5
"""Exponent of the nats of surprise: between counting signs (0) and trusting rarity fully (1)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sign of one candidate, weighed.

    Attributes:
        sign: what it showed.
        fault: the fault such a sign suggests.
        weight: its part of the candidate's score; below 0 it speaks for the candidate.
        holders: candidates of the incident that show the same.
        alerts: where it was read.
    """

    sign: str
    fault: FaultType
    weight: float
    holders: int
    alerts: tuple[AlertSignal, ...]


def findings(incident: Incident) -> tuple[tuple[Finding, ...], ...]:
    """The findings about each candidate, heaviest first, in the order of ``incident.places``."""
    held: dict[tuple[str, str], dict[int, list[AlertSignal]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for i, place in enumerate(incident.places):
        for alert in place.own:
            label = template_of(alert) if alert.modality == "log" else ""
            held[str(sign_of(alert)), label][i].append(alert)
        for where, alerts in (("into", place.incoming + place.inside), ("calls", place.outgoing)):
            for alert in alerts:
                held[f"{where} {sign_of(alert)}", ""][i].append(alert)
    found: list[list[Finding]] = [[] for _ in incident.places]
    for (name, _), holders in sorted(held.items()):
        for i, shown in holders.items():
            weight, fault = _meaning(name, sign_of(shown[0]))
            weight *= _surprise(len(holders), len(incident.places))
            siblings = incident.places[i].siblings
            if siblings:
                shared = any(j in holders for j in siblings)
                weight *= OF_ALL_REPLICAS if shared else OF_ONE_REPLICA
            found[i].append(Finding(name, fault, weight, len(holders), tuple(shown)))
    return tuple(
        tuple(sorted(_heaviest_log(own), key=lambda f: (-f.weight, f.sign))) for own in found
    )


def scores(incident: Incident, *, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(c,) the suspicion of each candidate; ties are broken by a seeded hash of the name."""
    total = np.array([sum(f.weight for f in own) for own in findings(incident)], dtype=np.float64)
    return total + 1e-9 * _ties(incident, seed)


def by_count(incident: Incident, *, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(c,) how many alerts point at each candidate: the baseline to beat."""
    total = np.array([place.raised for place in incident.places], dtype=np.float64)
    return total + 1e-9 * _ties(incident, seed)


def _ties(incident: Incident, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    keys = (f"{seed}:{p.entity.kind}:{p.entity.name}" for p in incident.places)
    return np.array([zlib.crc32(key.encode()) / 2**32 for key in keys], dtype=np.float64)


def _surprise(holders: int, candidates: int) -> float:
    """Nats, damped: 0 where everybody holds the sign."""
    return math.log((candidates + 1) / (holders + 1)) ** SURPRISE_POWER if candidates > 1 else 1.0


def _heaviest_log(found: list[Finding]) -> list[Finding]:
    """One log finding at most: an instance in trouble says so in many statements."""
    logs = sorted((f for f in found if f.sign == "log"), key=lambda f: -f.weight)
    return [f for f in found if f.sign != "log"] + logs[:1]


def _meaning(name: str, sign: Sign) -> tuple[float, FaultType]:
    """(weight, suggested fault) of a sign."""
    if name.startswith("calls "):
        if sign.family == "error":
            return FAILING_CALLS, FaultType.ERROR
        return 0.0, FaultType.LATENCY  # waiting is a caller's lot
    if name.startswith("into "):
        return SLOW_INTO, FaultType.ERROR if sign.family == "error" else FaultType.LATENCY
    if sign.family == "log":
        return LOG_TEMPLATE, FaultType.ERROR
    return _of_metric(sign)


_RESOURCE_FAULTS = {
    MetricKind.CPU.value: FaultType.CPU,
    MetricKind.MEMORY.value: FaultType.MEMORY,
    MetricKind.DISK.value: FaultType.DISK,
    MetricKind.POWER.value: FaultType.CPU,
    "threads": FaultType.CPU,
}


def _of_metric(sign: Sign) -> tuple[float, FaultType]:
    if sign.family in _RESOURCE_FAULTS:
        fault = _RESOURCE_FAULTS[sign.family]
        return (0.0, FaultType.CRASH) if sign.direction == "down" else (OWN_RESOURCE, fault)
    if sign.family in (MetricKind.LOAD.value, MetricKind.NETWORK.value):
        if sign.direction == "down":
            return SILENCE, FaultType.CRASH
        if sign.family == MetricKind.LOAD.value and sign.direction == "up":
            return TAKES_OVER, FaultType.TRAFFIC
        return 0.0, FaultType.TRAFFIC
    if sign.family in (MetricKind.LATENCY.value, MetricKind.SUCCESS.value, MetricKind.ERRORS.value):
        latency = sign.family == MetricKind.LATENCY.value
        if latency and sign.direction == "down":
            return 0.0, FaultType.LATENCY  # faster than usual: less to do
        fault = FaultType.NETWORK_DELAY if latency else FaultType.ERROR
        return (ITS_OWN_CALLS if sign.side == "sent" else SYMPTOM), fault
    return FAINT, FaultType.UNKNOWN
