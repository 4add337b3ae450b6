"""Numbers, times and names as a person reads them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiops.model import FaultType

_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))
_BYTE_STEPS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))
_ACRONYMS = (FaultType.CPU, FaultType.OOM, FaultType.DNS)


def plain(text: str) -> str:
    """``text`` on one line, without control or direction characters.

    Names and log lines come from the systems under investigation, which may be hostile: they
    must not move a terminal's cursor or reverse the reading order of a page.
    """
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def signal(metric: str, entity: str) -> str:
    """A metric of an entity: "cpu of db"; "errors of calls from web to db" where callers
    measured it ("edge:front:errors")."""
    caller, own = _measured_by(metric)
    if caller:
        return f"{plain(own)} of calls from {plain(caller)} to {plain(entity)}"
    return f"{plain(own)} of {plain(entity)}"


def own_signal(metric: str) -> str:
    """The same where the entity was just named: "its cpu", "the errors of calls from front"."""
    return f"{'the' if _measured_by(metric)[0] else 'its'} {bare_signal(metric)}"


def bare_signal(metric: str) -> str:
    """The same without the entity: "cpu", "errors of calls from front"."""
    caller, own = _measured_by(metric)
    return f"{plain(own)} of calls from {plain(caller)}" if caller else plain(own)


def _measured_by(metric: str) -> tuple[str, str]:
    """The caller that measured it, "" where it was measured at home; and what."""
    if not metric.startswith("edge:") or metric.count(":") < 2:
        return "", metric
    caller, own = metric.removeprefix("edge:").split(":", 1)
    return caller, own


def number(value: float) -> str:
    """Three significant digits: 0.00123, 95.1, 12,346, 343 M (millions)."""
    if not math.isfinite(value):
        return "no value"
    if value == 0:
        return "0"
    if abs(value) >= 1e15 or abs(value) < 1e-4:
        return f"{value:.3g}"
    for size, sign in _LARGE:
        if abs(value) >= size:
            return f"{number(value / size)} {sign}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{round(value, decimals):,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float, unit: str | None) -> str:
    """``value`` with its unit; bytes and seconds are scaled. No unit is invented.

    Args:
        unit: its symbol ("B", "s", "%"); "" for a ratio; None: unknown.
    """
    if not math.isfinite(value):
        return "no value"
    if unit == "B":
        size, sign = next(((s, n) for s, n in _BYTE_STEPS if abs(value) >= s), (1.0, "B"))
        return f"{number(value / size)} {sign}"
    if unit == "s" and 0 < abs(value) < 1:
        return f"{number(value * 1e3)} ms"
    return number(value) + (f" {plain(unit)}" if unit else "")


def duration(seconds: float) -> str:
    """A length of time: 340 ms, 12 s, 3 min 20 s, 2 h 5 min, 4 d 3 h."""
    size = abs(seconds)
    if size == 0:
        return "0 s"
    if size < 1:
        return f"{round(size * 1e3)} ms"
    if size < 120:
        return f"{number(size)} s"
    if size < 2 * 3600:
        return _two_units(size, 60, "min", "s")
    if size < 2 * 86400:
        return _two_units(size / 60, 60, "h", "min")
    return _two_units(size / 3600, 24, "d", "h")


def _two_units(small: float, per_big: int, big_name: str, small_name: str) -> str:
    whole, rest = divmod(round(small), per_big)
    return f"{whole} {big_name}" + (f" {rest} {small_name}" if rest else "")


def percent(share: float) -> str:
    """A probability as "87 %"; certainty and impossibility are never printed."""
    if share >= 0.995:
        return "over 99 %"
    if share < 0.01:
        return "under 1 %"
    return f"{share * 100:.0f} %"


def fault(kind: FaultType) -> str:
    """A fault type in words: "CPU", "network delay"."""
    words = kind.value.replace("_", " ")
    return words.upper() if kind in _ACRONYMS else words


def listed(names: Sequence[str], *, most: int = 4) -> str:
    """ "a, b and c"; what is beyond ``most`` is counted, not named."""
    shown, more = list(names[:most]), len(names) - most
    if more > 0:
        return ", ".join(shown) + f" and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


@dataclass(frozen=True, slots=True)
class TimeWords:
    """How the times of one incident are written.

    Attributes:
        start: the window's start; relative times count from it.
        relative: True where the source has no wall clock.
    """

    start: datetime
    relative: bool

    def at(self, moment: datetime) -> str:
        """ "05:04:52 UTC", with the date where it differs from the window's, or "+180 s"."""
        if self.relative:
            return f"+{number((moment - self.start).total_seconds())} s"
        day = "" if moment.date() == self.start.date() else f"{moment:%Y-%m-%d} "
        return f"{day}{moment:%H:%M:%S} UTC"

    def full(self, moment: datetime) -> str:
        """As ``at``, always with the date."""
        return self.at(moment) if self.relative else f"{moment:%Y-%m-%d %H:%M:%S} UTC"

    def offset(self, moment: datetime, other: datetime, name: str) -> str:
        """ "12 s before the alert", "together with the alert", "3 min after the alert"."""
        gap = (moment - other).total_seconds()
        if abs(gap) < 0.5:
            return f"together with {name}"
        return f"{duration(gap)} {'after' if gap > 0 else 'before'} {name}"
