"""Reads an alert list into typed hypotheses: who, which fault, and the alerts that say so."""

import math
from collections.abc import Sequence

from aiops.analyze.alerts.fault_signs import fault_of
from aiops.analyze.alerts.graph import Incident, Place, lay_out
from aiops.analyze.alerts.label_free import Finding, findings
from aiops.analyze.wording import listed, plain
from aiops.model import (
    CaseData,
    Entity,
    Episode,
    Evidence,
    FaultType,
    Hypothesis,
    Indicator,
    Reading,
    Window,
)
from aiops.model.entity import IndicatorKind

FLOOR = 0.5
"""Weighed alerts under which a candidate is not suspected: one alert that every second candidate
raises too weighs as much."""
TELLING = 0.6
"""How telling alerts are, 0 to 1: somebody's thresholds decided that they fired, and what they
measured is not seen."""
LEADING = 5
"""Candidates suspected at most: an alert list names everybody who felt the incident."""
FAULTS_EACH = 2
"""Faults suspected of one candidate at most."""
RIVAL_FAULT = 0.5
"""Share of a candidate's weightiest fault from which a second one is worth a hypothesis."""
CITED = 3
"""Findings cited per hypothesis."""
HOST_SHARE = 0.5
"""Share of the candidates on one machine that must alert before the machine is suspected."""
LEAST_TENANTS = 3
"""Candidates on a machine under which their alerting together is chance."""


class AlertReader:
    """Raises hypotheses from recorded or live alerts; needs no labels and no history."""

    name = "alerts"
    modality = "alerts"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:  # noqa: ARG002
        """See Reader.read. The list has no times, so the whole of it is about the episode."""
        if not case.window.alerts:
            return Reading(missing=True)
        incident = lay_out(case.window)
        window = Window(case.window.start, case.window.end)
        weighed = sorted(
            zip(incident.places, findings(incident), strict=True),
            key=lambda pair: (-_total(pair[1]), pair[0].entity.kind, pair[0].entity.name),
        )
        raised = [
            hypothesis
            for place, found in weighed[:LEADING]
            for hypothesis in _suspected(incident, place, found, window)
        ]
        raised += _machines(incident, window)
        return Reading(tuple(raised), notes=incident.notes)


def _total(found: Sequence[Finding]) -> float:
    return sum(finding.weight for finding in found)


def _suspected(
    incident: Incident, place: Place, found: Sequence[Finding], window: Window
) -> list[Hypothesis]:
    """The faults of one candidate. Its whole weight backs the likeliest: signs of one incident."""
    total = _total(found)
    by_fault: dict[FaultType, list[Finding]] = {}
    for finding in found:
        if finding.weight > 0:
            by_fault.setdefault(finding.fault, []).append(finding)
    if total < FLOOR or not by_fault:
        return []
    together = fault_of(found)
    backing = by_fault.pop(together, None) or [f for f in found if f.weight > 0]
    heaviest = _total(backing)
    rivals = sorted(by_fault.items(), key=lambda item: (-_total(item[1]), item[0]))
    against = tuple(_evidence(place, f, window) for f in found if f.weight < 0)
    hypotheses = []
    for fault, signs in [(together, backing), *rivals][:FAULTS_EACH]:
        share = min(1.0, _total(signs) / heaviest)
        if share < RIVAL_FAULT:
            break
        size = total * share
        hypotheses.append(
            Hypothesis(
                entity=place.entity,
                fault=fault,
                kind=_KINDS.get(fault, "alerts_of_its_own"),
                size=size,
                unit="weighed alerts",
                floor=FLOOR,
                strength=TELLING * math.log1p(size / FLOOR),
                indicator=_indicator(signs[0]),
                support=tuple(_evidence(place, f, window) for f in signs[:CITED]),
                against=against,
                refuted_by=_REFUTATIONS.get(fault, _REFUTATION),
                explains=_callers(incident, place),
            )
        )
    return hypotheses


_KINDS = {
    FaultType.CPU: "own_cpu_alerts",
    FaultType.MEMORY: "own_memory_alerts",
    FaultType.DISK: "own_disk_alerts",
    FaultType.CRASH: "fell_silent",
    FaultType.POD_KILL: "started_anew",
    FaultType.NETWORK_LOSS: "cut_off",
    FaultType.NETWORK_DELAY: "slow_to_its_callers",
    FaultType.ERROR: "fails_its_callers",
    FaultType.LATENCY: "slow_requests",
    FaultType.UNKNOWN: "alerts_of_its_own",
}
_REFUTATION = "Its usual readings over the whole episode, or an earlier fault elsewhere."
_REFUTATIONS = {
    FaultType.CRASH: "Requests and packets that it sent throughout the episode.",
    FaultType.POD_KILL: "A process that ran on through the whole episode.",
    FaultType.NETWORK_LOSS: "Requests and packets that it sent throughout the episode.",
    FaultType.CPU: "Processor use at its usual level during the episode.",
    FaultType.MEMORY: "Memory use at its usual level during the episode.",
    FaultType.DISK: "Disk use at its usual level during the episode.",
}


_INDICATORS: dict[str, IndicatorKind] = {"log": "log_template", "trace": "operation"}


def _indicator(finding: Finding) -> Indicator:
    first = finding.alerts[0]
    return Indicator(_INDICATORS.get(first.modality, "metric"), first.name)


def _evidence(place: Place, finding: Finding, window: Window) -> Evidence:
    """An alert as evidence: its ref is the alert's name, by which it is found again."""
    names = sorted({plain(alert.name)[:60] for alert in finding.alerts})
    twins = len(place.siblings)
    others = finding.holders - 1
    company = (
        "no other entity shows this"
        if others == 0
        else f"{others} other {'entity shows' if others == 1 else 'entities show'} the same"
    )
    replica = f"; it has {twins} other replica{'s' if twins > 1 else ''}" if twins else ""
    return Evidence(
        id="",
        kind="event",
        claim=(
            f"{plain(place.entity.name)}: {finding.sign} ({len(finding.alerts)} "
            f"alert{'s' if len(finding.alerts) > 1 else ''}: {listed(names)}); {company}{replica}."
        ),
        source="alerts",
        window=window,
        ref=finding.alerts[0].name or place.entity.name,
    )


def _callers(incident: Incident, place: Place) -> tuple[Entity, ...]:
    """Those whose calls into it alerted: their trouble follows from its."""
    known = {other.entity for other in incident.places}
    callers = {
        alert.peer for alert in place.incoming if alert.peer is not None and alert.peer in known
    }
    return tuple(sorted(callers, key=lambda e: (e.kind, e.name)))


def _machines(incident: Incident, window: Window) -> list[Hypothesis]:
    """Machines that alert themselves while most of what runs on them does too."""
    raised = []
    for host, alerts in incident.hosts:
        tenants = [place for place in incident.places if place.host == host]
        troubled = [place for place in tenants if place.own]
        if len(tenants) < LEAST_TENANTS or len(troubled) < HOST_SHARE * len(tenants):
            continue
        size = len(troubled) / len(tenants)
        raised.append(
            Hypothesis(
                entity=host,
                fault=FaultType.NODE,
                kind="machine_and_its_tenants_alert",
                size=size,
                unit="probability",
                floor=HOST_SHARE,
                strength=TELLING * math.log1p(size / HOST_SHARE),
                indicator=Indicator("metric", alerts[0].name),
                support=(
                    Evidence(
                        id="",
                        kind="event",
                        claim=f"{plain(host.name)}: {len(alerts)} alerts of its own, and "
                        f"{len(troubled)} of the {len(tenants)} entities on it alert.",
                        source="alerts",
                        window=window,
                        ref=host.name,
                    ),
                ),
                refuted_by="The same trouble of entities on other machines.",
                explains=tuple(place.entity for place in troubled),
            )
        )
    return raised
