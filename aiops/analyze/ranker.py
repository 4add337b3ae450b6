"""The default analyzer: robust shifts at the data's own onset, weighed as causes and symptoms.

It needs nothing but metrics; a call graph and the metric the alert fired on sharpen it. What each
part is worth is printed by ``aiops eval rca --ablation``.
"""

import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from aiops.analyze import confidence, fault_types, onset, shifts, suspicion, symptom_paths
from aiops.analyze.claims import Claims
from aiops.analyze.columns import bridge_gaps
from aiops.analyze.samples import averaged, by_name
from aiops.errors import AnalysisFailed, UnknownName
from aiops.model import CaseData, Indicator, MetricTable, Ranking, Suspect, Verdict
from aiops.model.telemetry import FloatArray

MOST_ROWS = 2400
"""Longer windows are averaged down to this many rows: medians of minutes lose nothing to it."""
LEAST_ROWS_AFTER = 60
"""Rows after the alert that averaging down leaves, or it averages less."""
EXPLAINED_SUSPECTS = 5
"""Services whose suspicion is spelled out in evidence."""
CLAIMS_PER_SUSPECT = 3
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
    calls: bool = True
    alert_metric: bool = True


PARTS = tuple(Parts.__dataclass_fields__)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """One case's arithmetic: (m,) arrays over the columns of ``table``."""

    table: MetricTable
    anomaly: onset.Anomaly
    shifts: shifts.Shifts
    score: FloatArray
    presence: FloatArray
    service: npt.NDArray[np.intp]
    seen: npt.NDArray[np.bool_]


class ShiftRanker:
    """Ranks by how far each metric shifted and what such a shift accuses.

    After BARO (Pham et al., FSE 2024) and n-sigma in its scores, CIRCA (Li et al., KDD 2022) in
    weighing a node against its causes, and MicroRCA in following the alert.
    """

    name = "aiops"

    def __init__(self, parts: Parts = Parts()) -> None:
        self._parts = parts

    def without(self, part: str) -> "ShiftRanker":
        """This ranker with one rule off; raises UnknownName."""
        if part not in PARTS:
            raise UnknownName("part", part, PARTS)
        ranker = ShiftRanker(replace(self._parts, **{part: False}))
        ranker.name = f"{self.name}/no-{part}"
        return ranker

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        """The suspects of ``case``; see Analyzer.rank.

        Raises:
            AnalysisFailed: there are no metrics, or under two rows of them.
        """
        table = case.window.metrics
        if table is None or not table.series:
            raise AnalysisFailed("no metrics were recorded, and this method reads nothing else")
        if len(table.times) < 2:
            raise AnalysisFailed(
                f"{table.source}: {len(table.times)} rows have no before and after; "
                "widen the window"
            )
        notes: list[str] = []
        scored = self._score(case, table, notes)
        return _ranking(scored, seed, notes)

    def _score(self, case: CaseData, table: MetricTable, notes: list[str]) -> _Scored:
        parts = self._parts
        alert = case.trigger.at.timestamp() if case.trigger.at is not None else None
        table, gaps = _usable(_shortened(table, alert, notes), notes)
        series, kinds = table.series, shifts.kinds_of(table.series)
        values = table.values
        shifts.failures(values, kinds, series)
        alerted = symptom_paths.alert_column(series, case.trigger) if parts.alert_metric else None
        signal = None if alerted is None else values[:, alerted]
        anomaly = (
            onset.locate(table.times, values, alert, signal)
            if parts.reanchor
            else onset.at_alert(table.times, alert)
        )
        seen = _seen(gaps, anomaly)
        _hold_still(table, ~seen, notes)
        moved = shifts.measure(values, series, kinds, anomaly, fleet=parts.fleet_floor)
        weight = suspicion.weights(series, kinds) if parts.kinds else np.ones(len(series))
        service = suspicion.services_of(series)

        presence = weight * np.log1p(suspicion.upward(moved.material, kinds))
        score = suspicion.strengths(moved, weight, scale_free=parts.scale_free) * weight
        if parts.calls and case.window.graph is not None:
            score = score * symptom_paths.unexplained(series, moved, case.window.graph)
        if alerted is not None:
            relevance = symptom_paths.relevance(values, anomaly, moved, alerted)
            score, presence = score * relevance, presence * (relevance > 0)
        if parts.corroboration:
            score = suspicion.corroborated(score, kinds, service)
        if parts.memory_first:
            score = suspicion.memory_first(score, moved, service)
        return _Scored(table, anomaly, moved, score, presence, service, seen)


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


def _ranking(scored: _Scored, seed: int, notes: list[str]) -> Ranking:
    order = _order(scored, seed)
    strongest = _first_of_each_service(scored, order)
    verdict, probability = _judge(scored, strongest, notes)
    claims = Claims(scored.table, scored.shifts, scored.anomaly, scored.seen)
    cited: dict[int, tuple[str, ...]] = {}
    for column in strongest[:EXPLAINED_SUSPECTS]:
        own = [c for c in order if scored.service[c] == scored.service[column]]
        backing = [c for c in own if abs(scored.shifts.material[c]) >= 1 or c == column]
        cited[column] = claims.cite(backing[:CLAIMS_PER_SUSPECT])
    suspects = []
    for column in order:
        one = scored.table.series[column]
        suspects.append(
            Suspect(
                one.entity,
                Indicator("metric", one.metric),
                score=float(scored.score[column]),
                confidence=probability.get(column, 0.0),
                fault_types=(
                    fault_types.candidates(scored.shifts, scored.table.series, column)
                    if column in cited
                    else ()
                ),
                evidence=cited.get(column, ()),
            )
        )
    began = datetime.fromtimestamp(float(scored.table.times[scored.anomaly.first]), UTC)
    return Ranking(
        verdict,
        tuple(suspects),
        onset=began if verdict == "root_cause" or scored.anomaly.found else None,
        evidence=claims.evidence,
        notes=tuple(notes),
    )


def _order(scored: _Scored, seed: int) -> list[int]:
    """Columns by score; ties by a seeded hash of the name, never by position or alphabet."""
    ties = [zlib.crc32(f"{seed}:{one.column}".encode()) for one in scored.table.series]
    return [int(i) for i in np.lexsort((np.array(ties), -scored.score))]


def _first_of_each_service(scored: _Scored, order: list[int]) -> list[int]:
    first: dict[int, int] = {}
    for column in order:
        first.setdefault(int(scored.service[column]), column)
    return list(first.values())


def _judge(
    scored: _Scored, strongest: list[int], notes: list[str]
) -> tuple[Verdict, dict[int, float]]:
    """The verdict, and the confidence of each service's strongest column."""
    presence = float(scored.presence.max(initial=0.0))
    scores = scored.score[strongest]
    probabilities = confidence.DEFAULT.of(scores)
    before, during = scored.anomaly.first, scored.anomaly.end - scored.anomaly.first
    if before < FEW_ROWS:
        probabilities = np.minimum(probabilities, GUESSED_CONFIDENCE)
        notes.append(
            f"Only {before} rows before the anomaly: what variation is usual is a guess, so "
            f"confidence is capped at {GUESSED_CONFIDENCE:.0%}."
        )
    elif during < FEW_ROWS:
        probabilities = np.minimum(probabilities, FLEETING_CONFIDENCE)
        notes.append(
            f"Only {during} rows of the anomaly: it may be a passing spike, so confidence is "
            f"capped at {FLEETING_CONFIDENCE:.0%}."
        )
    verdict = confidence.verdict(presence)
    return verdict, {c: float(p) for c, p in zip(strongest, probabilities, strict=True)}
