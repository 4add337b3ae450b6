"""The metric ranker: robust shifts at the data's own onset, weighed as causes and symptoms.

It needs nothing but metrics; a call graph and the metric the alert fired on sharpen it. What each
part is worth is printed by ``aiops eval rca --ablation``.
"""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from aiops.analyze import confidence, fault_types
from aiops.analyze.claims import Claims
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
from aiops.errors import UnknownName
from aiops.model import CaseData, Indicator, Ranking, Suspect, Verdict

EXPLAINED_SUSPECTS = 5
"""Services whose suspicion is spelled out in evidence."""
CLAIMS_PER_SUSPECT = 3


class ShiftRanker:
    """Ranks by how far each metric shifted and what such a shift accuses.

    After BARO (Pham et al., FSE 2024) and n-sigma in its scores, CIRCA (Li et al., KDD 2022) in
    weighing a node against its causes, and MicroRCA in following the alert.
    """

    name = "metrics"

    def __init__(self, parts: Parts = ALL_PARTS) -> None:
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
        return _ranking(score(case, self._parts), seed)


def _ranking(scored: Scored, seed: int) -> Ranking:
    ordered = order(scored, seed)
    strongest = first_of_each_service(scored, ordered)
    notes = list(scored.notes)
    verdict, probability = _judge(scored, strongest, notes)
    claims = Claims(scored.table, scored.shifts, scored.anomaly, scored.seen)
    cited: dict[int, tuple[str, ...]] = {}
    for column in strongest[:EXPLAINED_SUSPECTS]:
        own = [c for c in ordered if scored.service[c] == scored.service[column]]
        backing = [c for c in own if abs(scored.shifts.material[c]) >= 1 or c == column]
        cited[column] = claims.cite(backing[:CLAIMS_PER_SUSPECT])
    suspects = []
    for column in ordered:
        one = scored.table.series[column]
        suspects.append(
            Suspect(
                one.entity,
                Indicator("metric", one.metric),
                score=float(scored.score[column]),
                confidence=probability.get(column, 0.0),
                fault_types=(
                    fault_types.candidates(scored.shifts, scored.service, column)
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


def _judge(
    scored: Scored, strongest: list[int], notes: list[str]
) -> tuple[Verdict, dict[int, float]]:
    """The verdict, and the confidence of each service's strongest column."""
    presence = float(scored.presence.max(initial=0.0))
    scores = scored.score[strongest]
    probabilities = confidence.DEFAULT.of(scores)
    cap, note = confidence_cap(scored)
    if note:
        probabilities = np.minimum(probabilities, cap)
        notes.append(note)
    verdict = confidence.verdict(presence)
    return verdict, {c: float(p) for c, p in zip(strongest, probabilities, strict=True)}
