"""What each metric's shift says about its entity, as numbers: the core of the metric ranker.

Robust shifts at the data's own onset, weighed as causes and symptoms; a call graph and the metric
the alert fired on sharpen them. ``aiops eval rca --ablation`` prints what each part is worth.
"""

import zlib
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aiops.analyze import hosts, onset, shifts, suspicion, symptom_paths, traffic
from aiops.analyze.columns import bridge_gaps
from aiops.analyze.confidence import QUIET
from aiops.analyze.samples import averaged, by_name, rates
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Episode, MetricTable
from aiops.model.telemetry import FloatArray

MOST_ROWS = 2400
"""Longer windows are averaged down to this many rows: medians of minutes lose nothing to it."""
LEAST_ROWS_AFTER = 60
"""Rows after the alert that averaging down leaves, or it averages less."""
FEW_ROWS = 10
"""Rows on one side of the onset under which the confidence is capped."""
GUESSED_CONFIDENCE = 0.5
"""The cap with few rows before: what a usual variation is, is a guess."""
FLEETING_CONFIDENCE = 0.9
"""The cap with few rows after: a level is seen, but it may have been a spike."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The rules of the ranker; the ablation switches one off at a time."""

    reanchor: bool = True
    fleet_floor: bool = True
    scale_free: bool = True
    kinds: bool = True
    corroboration: bool = True
    memory_first: bool = True
    traffic: bool = True
    hosts: bool = True
    vanished: bool = True
    bursts: bool = True
    calls: bool = True
    alert_metric: bool = True


PARTS = tuple(Parts.__dataclass_fields__)
ALL_PARTS = Parts()


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """One case's arithmetic: (m,) arrays over the columns of ``table``.

    Attributes:
        table: the columns that carry a signal, gaps bridged, success rates as failed shares.
        anomaly: the rows in question.
        shifts: how far each column moved.
        score: how much that accuses its entity; the order of suspects.
        presence: how clearly each column shows that anything is wrong at all, in nats.
        service: number of each column's service.
        seen: whether a column has samples of its own before and during the anomaly.
        notes: what a reader must know.
    """

    table: MetricTable
    anomaly: onset.Anomaly
    shifts: shifts.Shifts
    score: FloatArray
    presence: FloatArray
    service: npt.NDArray[np.intp]
    seen: npt.NDArray[np.bool_]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    table: MetricTable
    gaps: npt.NDArray[np.bool_]
    kinds: npt.NDArray[np.object_]
    alerted: int | None
    notes: list[str]


def score(case: CaseData, parts: Parts = ALL_PARTS, episode: Episode | None = None) -> Scored:
    """The scores of every metric of ``case``.

    Args:
        episode: the stretch in question; None: found in the metrics.

    Raises:
        AnalysisFailed: there are no metrics, under two rows of them, or none ever changes.
    """
    ready = _prepared(case, parts)
    table, kinds = ready.table, ready.kinds
    series, values = table.series, table.values
    anomaly = _located(case, ready, parts) if episode is None else _rows(table, episode)
    seen = _seen(ready.gaps, anomaly)
    _hold_still(table, ~seen, ready.notes)
    weight = suspicion.weights(series, kinds) if parts.kinds else np.ones(len(series))
    service = suspicion.services_of(series)
    moved = shifts.measure(values, series, kinds, anomaly, fleet=parts.fleet_floor)
    presence = weight * np.log1p(suspicion.upward(moved.material, kinds))
    if parts.bursts and presence.max(initial=0.0) < QUIET:
        moved = shifts.measure(
            values, series, kinds, anomaly, fleet=parts.fleet_floor, with_bursts=True
        )
        presence = weight * np.log1p(suspicion.upward(moved.material, kinds))

    if parts.traffic:
        presence = presence * traffic.beyond_load(series, moved, service)
    scored = suspicion.strengths(moved, weight, scale_free=parts.scale_free) * weight
    if parts.hosts:
        scored = scored * hosts.own_share(series, moved)
    if parts.calls and case.window.graph is not None:
        scored = scored * symptom_paths.unexplained(series, moved, case.window.graph)
    if ready.alerted is not None:
        relevance = symptom_paths.relevance(values, anomaly, moved, ready.alerted)
        scored, presence = scored * relevance, presence * (relevance > 0)
    if parts.corroboration:
        scored = suspicion.corroborated(scored, kinds, service)
    if parts.memory_first:
        scored = suspicion.memory_first(scored, moved, service)
    if parts.traffic and case.window.graph is not None:
        scored = traffic.surge_first(scored, series, moved, service, case.window.graph)
    return Scored(table, anomaly, moved, scored, presence, service, seen, tuple(ready.notes))


def confidence_cap(scored: Scored) -> tuple[float, str]:
    """The most confidence that so many rows allow, and why; 1 and "" where they are enough."""
    before, during = scored.anomaly.first, scored.anomaly.end - scored.anomaly.first
    if before < FEW_ROWS:
        return GUESSED_CONFIDENCE, (
            f"Only {before} rows before the anomaly: what variation is usual is a guess, so "
            f"the confidence in what metrics say is capped at {GUESSED_CONFIDENCE:.0%}."
        )
    if during < FEW_ROWS:
        return FLEETING_CONFIDENCE, (
            f"Only {during} rows of the anomaly: it may be a passing spike, so the confidence in "
            f"what metrics say is capped at {FLEETING_CONFIDENCE:.0%}."
        )
    return 1.0, ""


def _prepared(case: CaseData, parts: Parts) -> _Prepared:
    table = case.window.metrics
    if table is None or not table.series:
        raise AnalysisFailed("no metrics were recorded, and this method reads nothing else")
    if len(table.times) < 2:
        raise AnalysisFailed(
            f"{table.source}: {len(table.times)} rows have no before and after; widen the window"
        )
    notes: list[str] = []
    alert = case.trigger.at.timestamp() if case.trigger.at is not None else None
    table, gaps = _usable(_shortened(rates(table), alert, notes), notes)
    kinds = shifts.kinds_of(table.series)
    shifts.failures(table.values, kinds, table.series)
    alerted = symptom_paths.alert_column(table.series, case.trigger) if parts.alert_metric else None
    return _Prepared(table, gaps, kinds, alerted, notes)


def _located(case: CaseData, ready: _Prepared, parts: Parts) -> onset.Anomaly:
    alert = case.trigger.at.timestamp() if case.trigger.at is not None else None
    times, values = ready.table.times, ready.table.values
    if not parts.reanchor:
        return onset.at_alert(times, alert)
    signal = None if ready.alerted is None else values[:, ready.alerted]
    least = shifts.least_of_columns(ready.table.series, ready.kinds)
    return onset.locate(times, values, alert, signal, least)


def _rows(table: MetricTable, episode: Episode) -> onset.Anomaly:
    """The rows of ``episode``, at least one on each side of its onset."""
    rows = len(table.times)
    first = int(np.searchsorted(table.times, episode.onset.timestamp()))
    first = max(1, min(first, rows - 1))
    end = int(np.searchsorted(table.times, episode.end.timestamp(), side="right"))
    return onset.Anomaly(first, max(end, first + 1), episode.found)


def _shortened(table: MetricTable, alert: float | None, notes: list[str]) -> MetricTable:
    """At most MOST_ROWS rows, by averaging neighbours, as long as the fault keeps its rows."""
    rows = len(table.times)
    factor = -(-rows // MOST_ROWS)
    after = 0 if alert is None else rows - int(np.searchsorted(table.times, alert))
    if after > 0:
        factor = min(factor, max(1, after // LEAST_ROWS_AFTER))
    if factor <= 1:
        return table
    whole = rows // factor * factor
    skip = rows - whole  # the oldest rows go: the fault is at the other end
    values = averaged(table.values[skip:], factor)
    notes.append(f"{rows:,} rows were averaged down to {len(values):,} before ranking.")
    return replace(table, times=table.times[skip::factor], values=values)


def _usable(table: MetricTable, notes: list[str]) -> tuple[MetricTable, npt.NDArray[np.bool_]]:
    """The columns that carry a signal, gaps bridged, in an array of its own; and the gaps."""
    table = by_name(table)
    series, gaps = table.series, np.isnan(table.values)
    filled = bridge_gaps(table.values) if gaps.any() else table.values
    flat = ~(np.ptp(filled, axis=0) > 0)  # NaN is flat too
    if flat.all():
        raise AnalysisFailed(
            f"{table.source}: none of its {len(flat)} columns ever changes; widen the window"
        )
    if flat.any():
        dropped = _named([series[i].column for i in np.flatnonzero(flat)])
        notes.append(f"Columns that never change or hold nothing, left out: {dropped}.")
        kept = np.flatnonzero(~flat)
        series = tuple(series[i] for i in kept)
        filled, gaps = np.take(filled, kept, axis=1), np.take(gaps, kept, axis=1)
    return replace(table, values=filled, series=series), gaps


def _seen(gaps: npt.NDArray[np.bool_], anomaly: onset.Anomaly) -> npt.NDArray[np.bool_]:
    """(m,) columns with samples of their own on both sides of the onset."""
    before, during = gaps[: anomaly.first], gaps[anomaly.first : anomaly.end]
    return np.asarray(~before.all(axis=0) & ~during.all(axis=0))


def _hold_still(table: MetricTable, unseen: npt.NDArray[np.bool_], notes: list[str]) -> None:
    """Make flat, in place, what cannot be compared: a bridge to nowhere is no shift."""
    if unseen.any():
        table.values[:, unseen] = table.values[0, unseen]
        columns = _named([table.series[i].column for i in np.flatnonzero(unseen)])
        notes.append(f"Columns without samples before or during the anomaly: {columns}.")


def _named(columns: list[str]) -> str:
    return ", ".join(columns[:5]) + (f" and {len(columns) - 5} more" if len(columns) > 5 else "")


def order(scored: Scored, seed: int) -> list[int]:
    """Columns by score; ties by a seeded hash of the name, never by position or alphabet."""
    ties = [zlib.crc32(f"{seed}:{one.column}".encode()) for one in scored.table.series]
    return [int(i) for i in np.lexsort((np.array(ties), -scored.score))]


def first_of_each_service(scored: Scored, ordered: list[int]) -> list[int]:
    """The strongest column of each service, in their order."""
    first: dict[int, int] = {}
    for column in ordered:
        first.setdefault(int(scored.service[column]), column)
    return list(first.values())
