"""Burn rates, error budgets and burn-rate alerts, from metrics.

Method: The Site Reliability Workbook (Google, 2018), chapter 5, "Alerting on SLOs", section 6,
"Multiwindow, Multi-Burn-Rate Alerts". A burn rate of 1 uses up exactly the budget of the period.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np

from aiops.analyze.wording import duration, number, plain
from aiops.model import Entity, MetricTable, Series
from aiops.model.alert import Alert, AlertKey, Severity
from aiops.model.ranking import Window
from aiops.model.report import Impact
from aiops.model.slo import EventRatio, Limit, Slo
from aiops.model.telemetry import FloatArray

SOURCE: Final = "slo"
"""What alerts of objectives give as their source."""

_COUNTER_NAMES: Final = ("_total", "_count", "_bucket")
"""How OpenMetrics names counters; for series whose type nobody stated."""


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Alert where the burn rate is above what uses ``share`` of the budget in the long window.

    Attributes:
        short_s: the burn must also go on within this last window, so that the alert ends soon
            after the burning does.
    """

    long_s: float
    short_s: float
    share: float
    severity: Severity

    def threshold(self, period_s: float) -> float:
        """The burn rate above which it alerts; 14.4, 6, 3 and 1 for a period of 30 days."""
        return self.share * period_s / self.long_s


HOUR, DAY = 3600.0, 86400.0
RULES: Final = (
    BurnRule(HOUR, HOUR / 12, 0.02, "SEV1"),
    BurnRule(6 * HOUR, HOUR / 2, 0.05, "SEV2"),
    BurnRule(DAY, 2 * HOUR, 0.10, "SEV3"),
    BurnRule(3 * DAY, 6 * HOUR, 0.10, "SEV4"),
)
"""Table 5-8 of the workbook: the first two page, the last two are tickets."""
BURN_WINDOWS_S: Final = tuple(sorted({s for rule in RULES for s in (rule.long_s, rule.short_s)}))
"""Every window that a rule looks at, seconds, the shortest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Good and bad events of one objective, or seconds of good and bad time.

    Attributes:
        times: (n,) unix seconds, ascending.
        bad, total: (n,) how many since the row before; 0 where nothing was measured.
    """

    times: FloatArray
    bad: FloatArray
    total: FloatArray

    def between(self, start: float, end: float) -> tuple[float, float]:
        """How many bad ones, and how many in all, in (start, end]."""
        low, high = np.searchsorted(self.times, [start, end], side="right")
        return float(self.bad[low:high].sum()), float(self.total[low:high].sum())

    def outside(self, planned: Sequence[Window]) -> "Events":
        """Without what happened at times of planned work."""
        kept = np.ones(len(self.times), dtype=bool)
        for window in planned:
            start, end = window.start.timestamp(), window.end.timestamp()
            kept &= (self.times < start) | (self.times > end)
        return Events(self.times, np.where(kept, self.bad, 0.0), np.where(kept, self.total, 0.0))


def events_of(slo: Slo, metrics: MetricTable) -> Events | None:
    """The events that the metrics show; None where a metric of the objective is not there.

    The series of all instances are added up. Counters are read as their increase, a restart from
    zero included; other metrics as rates, or as levels where the objective is a limit.
    """
    own = [i for i, one in enumerate(metrics.series) if one.entity.service_name == slo.service]

    def columns(metric: str) -> list[int]:
        names = ((i, metrics.series[i]) for i in own)
        return [i for i, one in names if metric in (one.metric, one.column)]

    sli = slo.sli
    if isinstance(sli, Limit):
        found = _timed(sli, metrics, columns(sli.metric))
    else:
        found = _counted(sli, metrics, columns(sli.total), columns(sli.part))
    return None if found is None else found.outside(slo.planned)


def since_first(events: Events) -> Events:
    """From the first row with an event on: what lies before was not measured."""
    rows = np.flatnonzero(events.total)
    first = max(0, int(rows[0]) - 1) if len(rows) else len(events.times)
    return Events(events.times[first:], events.bad[first:], events.total[first:])


def _timed(limit: Limit, metrics: MetricTable, columns: list[int]) -> Events | None:
    if not columns:
        return None
    levels = metrics.values[:, columns].T
    lasted = np.array([_seconds(metrics.times, level) for level in levels])
    over = levels > limit.at_most  # NaN is not over
    return Events(metrics.times, (over * lasted).sum(axis=0), lasted.sum(axis=0))


def _counted(
    sli: EventRatio, metrics: MetricTable, total: list[int], part: list[int]
) -> Events | None:
    # Without a series of the bad ones nothing went wrong yet: many clients make it with the first.
    if not total or (sli.counts_good and not part):
        return None
    everything = np.sum([_increase(metrics, i) for i in total], axis=0)
    named = np.sum([_increase(metrics, i) for i in part], axis=0) if part else 0 * everything
    bad = everything - named if sli.counts_good else named
    # Scrapes of two counters are not one: a part may be ahead of its whole for a moment.
    return Events(metrics.times, np.clip(bad, 0.0, everything), everything)


def _increase(metrics: MetricTable, column: int) -> FloatArray:
    """(n,) events since the sample before, at the row of each sample."""
    values, series = metrics.values[:, column], metrics.series[column]
    rows = np.flatnonzero(np.isfinite(values))
    found = np.zeros(len(values))
    if _is_counter(series):
        samples = values[rows]
        steps = np.diff(samples)
        found[rows[1:]] = np.where(steps < 0, samples[1:], steps)
    else:
        found[rows] = values[rows] * _seconds(metrics.times, values)[rows]
    return np.maximum(found, 0.0)


def _is_counter(series: Series) -> bool:
    if series.type is not None:
        return series.type in ("counter", "histogram")
    return series.metric.endswith(_COUNTER_NAMES)


def _seconds(times: FloatArray, values: FloatArray) -> FloatArray:
    """(n,) for how long each sample stands: since the one before, but over no gap."""
    rows = np.flatnonzero(np.isfinite(values))
    lasted = np.zeros(len(values))
    if len(rows) > 1:
        gaps = np.diff(times[rows])
        usual = float(np.median(gaps))
        lasted[rows] = np.minimum(np.concatenate([[usual], gaps]), 2 * usual)
    return lasted


def burn_rate(events: Events, slo: Slo, at: float, window_s: float) -> float | None:
    """How many times faster than allowed the budget was used in the window that ends at ``at``.

    What was not measured counts as good, so that minutes of telemetry do not speak for days.

    Args:
        at: unix seconds.

    Returns:
        None where nothing happened in the window.
    """
    bad, total = events.between(at - window_s, at)
    if total <= 0:
        return None
    measured = min(window_s, at - float(events.times[0]))
    assumed = total * window_s / measured if 0 < measured < window_s else total
    return bad / assumed / (1 - slo.objective)


def budget_burnt(events: Events, slo: Slo, start: float, end: float) -> float | None:
    """The share of the period's error budget used from ``start`` to ``end``, unix seconds; >= 0.

    At the traffic of that time: burn rate times the share of the period that passed. May be over
    1. None where nothing happened.
    """
    bad, total = events.between(start, end)
    if total <= 0:
        return None
    return bad / total / (1 - slo.objective) * (end - start) / slo.period_s


def burn_alerts(
    slos: Sequence[Slo],
    metrics: MetricTable,
    at: datetime,
    firing: Collection[AlertKey] = (),
) -> tuple[Alert, ...]:
    """At most one alert of each objective: the most urgent rule that holds at ``at``.

    Args:
        metrics: up to ``at``; as far back as there is, three days at best.
        firing: those that fired when last asked; each that no longer holds is given as resolved.
            One whose metrics are gone is neither.
    """
    found = []
    for slo in slos:
        events = events_of(slo, metrics)
        if events is None or not len(events.times):
            continue
        burning = next(
            (
                (rule, rate)
                for rule in RULES
                if (rate := _burning(events, slo, at.timestamp(), rule)) is not None
            ),
            None,
        )
        if burning is not None:
            rule, rate = burning
            text = (
                f"{title(slo)}: the error budget burns {number(rate)} times too fast over "
                f"{duration(rule.long_s)}"
            )
            found.append(alert_of(slo, at, rule.severity, text))
        elif AlertKey(SOURCE, slo.name) in firing:
            ended = alert_of(slo, at, "SEV3", f"{title(slo)}: the error budget burns no more")
            found.append(replace(ended, status="resolved", ends_at=at))
    return tuple(found)


def _burning(events: Events, slo: Slo, at: float, rule: BurnRule) -> float | None:
    """The burn rate of the long window where the rule holds."""
    threshold = rule.threshold(slo.period_s)
    long = burn_rate(events, slo, at, rule.long_s)
    short = burn_rate(events, slo, at, rule.short_s)
    return long if long is not None and short is not None and min(long, short) > threshold else None


def alert_of(slo: Slo, at: datetime, severity: Severity = "SEV3", text: str = "") -> Alert:
    """The alert of an objective, firing since ``at``."""
    labels = (("alertname", "ErrorBudgetBurn"), ("service", slo.service), ("slo", slo.name))
    return Alert(
        source=SOURCE,
        fingerprint=slo.name,
        status="firing",
        name="ErrorBudgetBurn",
        labels=labels,
        annotations=(("summary", text),),
        starts_at=at,
        severity=severity,
        entity=Entity("service", slo.service),
        summary=text,
    )


def title(slo: Slo) -> str:
    """ "billing-errors (99.9 % over 30 d)"."""
    return f"{plain(slo.name)} ({number(100 * slo.objective)} % over {duration(slo.period_s)})"


def impact_of(
    metrics: MetricTable,
    slos: Sequence[Slo],
    services: Collection[str] | None,
    start: datetime,
    end: datetime,
) -> Impact | None:
    """What users felt from ``start`` to ``end``: the objective whose budget suffered most.

    Args:
        services: whose objectives count; None: all.

    Returns:
        None where no objective of these services has metrics, or none lost anything.
    """
    low, high = start.timestamp(), end.timestamp()
    worst: tuple[float, Slo, Events] | None = None
    for slo in slos:
        if services is not None and slo.service not in services:
            continue
        events = events_of(slo, metrics)
        burnt = None if events is None else budget_burnt(events, slo, low, high)
        if events is not None and burnt and (worst is None or burnt > worst[0]):
            worst = burnt, slo, events
    if worst is None:
        return None
    burnt, slo, events = worst
    share = min(1.0, burnt)
    felt = _felt(slo, *events.between(low, high))
    return Impact(title(slo), f"{felt}: {number(100 * share)} % of the error budget", share)


def _felt(slo: Slo, bad: float, total: float) -> str:
    service = plain(slo.service)
    if isinstance(slo.sli, Limit):
        limit = f"{plain(slo.sli.metric)} of {service} above {number(slo.sli.at_most)}"
        return f"{limit} for {duration(bad)} of {duration(total)}"
    what = "failed" if slo.kind == "availability" else "were too slow"
    share = number(100 * bad / total)
    return f"{share} % of requests to {service} {what} ({number(bad)} of {number(total)})"
