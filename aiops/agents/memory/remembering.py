"""From a finished investigation to what is remembered of it, and what people say of it later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from aiops.agents.memory.signature import signature_of
from aiops.model.memory import Attempt, HumanVerdict, PastIncident
from aiops.model.report import Report
from aiops.ports.memory import Memory


def past_incident(
    investigation: str, incident: str, at: datetime, report: Report, tried: Sequence[Attempt] = ()
) -> PastIncident | None:
    """What to remember of an investigation; None where it accused nobody."""
    if report.verdict != "root_cause" or not report.root_causes:
        return None
    cause = report.root_causes[0]
    return PastIncident(
        investigation,
        incident,
        at,
        signature_of(report),
        cause.entity,
        cause.indicator,
        cause.fault_type,
        tuple(tried),
    )


def judge(memory: Memory, past_id: str, verdict: HumanVerdict) -> PastIncident:
    """Keep what a person said of a remembered cause; the last word counts.

    Raises:
        NotKept: it was never remembered, or is forgotten.
    """
    while True:
        was = memory.get(past_id)
        if was.verdict == verdict or memory.revise(was, replace(was, verdict=verdict)):
            return memory.get(past_id)
