"""How the objectives stand now: how fast each burns its error budget, and how much is left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from aiops.analyze.clocks import on_one_clock
from aiops.analyze.slo import BURN_WINDOWS_S, Events, burn_rate, events_of, since_first
from aiops.app.slo_watch import EVERY, LOOK_BACK
from aiops.app.slos import with_planned_work
from aiops.errors import SourceUnavailable
from aiops.model import MetricTable
from aiops.model.slo import Slo
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.telemetry import MetricSource

SLOWLY: Final = timedelta(minutes=15)
"""How old an answer about a whole period may be: it changes slowly, and weeks cost much to read."""
PATIENCE_S: Final = 5.0
"""How long somebody waits for a reading that another asked for."""


@dataclass(frozen=True, slots=True)
class Burn:
    """How many times faster than allowed the budget was used in the last ``window_s`` seconds.

    Attributes:
        rate: None where nothing was measured.
    """

    window_s: float
    rate: float | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How one objective stands.

    Attributes:
        burns: by window, the shortest first.
        budget_left: the share of the period's error budget that is not used up; below 0 where more
            than all of it is; None where nothing was measured. What was not measured counts as
            good.
        measured_s: for how much of the period there were measurements.
        source: whose metrics it is judged by.
        at: when it was looked at.
        unknown: why there is nothing to say, and what to do.
    """

    slo: Slo
    burns: tuple[Burn, ...] = ()
    budget_left: float | None = None
    measured_s: float = 0.0
    source: str | None = None
    at: datetime | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What the sources have: tables and failures, each with the name of its source."""

    at: datetime
    tables: tuple[tuple[str, MetricTable], ...]
    failed: tuple[str, ...]


class Standings:
    """Looks at the objectives when asked, but no more than once a minute, whoever asks.

    For many threads: one reads, the others get what was read before, or wait a little.

    Args:
        sources: of metrics, by name; the first that has an objective's metrics judges it.
    """

    def __init__(
        self,
        slos: Sequence[Slo],
        sources: Sequence[tuple[str, MetricSource]],
        incidents: IncidentRepo,
        clock: Clock,
    ) -> None:
        self._slos, self._sources, self._incidents, self._clock = slos, sources, incidents, clock
        self._lock = Lock()
        self._reads: dict[timedelta, tuple[float, _Read]] = {}
        self._last = tuple(Standing(slo, unknown="is being read; ask again soon") for slo in slos)
        self._looked_at = float("-inf")

    def __call__(self) -> tuple[Standing, ...]:
        """One for each objective, in their order; raises StoreUnavailable."""
        if not self._slos or self._fresh(self._looked_at, EVERY):
            return self._last
        known = self._looked_at > float("-inf")
        if not self._lock.acquire(timeout=0 if known else PATIENCE_S):
            return self._last
        try:
            if not self._fresh(self._looked_at, EVERY):
                slos = with_planned_work(self._slos, self._incidents.silences())
                self._last = tuple(map(self._standing, slos))
                self._looked_at = self._clock.stopwatch()
        finally:
            self._lock.release()
        return self._last

    def _standing(self, slo: Slo) -> Standing:
        recent, period = self._read(LOOK_BACK, EVERY), timedelta(seconds=slo.period_s)
        source, events = _judge(slo, recent.tables)
        if events is None:
            return Standing(slo, at=recent.at, unknown=_why(slo, recent, self._sources))
        _, whole = _judge(slo, self._read(max(period, LOOK_BACK), SLOWLY).tables)
        whole = since_first(events if whole is None else whole)
        end = float(whole.times[-1]) if len(whole.times) else recent.at.timestamp()
        used = burn_rate(whole, slo, end, slo.period_s)
        now = recent.at.timestamp()
        return Standing(
            slo,
            tuple(
                Burn(
                    window,
                    burn_rate(events, slo, now, window)
                    if window <= LOOK_BACK.total_seconds()
                    else burn_rate(whole, slo, end, window),
                )
                for window in BURN_WINDOWS_S
                if window <= slo.period_s
            ),
            None if used is None else 1 - used,
            min(slo.period_s, end - float(whole.times[0])) if len(whole.times) else 0.0,
            source,
            recent.at,
        )

    def _read(self, reach: timedelta, fresh: timedelta) -> _Read:
        """The metrics of all services with objectives as far back as ``reach``."""
        if reach in self._reads and self._fresh(self._reads[reach][0], fresh):
            return self._reads[reach][1]
        now, services = self._clock.now(), sorted({slo.service for slo in self._slos})
        tables: list[tuple[str, MetricTable]] = []
        failed: list[str] = []
        for name, source in self._sources:
            try:
                tables.append((name, on_one_clock(source.metrics(services, now - reach, now))))
            except SourceUnavailable as failure:
                failed.append(str(failure))
        found = _Read(now, tuple(tables), tuple(failed))
        self._reads[reach] = self._clock.stopwatch(), found
        return found

    def _fresh(self, at: float, within: timedelta) -> bool:
        return self._clock.stopwatch() - at < within.total_seconds()


def _judge(slo: Slo, tables: Iterable[tuple[str, MetricTable]]) -> tuple[str | None, Events | None]:
    """The first source that has what the objective is judged by, and the events it shows."""
    for name, table in tables:
        events = events_of(slo, table)
        if events is not None and events.total.any():
            return name, events
    return None, None


def _why(slo: Slo, read: _Read, sources: Sequence[tuple[str, MetricSource]]) -> str:
    """Why nothing is known of an objective."""
    if not sources:
        return "no source of metrics is set; add [sources.NAME] to aiops.toml"
    if read.failed:
        return "; ".join(read.failed)
    return (
        f"no source has its metrics of {slo.service} in the last "
        f"{LOOK_BACK.total_seconds() / 3600:.0f} h; check their names in the file of objectives"
    )
