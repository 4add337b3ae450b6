"""The sections of a report besides its summary, each from the findings."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from aiops.analyze import change_events
from aiops.analyze.slo import impact_of
from aiops.analyze.wording import duration, listed, number, own_signal, percent, plain
from aiops.app.alerts_explained import left_open
from aiops.app.findings import Findings, moved, path_between, size_of, times_of
from aiops.app.movement import Movement
from aiops.model import CaseData, FaultType, Suspect, Window
from aiops.model.change import Change
from aiops.model.ranking import Cleared
from aiops.model.report import (
    Impact,
    Modality,
    RootCause,
    RuledOut,
    Subject,
)
from aiops.model.slo import Slo

# Under one chance in twenty a candidate that moved is called a symptom and told why.
UNLIKELY = 0.05
MOST_RULED_OUT = 12
_BLIND_SPOTS: Final[dict[Modality, str]] = {
    "metrics": "No metrics were recorded: exhausted resources and slow requests would not show.",
    "logs": "No logs were recorded: an error that is only logged would not show.",
    "traces": "No traces were recorded: delays between services show only as far as metrics do.",
    "cluster_state": "No cluster state was recorded: evictions, failed probes and rollouts would "
    "not show.",
    "call_graph": "No call graph was given: who calls whom was not used.",
    "changes": "No change events were recorded: a deployment at the onset would not show.",
}


def subject(case: CaseData) -> Subject:
    """What was looked at, and how much of it there was."""
    window = case.window
    there: dict[Modality, bool] = {
        "metrics": window.metrics is not None and bool(window.metrics.series),
        "logs": window.logs is not None and len(window.logs.times) > 0,
        "traces": window.spans is not None and len(window.spans.starts) > 0,
        "alerts": bool(window.alerts) or case.trigger.at is not None,
        "cluster_state": bool(window.cluster_state or window.tool_outputs),
        "call_graph": window.graph is not None and bool(window.graph.calls),
        "changes": window.changes is not None,
    }
    return Subject(
        case=case.id,
        window=Window(window.start, window.end),
        relative=window.relative,
        trigger=case.trigger,
        present=tuple(name for name, is_there in there.items() if is_there),
        missing=tuple(name for name, is_there in there.items() if not is_there),
        series=len(window.metrics.series) if window.metrics is not None else 0,
        lines=len(window.logs.times) if window.logs is not None else 0,
        spans=len(window.spans.starts) if window.spans is not None else 0,
        alerts=len(window.alerts),
    )


def root_causes(findings: Findings) -> tuple[RootCause, ...]:
    """The candidates in order."""
    return tuple(
        RootCause(
            rank=rank,
            entity=suspect.entity,
            indicator=suspect.indicator,
            fault_type=suspect.fault_types[0][0] if suspect.fault_types else FaultType.UNKNOWN,
            fault_type_candidates=suspect.fault_types,
            score=suspect.score,
            confidence=suspect.confidence if findings.calibrated else None,
            evidence=suspect.evidence,
        )
        for rank, suspect in enumerate(findings.candidates, start=1)
    )


def impact(findings: Findings, slos: Sequence[Slo] = ()) -> Impact:
    """The objective that broke and how far the fault reached; budgets need an SLO's definition."""
    trigger, window = findings.case.trigger, findings.case.window
    slo = trigger.statement
    if slo is None and trigger.entity is not None:
        slo = " ".join(part for part in (trigger.entity.name, trigger.metric) if part)
    moved_services = list(findings.strongest)
    affected = None
    if findings.ranking.verdict != "healthy" and moved_services:
        affected = (
            f"{len(moved_services)} of {len(findings.services())} services moved: "
            f"{listed([plain(name) for name in moved_services], most=6)}"
        )
    began = findings.ranking.onset or trigger.at or window.start
    measured = (
        impact_of(window.metrics, slos, None, began, window.end)
        if window.metrics is not None
        else None
    )
    if measured is None:
        return Impact(slo=slo, affected=affected, budget_burnt=None)
    reached = "; ".join(part for part in (measured.affected, affected) if part)
    return replace(measured, affected=reached)


def changes(findings: Findings) -> tuple[Change, ...]:
    """What was done to the system in the window, with the evidence that came of it."""
    ids = {
        each.ref: each.id
        for each in findings.citations.items
        if each.source == change_events.SOURCE
    }
    return tuple(
        replace(one, evidence=(ids[named],) if (named := change_events.ref(one)) in ids else ())
        for one in findings.case.window.changes or ()
    )


def ruled_out(findings: Findings) -> tuple[RuledOut, ...]:
    """Who was suspected and why not: those that moved, largest movement first, then the rest."""
    if findings.ranking.verdict == "inconclusive":
        return ()
    rank = {each.entity.service_name: i for i, each in enumerate(findings.ranking.entities())}
    accused = findings.accused
    own = accused.entity.service_name if accused is not None else None
    result = []
    for service, movement in findings.strongest.items():
        place = rank.get(service)
        suspect = findings.ranking.entities()[place] if place is not None else None
        if service == own or _still_likely(findings, suspect, place):
            continue
        cleared = _cleared(findings, suspect)
        evidence = (findings.citations.of(movement), *(cleared.evidence if cleared else ()))
        result.append(
            RuledOut(
                entity=suspect.entity if suspect is not None else movement.series.entity,
                indicator=None if suspect is None else suspect.indicator,
                reason=_reason(findings, movement, suspect, place),
                evidence=evidence,
            )
        )
    moved_too = frozenset(findings.strongest)
    result += [] if accused is None else _outweighed(findings, accused, moved_too)
    return tuple(result[:MOST_RULED_OUT])


def _outweighed(
    findings: Findings, accused: Suspect, moved_too: frozenset[str]
) -> Iterator[RuledOut]:
    """Candidates with evidence but without a notable movement, and whoever is cleared."""
    claims = {item.id: item.claim for item in findings.citations.items}
    for place, suspect in enumerate(findings.ranking.entities()):
        name = suspect.entity.service_name
        shown = next((claims[ref] for ref in suspect.evidence if ref in claims), None)
        if (
            shown is None
            or name in moved_too
            or name == accused.entity.service_name
            or _still_likely(findings, suspect, place)
        ):
            continue
        cleared = _cleared(findings, suspect)
        if cleared is None and place >= findings.top:
            continue
        because = cleared.reason if cleared else _outranked(findings, suspect, place)
        refs = (*suspect.evidence, *(cleared.evidence if cleared else ()))
        yield RuledOut(
            entity=suspect.entity,
            indicator=suspect.indicator,
            reason=f"{plain(shown).rstrip('.')}, but {because}.",
            evidence=tuple(dict.fromkeys(refs)),
        )


def _cleared(findings: Findings, suspect: Suspect | None) -> Cleared | None:
    """What speaks against a suspect by itself, where anything does."""
    if suspect is None:
        return None
    same = (one for one in findings.ranking.cleared if one.entity.same_service(suspect.entity))
    return next(same, None)


def _outranked(findings: Findings, suspect: Suspect | None, place: int) -> str:
    if suspect is None or not findings.calibrated:
        return f"the method {findings.method} ranks it {place + 1}"
    return f"all evidence together gives it {percent(suspect.confidence)} (place {place + 1})"


def _still_likely(findings: Findings, suspect: Suspect | None, place: int | None) -> bool:
    if suspect is None or place is None or findings.accused is None:
        return False
    return suspect.confidence >= UNLIKELY if findings.calibrated else place < findings.top


def _reason(
    findings: Findings, movement: Movement, suspect: Suspect | None, place: int | None
) -> str:
    accused = findings.accused
    shift = f"{own_signal(movement.series.metric)} {moved(movement)}"
    shift = shift[0].upper() + shift[1:]
    if accused is None:
        return f"{shift}, but that alone is no fault."
    name = plain(accused.entity.name)
    because = []
    cleared = _cleared(findings, suspect)
    if cleared is not None:
        because.append(cleared.reason)
    graph = findings.case.window.graph
    path = path_between(graph, movement.series.entity, accused.entity)
    if len(path) == 2:
        because.append(f"it calls {name} and so feels its trouble")
    elif path:
        because.append(f"it depends on {name} through {listed([plain(p) for p in path[1:-1]])}")
    if movement.began is not None and findings.start is not None:
        gap = (movement.began - findings.start).total_seconds()
        if gap > 2 * findings.interval.total_seconds():
            because.append(f"it began {duration(gap)} after {name}")
    reference = findings.movement_of(accused)
    if reference is not None and reference.size > 1.5 * movement.size:
        because.append(_smaller(movement, reference, name))
    if place is not None and not because:
        because.append(_outranked(findings, suspect, place))
    if findings.earlier(movement):
        because.append("although it moved earlier")
    return f"{shift}, but {'; '.join(because) or 'nothing else speaks against it'}."


def _smaller(movement: Movement, reference: Movement, name: str) -> str:
    own, others = times_of(movement), times_of(reference)
    if own != others:
        return f"it shifted by {size_of(movement)}, {name} by {others}"
    times = number(reference.size / movement.size)
    return f"its shift is {times} times smaller than {name}'s, each beside its usual variation"


def unknowns(findings: Findings) -> tuple[str, ...]:
    """What was not there to be looked at, and so may hide something."""
    told = [_BLIND_SPOTS[name] for name in subject(findings.case).missing if name in _BLIND_SPOTS]
    graph = findings.case.window.graph
    if graph is not None and findings.services():
        silent = sorted({node.service_name for node in graph.nodes} - findings.services())
        if silent:
            told.append(
                f"No metrics of {listed([plain(name) for name in silent], most=6)}: the call "
                "graph knows them, but they could not be suspected."
            )
    if findings.unheard:
        names = listed([plain(name) for name in findings.unheard], most=6)
        told.append(
            f"Nothing was recorded of {names}, which alerted: a cause in there would not show, and "
            "the confidence of others does not count it."
        )
    if findings.case.trigger.at is None:
        told.append("The time of the alert is not known: the onset was looked for in all the data.")
    if findings.case.window.metrics is not None and findings.pivot and not findings.movements:
        told.append("No samples before the onset: what is ordinary here is not known.")
    return (*told, *left_open(findings))
