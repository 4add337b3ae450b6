"""What an investigation does, kept for those who watch from elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiops.model.run import Moment

PROGRESSED: Final = "investigation.progress"
"""The event that says that there is more to read."""
_TOLD: Final = frozenset({"plan", "answer", "call", "stopped", "waits", "action"})


@dataclass(frozen=True, slots=True)
class Progress:
    """One moment of an incident's investigations.

    Attributes:
        number: 1, 2, ... over all incidents, in the order of keeping; whoever watches goes on from
            the last it saw.
        about: id of the incident.
    """

    number: int
    about: str
    moment: Moment


def events_of(moments: Iterable[Moment]) -> tuple[str, ...]:
    """The kinds of event that tell of ``moments``: "investigation.<kind>" of each step, and once
    that there is more to read. Findings stand in the report, words in the answer."""
    steps = [moment.kind for moment in moments if moment.kind in _TOLD]
    return (*(f"investigation.{kind}" for kind in steps), PROGRESSED)
