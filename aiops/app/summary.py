"""Two to four plain sentences: what broke, how it spread, how sure we are, what would refute it."""

from collections.abc import Sequence

from aiops.analyze.wording import bare_signal, duration, fault, listed, own_signal, percent, plain
from aiops.app.findings import Findings, moved, size_of, subject_of
from aiops.app.movement import Movement
from aiops.model import FaultType, Suspect

_NOT_A_SERVICE = frozenset({"node", "namespace"})
"""Kinds whose names alone read like a service's."""


def summarise(findings: Findings) -> str:
    """The summary of a report. "[E1]" cites; "(inferred)" ends what no evidence backs."""
    accused = findings.accused
    if accused is not None:
        sentences = [
            _accusation(findings, accused),
            _spread(findings),
            _certainty(findings, accused),
            _refutation(findings, accused),
        ]
    elif findings.ranking.verdict == "healthy":
        sentences = [_healthy(findings), _largest(findings)]
    else:
        sentences = [_inconclusive(findings), _largest(findings)]
    return " ".join(sentence for sentence in sentences if sentence)


def cited(ids: Sequence[str]) -> str:
    """ " [E1, E4]", or " (inferred)" where there is nothing to cite."""
    return f" [{', '.join(ids)}]" if ids else " (inferred)"


def _accusation(findings: Findings, accused: Suspect) -> str:
    kind = accused.fault_types[0][0] if accused.fault_types else FaultType.UNKNOWN
    kept_apart = accused.entity.kind in _NOT_A_SERVICE
    what = f"The {accused.entity.kind} " if kept_apart else ""
    cause = f"{what}{plain(accused.entity.name)} is the most likely root cause"
    if kind is not FaultType.UNKNOWN:
        cause += f" (fault type: {fault(kind)})"
    movement = findings.movement_of(accused)
    if movement is not None:
        shift = f"{moved(movement)}{_when(findings, movement)}"
        signal = f"{own_signal(movement.series.metric)} {shift}"
        return f"{cause}: {signal}{cited([findings.citations.of(movement)])}."
    claims = {item.id: item.claim for item in findings.citations.items}
    shown = next((claims[each] for each in accused.evidence if each in claims), None)
    if shown is not None:
        return f"{cause}. {plain(shown).rstrip('.')}{cited(accused.evidence)}."
    signal = f": see its {plain(accused.indicator.name)}" if accused.indicator is not None else ""
    return f"{cause}{signal}{cited(accused.evidence)}."


def _when(findings: Findings, movement: Movement) -> str:
    moment = movement.began or findings.ranking.onset
    if moment is None:
        return ""
    alert = findings.case.trigger.at
    offset = f", {findings.times.offset(moment, alert, 'the alert')}" if alert else ""
    return f" at {findings.times.at(moment)}{offset}"


def _spread(findings: Findings) -> str:
    if not findings.movements or len(findings.services()) < 2:
        return ""
    # Only what followed can have been caused; what moved earlier is said in the refutation.
    after = [each for each in findings.others if each.began and not findings.earlier(each)]
    if not after:
        return "No other service moved beyond its usual variation (inferred)."
    names = [_place(each, findings) for each in after]
    ids = [findings.citations.of(each) for each in after[:3]]
    others = len(findings.services()) - 1
    share = f"{len(after)} of the {others} other services"
    if len(after) >= others:
        share = f"All {others} other services" if others > 1 else "The other service"
    return f"{share} moved with it or after it: {listed(names, most=3)}{cited(ids)}."


def _place(movement: Movement, findings: Findings) -> str:
    series = movement.series
    gap = (
        (movement.began - findings.start).total_seconds()
        if movement.began and findings.start
        else 0
    )
    lag = f", +{duration(gap)}" if gap > 0 else ""
    return f"{plain(series.entity.service_name)} ({bare_signal(series.metric)}{lag})"


def _certainty(findings: Findings, accused: Suspect) -> str:
    if not findings.calibrated:
        return f"The method {findings.method} gives no probability{_unheard(findings)}."
    sure = f"Confidence is {percent(accused.confidence)}"
    if len(findings.candidates) > 1:
        second = findings.candidates[1]
        sure += (
            f"; the next candidate, {plain(second.entity.name)}, has {percent(second.confidence)}"
        )
    return f"{sure}{_unheard(findings)}."


def _unheard(findings: Findings) -> str:
    if not findings.unheard:
        return ""
    names = listed([plain(name) for name in findings.unheard], most=3)
    return f", in what was recorded: nothing was of {names}, which alerted"


def _refutation(findings: Findings, accused: Suspect) -> str:
    earlier = [each for each in findings.others if findings.earlier(each)]
    if earlier:
        ids = [findings.citations.of(each) for each in earlier[:3]]
        names = listed([subject_of(each) for each in earlier], most=3)
        return f"Against it stands that {names} moved earlier{cited(ids)}."
    movement = findings.movement_of(accused)
    if movement is None:
        return ""
    return (
        f"It would be refuted if {subject_of(movement)} went back to its baseline while the "
        "symptoms stayed (inferred)."
    )


def _healthy(findings: Findings) -> str:
    table = findings.case.window.metrics
    count = len(table.series) if table is not None else 0
    window = findings.case.window
    looked_at = (
        f"the {count} series of {len(findings.services())} services" if count else "the data"
    )
    return (
        f"No fault found: nothing in {looked_at} changed in the way of a fault between "
        f"{findings.times.at(window.start)} and {findings.times.at(window.end)} (inferred)."
    )


def _inconclusive(findings: Findings) -> str:
    if not findings.ranking.suspects:
        return "Inconclusive: no cause could be ranked (inferred)."
    names = listed([plain(each.entity.name) for each in findings.candidates], most=3)
    ids = [suspect.evidence[0] for suspect in findings.candidates[:3] if suspect.evidence]
    return f"Inconclusive: the data single out no cause; first to look at: {names}{cited(ids)}."


def _largest(findings: Findings) -> str:
    if not findings.movements:
        return ""
    first = findings.movements[0]
    return (
        f"The largest shift is that of {subject_of(first)}, which {moved(first)} "
        f"({size_of(first)})"
        f"{cited([findings.citations.of(first)])}."
    )
