"""What an incident looked like, told without its names, so that another system's can be like it."""

import re
from collections.abc import Iterator
from typing import Final

from aiops.analyze.metric_kinds import read
from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops.model.memory import Place, Signature
from aiops.model.report import Report, RootCause

MOST_FAULTS: Final = 5
MOST_WORDS: Final = 60
_WORD = re.compile(r"[A-Za-z]{3,}")


def signature_of(report: Report) -> Signature:
    """The signature of the incident that a report is about; an empty one where it suspects nobody.

    It is made of what was found at the first candidate's service, whatever the verdict.
    """
    if not report.root_causes:
        return Signature(faults=((FaultType.UNKNOWN, 1.0),))
    first = report.root_causes[0]
    same = [one for one in report.root_causes if one.entity.same_service(first.entity)]
    cited = {each for one in same for each in one.evidence}
    # What is remembered of others is no part of how this one looks.
    evidence = [one for one in report.evidence if one.id in cited and one.kind != "incident"]
    texts = [one.claim for one in evidence]
    texts += [one.indicator.name for one in same if one.indicator is not None]
    names = {part for entity in _entities(report) for part in _words(entity.name)}
    words = {word for text in texts for word in _words(text)} - names
    return Signature(
        faults=_faults(first),
        metrics=tuple(sorted({_kind(one.indicator) for one in same if one.indicator is not None})),
        telemetry=tuple(sorted({one.kind for one in evidence})),
        words=tuple(sorted(words)[:MOST_WORDS]),
        place=_place(report, first.entity),
    )


def _faults(cause: RootCause) -> tuple[tuple[FaultType, float], ...]:
    return cause.fault_type_candidates[:MOST_FAULTS] or ((cause.fault_type, 1.0),)


def _kind(indicator: Indicator) -> str:
    return read(indicator.name).kind.value if indicator.kind == "metric" else indicator.kind


def _place(report: Report, accused: Entity) -> Place:
    spreads = any(one.source.same_service(accused) for one in report.propagation)
    suffers = any(one.target.same_service(accused) for one in report.propagation)
    if spreads:
        return "middle" if suffers else "source"
    return "end" if suffers else "alone"


def _entities(report: Report) -> Iterator[Entity]:
    yield from (one.entity for one in report.root_causes)
    yield from (one.entity for one in report.ruled_out)
    for step in report.propagation:
        yield step.source
        yield step.target


def _words(text: str) -> Iterator[str]:
    return (word.lower() for word in _WORD.findall(text))
