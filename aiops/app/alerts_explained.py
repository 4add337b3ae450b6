"""Which alerts of an incident the cause accounts for, how, and which it leaves open.

An alert is explained where it is about the accused, calls lead from its service to the accused, or
the fault was seen to spread there; one that fired before the cause began is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiops.analyze.wording import listed, plain
from aiops.app.findings import Findings, moved, path_between, subject_of
from aiops.app.incidents import wording
from aiops.app.surroundings import is_of_a_service
from aiops.model import Entity, Suspect
from aiops.model.alert import Alert
from aiops.model.report import AlertExplained

MOST = 50
"""Alerts listed; a storm of one kind on one service counts once."""
SOON: Final = timedelta(minutes=1)
"""By less an alert may seem to precede its cause: clocks differ, and onsets are estimates."""


@dataclass(frozen=True, slots=True)
class _Fired:
    """Alerts of one kind on one entity; ``at`` is when the first fired, where known."""

    label: str
    at: datetime | None
    entity: Entity | None


def alerts_explained(findings: Findings) -> tuple[AlertExplained, ...]:
    """The alerts that the accused accounts for, in order of time.

    Of an incident whose alerts are not known, the trigger.
    """
    accused, trigger = findings.accused, findings.case.trigger
    if accused is None:
        return ()
    if findings.alerts:
        fired = [one for one in _fired(findings.alerts) if _is_explained(findings, accused, one)]
        return tuple(_explained(findings, accused, one) for one in fired[:MOST])
    if trigger.at is None and trigger.entity is None:
        return ()
    label = " ".join(
        plain(part)
        for part in (trigger.entity.name if trigger.entity else None, trigger.metric)
        if part
    )
    label = (trigger.statement or "").rstrip(".") or label or "The alert"
    return (_explained(findings, accused, _Fired(label, trigger.at, trigger.entity)),)


def left_open(findings: Findings) -> tuple[str, ...]:
    """A sentence on the alerts that the accused does not account for, where there are any."""
    accused = findings.accused
    if accused is None:
        return ()
    open_ = [
        one.label for one in _fired(findings.alerts) if not _is_explained(findings, accused, one)
    ]
    told = (
        f"{plain(accused.entity.name)} does not explain {listed(open_, most=6)}: no call or spread "
        "of the fault connects them with it, or they fired before it began."
    )
    return (told,) if open_ else ()


def _fired(alerts: Iterable[Alert]) -> list[_Fired]:
    kinds: dict[tuple[str, Entity | None], list[Alert]] = {}
    for alert in alerts:
        entity = alert.entity
        about = None if entity is None else Entity("service", entity.service_name)
        kinds.setdefault((alert.name, about), []).append(alert)
    found = []
    for same in kinds.values():
        first = min(same, key=lambda alert: alert.starts_at)
        count = f" ({len(same)} alerts)" if len(same) > 1 else ""
        found.append(_Fired(wording.subject_of(first) + count, first.starts_at, first.entity))
    return sorted(found, key=lambda one: (one.at is None, one.at, one.label))


def _is_explained(findings: Findings, accused: Suspect, fired: _Fired) -> bool:
    if fired.at is not None and findings.start is not None:
        began = min(findings.start, findings.pivot or findings.start)
        if fired.at < began - max(SOON, 2 * findings.interval):
            return False
    if fired.entity is None or not is_of_a_service(fired.entity):
        return True  # It says nothing that could speak against it.
    return (
        fired.entity.service_name == accused.entity.service_name
        or bool(path_between(findings.case.window.graph, fired.entity, accused.entity))
        or fired.entity.service_name in _reached(findings, accused)
    )


def _reached(findings: Findings, accused: Suspect) -> set[str]:
    """The other services that the fault was seen to spread to."""
    reached, before = {accused.entity.service_name}, 0
    while len(reached) > before:
        before = len(reached)
        reached |= {
            edge.target.service_name
            for edge in findings.ranking.propagation
            if edge.source.service_name in reached
        }
    return reached - {accused.entity.service_name}


def _explained(findings: Findings, accused: Suspect, fired: _Fired) -> AlertExplained:
    name = plain(accused.entity.name)
    words = []
    if fired.at is not None and findings.start is not None:
        words.append(
            f"it fired {findings.times.offset(fired.at, findings.start, f'the change of {name}')}"
        )
    own = findings.movement_of(accused)
    evidence = () if own is None else (findings.citations.of(own),)
    if fired.entity is not None:
        path = path_between(findings.case.window.graph, fired.entity, accused.entity)
        if path:
            words.append("calls lead from it to the cause: " + " → ".join(map(plain, path)))
        elif fired.entity.service_name in _reached(findings, accused):
            words.append(f"the fault was seen to spread from {name} to it")
        alerting = findings.strongest.get(fired.entity.service_name)
        if alerting is not None:
            evidence = tuple(dict.fromkeys((*evidence, findings.citations.of(alerting))))
            words.append(f"{subject_of(alerting)} {moved(alerting)}")
    if fired.entity is None or not is_of_a_service(fired.entity):
        words.append("it names no service")
    explanation = "; ".join(words)
    return AlertExplained(
        alert=fired.label,
        at=fired.at,
        explanation=explanation[:1].upper() + explanation[1:] + ".",
        evidence=evidence,
    )
