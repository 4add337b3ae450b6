"""Recorded alerts in words, as numbers: what moved, from where to where."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aiops.model import AlertSignal, Entity

Sign = Literal[
    "latency", "cpu", "throttled", "memory", "errors", "traffic", "retransmitted", "request"
]

_CHANGE = re.compile(
    r"(?:p(?P<percentile>[0-9]{2})[a-z]{0,20}:?\s*)?normal=\s*(?P<before>[0-9.]+)"
    r"\s*(?P<unit>[a-z%/]*).{0,40}?cur(?:rent)?=\s*(?P<after>[0-9.]+)"
)
_VALUE = re.compile(r"val(?:ue)?:\s*(?P<after>[0-9.]+)\s*(?P<unit>[a-z%/]*)")
_SIGNS: tuple[tuple[Sign, tuple[str, ...]], ...] = (
    ("retransmitted", ("retrans", "packet loss")),
    ("throttled", ("throttl", "cpu_cfs")),
    ("latency", ("latency", "slow response", "duration")),
    ("cpu", ("cpu",)),
    ("memory", ("memory", "working set", "rss")),
    ("errors", ("success rate", "error", "5xx")),
    ("traffic", ("throughput", "traffic", "network drop", "network surge", "rps", "pps")),
)
"""Words that tell what an alert is about; the first that occurs decides."""
_TO_MS = {"ms": 1.0, "s": 1000.0, "us": 0.001}


@dataclass(frozen=True, slots=True)
class Moved:
    """One sign of one entity, before and now (latency in ms, CPU in cores or %, rates as given).

    Attributes:
        before: None where the alert gives no usual value.
        text: the alert's own words.
        alert: name by which the alert is found again.
        percentile: of a latency, 0 where it does not say.
    """

    entity: Entity
    sign: Sign
    before: float | None
    after: float
    unit: str
    text: str
    alert: str
    percentile: int = 0


def moved(alerts: Iterable[AlertSignal]) -> tuple[Moved, ...]:
    """The signs in ``alerts``; one that gives no numbers counts as 0 now."""
    found: list[Moved] = []
    for alert in alerts:
        words = f"{alert.name} {alert.detail}".lower()
        if alert.modality == "trace":
            found.append(_failing(alert))
            continue
        sign = next((sign for sign, keys in _SIGNS if any(key in words for key in keys)), None)
        if sign is not None:
            found += _numbers(alert, sign)
    return tuple(found)


def _failing(alert: AlertSignal) -> Moved:
    count = re.search(r"x([0-9]{1,9})$", alert.detail)
    after = float(count[1]) if count else 1.0
    text = f"{alert.name}: {alert.detail}"
    return Moved(alert.entity, "request", None, after, "requests", text, alert.name)


def _numbers(alert: AlertSignal, sign: Sign) -> list[Moved]:
    text = f"{alert.name} | {alert.detail}"
    changes = [
        Moved(
            alert.entity,
            sign,
            _in_ms(one["before"], one["unit"]),
            _in_ms(one["after"], one["unit"]),
            "ms" if one["unit"] in _TO_MS and sign == "latency" else one["unit"],
            text,
            alert.name,
            int(one["percentile"] or 0),
        )
        for one in _CHANGE.finditer(alert.detail.lower())
    ]
    if changes:
        return changes
    value = _VALUE.search(alert.detail.lower())
    after = float(value["after"]) if value else 0.0
    return [
        Moved(alert.entity, sign, None, after, value["unit"] if value else "", text, alert.name)
    ]


def _in_ms(number: str, unit: str) -> float:
    value = float(number) if number.count(".") <= 1 and number.strip(".") else 0.0
    return value * _TO_MS[unit] if unit in ("ms", "us") else value
