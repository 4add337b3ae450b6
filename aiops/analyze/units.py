"""Units: believed where the source states them and the metric can have them, never guessed.

A wrong unit is worse than none (notes: rca-findings), so a unit counts only when its dimension
fits what the metric measures and all series of that metric agree on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.model import Series


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of measurement.

    Attributes:
        symbol: as printed.
        dimension: what it measures: "bytes", "seconds", "cores", "share", "rate", "watts".
        factor: size in the dimension's base unit (byte, second, core, 1, 1/s, watt).
    """

    symbol: str
    dimension: str
    factor: float


_UNITS = {
    "bytes": Unit("B", "bytes", 1),
    "byte": Unit("B", "bytes", 1),
    "b": Unit("B", "bytes", 1),
    "kib": Unit("KiB", "bytes", 2**10),
    "kb": Unit("kB", "bytes", 1e3),
    "mi": Unit("MiB", "bytes", 2**20),
    "mib": Unit("MiB", "bytes", 2**20),
    "mb": Unit("MB", "bytes", 1e6),
    "gib": Unit("GiB", "bytes", 2**30),
    "gb": Unit("GB", "bytes", 1e9),
    "s": Unit("s", "seconds", 1),
    "sec": Unit("s", "seconds", 1),
    "second": Unit("s", "seconds", 1),
    "seconds": Unit("s", "seconds", 1),
    "ms": Unit("ms", "seconds", 1e-3),
    "milliseconds": Unit("ms", "seconds", 1e-3),
    "us": Unit("µs", "seconds", 1e-6),
    "microseconds": Unit("µs", "seconds", 1e-6),
    "ns": Unit("ns", "seconds", 1e-9),
    "cores": Unit("cores", "cores", 1),
    "m": Unit("mCPU", "cores", 1e-3),
    "millicores": Unit("mCPU", "cores", 1e-3),
    "%": Unit("%", "share", 1e-2),
    "percent": Unit("%", "share", 1e-2),
    "ratio": Unit("", "share", 1),
    "ops": Unit("/s", "rate", 1),
    "requests/s": Unit("/s", "rate", 1),
    "reqps": Unit("/s", "rate", 1),
    "1/s": Unit("/s", "rate", 1),
    "watts": Unit("W", "watts", 1),
    "w": Unit("W", "watts", 1),
}

_DIMENSIONS = {
    MetricKind.CPU: {"share", "cores"},
    MetricKind.MEMORY: {"bytes", "share"},
    MetricKind.DISK: {"bytes", "share", "rate"},
    MetricKind.POWER: {"watts"},
    MetricKind.NETWORK: {"bytes", "rate"},
    MetricKind.LATENCY: {"seconds"},
    MetricKind.ERRORS: {"share", "rate"},
    MetricKind.SUCCESS: {"share"},
    MetricKind.LOAD: {"rate"},
    MetricKind.REPLICAS: set(),
    MetricKind.OTHER: set(),
}

# A shift below these is of no operational interest, whatever its statistics say.
LEAST_OF_INTEREST = {
    (MetricKind.MEMORY, "bytes"): 16 * 2**20,
    (MetricKind.MEMORY, "share"): 0.02,
    (MetricKind.CPU, "share"): 0.02,
    (MetricKind.CPU, "cores"): 0.02,
    (MetricKind.DISK, "share"): 0.02,
    (MetricKind.LATENCY, "seconds"): 0.005,
}


def unit_of(series: Series) -> Unit | None:
    """The unit that metadata or the end of the name states, if the metric can have it."""
    stated = series.unit if series.unit is not None else _suffix(series.metric)
    unit = _UNITS.get(stated.lower()) if stated else None
    if unit is None or unit.dimension not in _DIMENSIONS[reading_of(series).kind]:
        return None
    return unit


def trusted_units(series: Sequence[Series]) -> tuple[Unit | None, ...]:
    """(m,) the unit of each series; None for all of a metric whose series disagree."""
    stated = [unit_of(one) for one in series]
    seen: dict[str, set[Unit | None]] = {}
    for one, unit in zip(series, stated, strict=True):
        seen.setdefault(one.metric, set()).add(unit)
    return tuple(
        unit if len(seen[one.metric]) == 1 else None
        for one, unit in zip(series, stated, strict=True)
    )


def least_of_interest(kind: MetricKind, unit: Unit | None) -> float:
    """The smallest shift that matters, in ``unit``; 0 where nothing is known."""
    if unit is None:
        return 0.0
    return LEAST_OF_INTEREST.get((kind, unit.dimension), 0.0) / unit.factor


def _suffix(metric: str) -> str | None:
    """The unit at the end of a name: "MemoryUsage(Mi)", "request_duration_seconds"."""
    if metric.endswith(")") and "(" in metric:
        return metric[metric.rindex("(") + 1 : -1]
    words = metric.removesuffix("_total").rsplit("_", 1)
    # Short endings ("_s", "_m", "_b") are too often something else than a unit.
    return words[1] if len(words) == 2 and len(words[1]) > 1 else None
