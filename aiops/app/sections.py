"""The sections of a report besides its summary, each from the findings."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aiops.analyze import change_events
from aiops.analyze.slo import impact_of
from aiops.analyze.wording import duration, listed, percent, plain
from aiops.app.alerts_explained import left_open
from aiops.app.findings import Findings, moved, path_between, size_of, times_of
from aiops.app.movement import Movement
from aiops.model import CaseData, FaultType, Suspect, Window
from aiops.model.change import Change
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
    """Services that moved and are judged symptoms, largest movement first, with the reason."""
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
        result.append(
            RuledOut(
                entity=suspect.entity if suspect is not None else movement.series.entity,
                indicator=None if suspect is None else suspect.indicator,
                reason=_reason(findings, movement, suspect, place),
                evidence=(findings.citations.of(movement),),
            )
        )
        if len(result) == MOST_RULED_OUT:
            break
    return tuple(result)


def _still_likely(findings: Findings, suspect: Suspect | None, place: int | None) -> bool:
    if suspect is None or place is None or findings.accused is None:
        return False
    return suspect.confidence >= UNLIKELY if findings.calibrated else place < findings.top


def _reason(
    findings: Findings, movement: Movement, suspect: Suspect | None, place: int | None
) -> str:
    accused = findings.accused
    shift = f"{plain(movement.series.metric)} {moved(movement)}"
    if accused is None:
        return f"Its {shift}, but the verdict is that this is no fault."
    name = plain(accused.entity.name)
    because = []
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
        because.append(f"it shifted by {size_of(movement)}, {name} by {times_of(reference)}")
    if place is not None and not because:
        share = f" with {percent(suspect.confidence)}" if suspect and findings.calibrated else ""
        because.append(f"the method {findings.method} ranks it {place + 1}{share}")
    if findings.earlier(movement):
        because.append("although it moved earlier")
    return f"Its {shift}, but {'; '.join(because) or 'the method does not suspect it'}."


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
