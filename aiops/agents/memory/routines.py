"""What helped last time, as a habit: learnt from verified outcomes only, unlearnt by failures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from aiops.model.memory import Cue, PastIncident, Routine, Signature
from aiops.ports.memory import Memory

FAILURES: Final = 2
"""In a row, after which a routine is no longer proposed."""


def cue_of(signature: Signature) -> Cue:
    """What such an incident calls to mind."""
    return Cue(signature.faults[0][0], signature.telemetry)


def proposed(memory: Memory, signature: Signature) -> Routine | None:
    """The routine to suggest; None where none is known or it has failed too often."""
    routine = memory.routine(cue_of(signature))
    return None if routine is None or routine.demoted else routine


def after_outcome(
    routine: Routine | None, past: PastIncident, steps: Sequence[str], helped: bool, at: datetime
) -> Routine | None:
    """The routine after ``steps`` were carried out against ``past`` and the fix was verified.

    Returns:
        None where there is nothing to keep: what failed before it ever helped is no routine.
    """
    if routine is None or tuple(steps) != routine.steps:
        if helped and (routine is None or routine.demoted):
            cue = cue_of(past.signature)
            revision = 0 if routine is None else routine.revision
            return Routine(cue, tuple(steps), (past.id,), at, revision=revision)
        return routine
    if helped:
        learned_from = tuple(dict.fromkeys([*routine.learned_from, past.id]))
        return replace(
            routine,
            learned_from=learned_from,
            used_at=at,
            successes=routine.successes + 1,
            failures=0,
            demoted=False,
        )
    failures = routine.failures + 1
    return replace(routine, used_at=at, failures=failures, demoted=failures >= FAILURES)


def learn_from(
    memory: Memory, past: PastIncident, steps: Sequence[str], helped: bool | None, at: datetime
) -> Routine | None:
    """Put what a fix taught into memory.

    Args:
        helped: as measured afterwards; None where nobody verified it, which teaches nothing.

    Returns:
        What is now known, as it was read or written; another run that learns at once is not lost.
    """
    while True:
        was = memory.routine(cue_of(past.signature))
        if helped is None:
            return was
        to = after_outcome(was, past, steps, helped, at)
        if to is None or to == was or memory.learn(was, to):
            return to
