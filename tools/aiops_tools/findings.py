"""A report as a result: its verdict, causes and evidence, without what only prints."""

from datetime import datetime
from typing import Final

from aiops.analyze.wording import percent, plain
from aiops.model.report import Report
from aiops.model.tool import Unread
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table

MOST_EVIDENCE: Final = 40
MOST_EDGES: Final = 40


class Cause(Result):
    """A candidate, the most likely first; ``evidence`` are ids."""

    rank: int
    service: str
    entity: str
    kind: str
    indicator: str | None
    fault_type: str
    score: float | None
    confidence: float | None
    evidence: list[str]


class Claim(Result):
    """One piece of evidence; ``ref`` selects it in its source."""

    id: str
    kind: str
    claim: str
    source: str
    start: datetime
    end: datetime
    ref: str


class Edge(Result):
    """What happened in ``source`` reached ``target``."""

    source: str
    target: str
    relation: str
    lag_s: float | None
    evidence: list[str]


class Findings(Result):
    """What an investigation found."""

    verdict: str
    summary: str
    onset: datetime | None
    start: datetime
    end: datetime
    root_causes: list[Cause]
    propagation: list[Edge]
    evidence: list[Claim]
    changes: list[str]
    unknowns: list[str]


def findings_of(report: Report) -> Findings:
    """``report``, its longest lists cut."""
    return Findings(
        verdict=report.verdict,
        summary=report.summary,
        onset=report.onset,
        start=report.subject.window.start,
        end=report.subject.window.end,
        root_causes=[
            Cause(
                rank=one.rank,
                service=one.entity.service_name,
                entity=one.entity.name,
                kind=one.entity.kind,
                indicator=None if one.indicator is None else one.indicator.name,
                fault_type=one.fault_type.value,
                score=rounded(one.score),
                confidence=None if one.confidence is None else rounded(one.confidence),
                evidence=list(one.evidence),
            )
            for one in report.root_causes
        ],
        propagation=[
            Edge(
                source=one.source.service_name,
                target=one.target.service_name,
                relation=one.relation,
                lag_s=None if one.lag_s is None else rounded(one.lag_s),
                evidence=list(one.evidence),
            )
            for one in report.propagation[:MOST_EDGES]
        ],
        evidence=[
            Claim(
                id=one.id,
                kind=one.kind,
                claim=plain(one.claim),
                source=one.source,
                start=one.window.start,
                end=one.window.end,
                ref=plain(one.ref),
            )
            for one in report.evidence[:MOST_EVIDENCE]
        ],
        changes=[f"{one.at.isoformat()} {plain(one.description)}" for one in report.changes],
        unknowns=list(report.unknowns),
    )


def summary_of(report: Report) -> str:
    """``report`` in words and two tables."""
    causes = table(
        ("rank", "service", "indicator", "fault", "confidence", "evidence"),
        (
            (
                one.rank,
                one.entity.service_name,
                None if one.indicator is None else one.indicator.name,
                one.fault_type.value,
                None if one.confidence is None else percent(one.confidence),
                ", ".join(one.evidence),
            )
            for one in report.root_causes
        ),
    )
    evidence = table(
        ("id", "claim"), ((one.id, one.claim) for one in report.evidence[:MOST_EVIDENCE])
    )
    return paragraphs(f"{report.verdict}: {report.summary}", causes, evidence)


def unread_of(report: Report) -> tuple[Unread, ...]:
    """The steps that failed, and what was cut."""
    cut = (
        (len(report.evidence) - MOST_EVIDENCE, "pieces of evidence"),
        (len(report.propagation) - MOST_EDGES, "edges of propagation"),
    )
    return (
        *(Unread(one.step, one.reason) for one in report.failed_steps),
        *(
            Unread(f"{more} {what}", "the report has more than are answered")
            for more, what in cut
            if more > 0
        ),
    )
