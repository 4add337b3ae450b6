"""Metrics as hypotheses: the scores of the metric ranker in nats above the usual variation.

The order among metrics is that of the ranker, with all its rules. Its level is physical: the
strongest shift counts as many nats as it passed its own floor, whatever the scale-free scores say,
so that surprising but immaterial shifts cannot outshout a log or a trace that shows the fault.
"""

from dataclasses import replace

from aiops.analyze.claims import Claims
from aiops.analyze.fault_types import of_kind
from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.metric_scores import (
    ALL_PARTS,
    PARTS,
    Parts,
    Scored,
    confidence_cap,
    first_of_each_service,
    order,
    score,
)
from aiops.analyze.vanished import vanished
from aiops.errors import AnalysisFailed, UnknownName
from aiops.model import CaseData, Episode, Evidence, Hypothesis, Indicator, Reading

CITED = 10
"""Services whose shifts are put into words."""
SENTENCES = 3
"""Sentences a service."""
_NAMES = {MetricKind.SUCCESS: "failures", MetricKind.ERRORS: "errors"}
MOVED = 1.0
"""Usual variations a further metric of a service must have moved to be worth a sentence."""


class MetricReader:
    """Reads the metric table."""

    name = "metrics"
    modality = "metrics"

    def __init__(self, parts: Parts = ALL_PARTS) -> None:
        self._parts = parts

    def without(self, part: str) -> "MetricReader":
        """This reader with one rule off; raises UnknownName."""
        if part not in PARTS:
            raise UnknownName("part", part, PARTS)
        return MetricReader(replace(self._parts, **{part: False}))

    @property
    def complete(self) -> bool:
        """Whether no rule is off."""
        return self._parts == ALL_PARTS

    def read(
        self, case: CaseData, episode: Episode, *, seed: int = 0, scored: Scored | None = None
    ) -> Reading:
        """One hypothesis a column and a vanished service; see Reader.read.

        Args:
            scored: the scores that showed the episode, where they are at hand.
        """
        stopped = vanished(case, episode) if self._parts.vanished else ()
        if scored is None or self._parts != ALL_PARTS:
            # Without re-anchoring there is no common episode: the alert is taken at its word.
            within = episode if self._parts.reanchor else None
            try:
                scored = score(case, self._parts, within)
            except AnalysisFailed as nothing:
                recorded = case.window.metrics is not None
                said = (f"Metrics: {nothing}.",) if recorded else ()
                return Reading(stopped, missing=not stopped, notes=said)
        ordered = order(scored, seed)
        top = float(scored.score.max(initial=0.0))
        level = float(scored.presence.max(initial=0.0)) / top if top > 0 else 0.0
        support = _support(scored, ordered)
        cap, why = confidence_cap(scored)
        shifted = tuple(_hypothesis(scored, column, level, support) for column in ordered)
        notes = (*scored.notes, why) if why else scored.notes
        return Reading((*stopped, *shifted), notes=notes, most_confidence=cap)


def _hypothesis(
    scored: Scored, column: int, level: float, support: dict[int, tuple[Evidence, ...]]
) -> Hypothesis:
    one, kind = scored.table.series[column], scored.shifts.kinds[column]
    verb = "rose" if scored.shifts.moved[column] >= 0 else "fell"
    return Hypothesis(
        entity=one.entity,
        fault=of_kind(kind),
        kind=f"{_NAMES.get(kind, kind.value)}_{verb}",
        size=abs(float(scored.shifts.material[column])),
        unit="variations",
        floor=1.0,
        strength=float(scored.score[column]) * level,
        indicator=Indicator("metric", one.metric),
        support=support.get(column, ()),
        refuted_by=f"{one.metric} of {one.entity.name} is back at its baseline, symptoms are not",
    )


def _support(scored: Scored, ordered: list[int]) -> dict[int, tuple[Evidence, ...]]:
    """Sentences for the strongest column of each leading service: its own and its next ones'."""
    claims = Claims(scored.table, scored.shifts, scored.anomaly, scored.seen)
    support = {}
    for first in first_of_each_service(scored, ordered)[:CITED]:
        own = [c for c in ordered if scored.service[c] == scored.service[first]]
        telling = [c for c in own if c == first or abs(scored.shifts.material[c]) >= MOVED]
        support[first] = claims.of(telling[:SENTENCES])
    return support
