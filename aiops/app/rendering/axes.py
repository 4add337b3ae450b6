"""Axes of a chart: round ticks, labels that tell neighbouring ticks apart."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from aiops.analyze.wording import number, plain

_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * m for m in (1, 2, 5, 10, 15, 30)),
    *(3600 * h for h in (1, 2, 3, 6, 12)),
    *(86400 * d for d in (1, 2, 7, 14, 28)),
)
_SCALES = {
    "B": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "": ((1e12, "T"), (1e9, "G"), (1e6, "M")),
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
}


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled position on an axis, in the chart's own coordinates."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map from values to coordinates."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + share * (self.end - self.start), 1)


def value_range(low: float, high: float) -> tuple[float, float]:
    """Bounds with some air; from zero where the values are not far above it."""
    if low >= 0 and low <= 0.5 * high:
        return 0.0, high * 1.08 or 1.0
    air = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    return low - air, high + air


def value_ticks(scale: Scale, unit: str | None, count: int = 4) -> tuple[Tick, ...]:
    """About ``count`` round values with their unit.

    Args:
        unit: its symbol; None: bare numbers.
    """
    rough = (scale.high - scale.low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    largest = max(abs(scale.low), abs(scale.high))
    divisor, sign = _divisor(largest, unit)
    decimals = max(0, -math.floor(math.log10(step / divisor) + 1e-9))
    if step / divisor < 1 and round(step / divisor, decimals) != step / divisor:
        decimals += 1
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    ticks = []
    for index in range(first, last + 1):
        value = index * step
        text = number(value / divisor) if decimals > 6 else f"{value / divisor:,.{decimals}f}"
        ticks.append(Tick(scale(value), text + sign if index else "0"))
    return tuple(ticks)


def _divisor(largest: float, unit: str | None) -> tuple[float, str]:
    for divisor, sign in _SCALES.get(unit or "", ()):
        if largest >= divisor:
            return divisor, f" {sign}"
    return 1.0, f" {plain(unit)}" if unit else ""


def time_ticks(scale: Scale, *, relative_to: float | None, count: int = 5) -> tuple[Tick, ...]:
    """At most ``count`` round times.

    Args:
        scale: over unix seconds.
        relative_to: where the source has no wall clock: the moment labelled "+0 s".
    """
    span = scale.high - scale.low
    step = next((s for s in _TIME_STEPS if span / s <= count), _TIME_STEPS[-1])
    step = max(step, math.ceil(span / count / step) * step if span / step > count else step)
    zero = relative_to if relative_to is not None else 0.0
    first = math.ceil((scale.low - zero) / step)
    ticks = []
    while zero + first * step <= scale.high:
        moment = zero + first * step
        ticks.append(Tick(scale(moment), _time_label(moment, step, relative_to)))
        first += 1
    return tuple(ticks)


def _time_label(moment: float, step: float, relative_to: float | None) -> str:
    if relative_to is not None:
        return f"+{number(moment - relative_to)} s"
    at = datetime.fromtimestamp(moment, UTC)
    if step >= 86400:
        return f"{at:%d %b}"
    return f"{at:%H:%M}" if step >= 60 else f"{at:%H:%M:%S}"
