"""What every investigation is made of: rank, explain, check the evidence, write it down."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from aiops.app import sections
from aiops.app.alerts_explained import alerts_explained
from aiops.app.evidence import EvidenceLost, resolve
from aiops.app.findings import Citations, Findings
from aiops.app.summary import summarise
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Ranking
from aiops.model.alert import Alert
from aiops.model.report import Agreement, FailedStep, Report, Timings
from aiops.model.run import Collected, Shortlist
from aiops.model.slo import Slo
from aiops.ports.analyzer import Analyzer


class Explain(Protocol):
    """Adds propagation and its evidence to a ranking; never changes the order of suspects."""

    def __call__(self, case: CaseData, ranking: Ranking, *, seed: int = 0) -> Ranking:
        """Raises AnalysisFailed where the case gives nothing to explain it with."""
        ...


@dataclass(frozen=True, slots=True)
class CaseInquiry:
    """An Inquiry over telemetry that whoever asks brings along; see ``ports.inquiry``.

    Attributes:
        gather: the telemetry as of a moment.
        analyzer: ranks the suspects.
        explain: adds propagation; None: the report has none.
        slos: objectives that say what the incident did to users.
        alerts: of the incident; the report says which of them the cause explains.
        seed: for the analyzer and the explanation.
        top: how many candidates to list.
        clock: seconds; injected for replays.
    """

    gather: Callable[[datetime], Collected]
    analyzer: Analyzer
    explain: Explain | None = None
    slos: Sequence[Slo] = ()
    alerts: tuple[Alert, ...] = ()
    seed: int = 0
    top: int = 5
    clock: Callable[[], float] = time.perf_counter

    def collect(self, at: datetime) -> Collected:
        """See Inquiry."""
        return self.gather(at)

    def shortlist(self, case: CaseData) -> Shortlist:
        """Rank, explain, check the evidence; without a ranking the verdict is "inconclusive"."""
        steps = _Steps(self.clock)
        ranking = steps.run("rank", lambda: self.analyzer.rank(case, seed=self.seed))
        if ranking is None:
            ranking = Ranking(verdict="inconclusive", suspects=())
        ranking = _backed(case, _checked(case, ranking, steps), self.analyzer.name, self.top)
        if self.explain is not None and ranking.verdict != "healthy":
            found, explainer = ranking, self.explain
            explained = steps.run("explain", lambda: explainer(case, found, seed=self.seed))
            ranking = _checked(case, explained, steps) if explained is not None else ranking
        return Shortlist(ranking, tuple(steps.failed), tuple(steps.taken))

    def report(self, case: CaseData, shortlist: Shortlist) -> Report:
        """Write it down."""
        ranking = shortlist.ranking
        citations = Citations(ranking.evidence)
        findings = Findings(case, ranking, self.analyzer.name, self.top, citations, self.alerts)
        return _written(findings, shortlist.failed, self.slos)


def investigate(
    case: CaseData,
    analyzer: Analyzer,
    *,
    explain: Explain | None = None,
    slos: Sequence[Slo] = (),
    alerts: Sequence[Alert] = (),
    seed: int = 0,
    top: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> Report:
    """Rank, explain and write down, without agents; see CaseInquiry for the arguments.

    A step that fails is named in the report's ``failed_steps`` and the report is still made;
    without a ranking its verdict is "inconclusive".
    """
    began = clock()
    inquiry = CaseInquiry(
        lambda _: Collected(case), analyzer, explain, slos, tuple(alerts), seed, top, clock
    )
    found = inquiry.shortlist(case)
    report = inquiry.report(case, found)
    total = clock() - began
    wrote = total - sum(seconds for _, seconds in found.seconds)
    return replace(report, timings=Timings(total, (*found.seconds, ("write", wrote))))


def _backed(case: CaseData, ranking: Ranking, method: str, top: int) -> Ranking:
    """The ranking with evidence for each candidate of which the method only gave a score."""
    findings = Findings(case, ranking, method, top, Citations(ranking.evidence))
    bare = {suspect: findings.movement_of(suspect) for suspect in findings.candidates}
    suspects = tuple(
        replace(each, evidence=(findings.citations.of(movement),))
        if not each.evidence and (movement := bare.get(each)) is not None
        else each
        for each in ranking.suspects
    )
    return replace(ranking, suspects=suspects, evidence=findings.citations.items)


class _Steps:
    """Runs steps, times them, and remembers which failed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.failed: list[FailedStep] = []
        self.taken: list[tuple[str, float]] = []
        self._clock = clock

    def run(self, name: str, step: Callable[[], Ranking]) -> Ranking | None:
        began = self._clock()
        try:
            return step()
        except AnalysisFailed as failure:
            self.failed.append(FailedStep(name, str(failure)))
        except (ArithmeticError, LookupError, ValueError) as failure:
            # What numerical code of third parties raises on data it did not expect. The report
            # is worth more than the traceback, but the reader must learn that it is a defect.
            reason = f"unexpected {type(failure).__name__}: {failure}"
            self.failed.append(FailedStep(name, reason))
        finally:
            self.taken.append((name, self._clock() - began))
        return None


def _checked(case: CaseData, ranking: Ranking, steps: _Steps) -> Ranking:
    """The ranking without evidence that points at nothing, and without references to it."""
    kept = []
    for item in ranking.evidence:
        try:
            resolve(case, item)
        except EvidenceLost as failure:
            steps.failed.append(FailedStep("evidence", str(failure)))
        else:
            kept.append(item)
    known = {item.id for item in kept}

    def known_only(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in ids if each in known)

    return replace(
        ranking,
        evidence=tuple(kept),
        suspects=tuple(
            replace(each, evidence=known_only(each.evidence)) for each in ranking.suspects
        ),
        propagation=tuple(
            replace(each, evidence=known_only(each.evidence)) for each in ranking.propagation
        ),
    )


def _written(findings: Findings, failed: tuple[FailedStep, ...], slos: Sequence[Slo]) -> Report:
    case, ranking = findings.case, findings.ranking
    summary = summarise(findings)
    if not ranking.suspects and failed:
        summary = f"Inconclusive: the ranking failed ({failed[0].reason})."
    first = findings.candidates[0] if findings.candidates else None
    opinion = f"{findings.method}: {ranking.verdict}"
    if first is not None:
        signal = f" ({first.indicator.name})" if first.indicator is not None else ""
        opinion += f", {first.entity.name}{signal} first"
    causes, alerts = sections.root_causes(findings), alerts_explained(findings)
    ruled_out, unknown = sections.ruled_out(findings), sections.unknowns(findings)
    return Report(
        subject=sections.subject(case),
        verdict=ranking.verdict,
        summary=summary,
        onset=ranking.onset,
        impact=sections.impact(findings, slos),
        root_causes=causes,
        propagation=ranking.propagation,
        # Last: the sections above may have added to it.
        evidence=findings.citations.items,
        changes=sections.changes(findings),
        alerts_explained=alerts,
        ruled_out=ruled_out,
        unknowns=unknown,
        notes=tuple(dict.fromkeys(case.notes + ranking.notes)),
        failed_steps=failed,
        agreement=Agreement(statistics=opinion),
        timings=Timings(0.0),
    )
