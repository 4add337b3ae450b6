"""Everything unusual that the spans of one episode show, before it is put into words."""

from dataclasses import dataclass
from math import log1p

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.contrasts import Outcomes
from aiops.analyze.traces.edges import Calls, calls
from aiops.analyze.traces.endings import FLOOR as ENDING_FLOOR
from aiops.analyze.traces.endings import Ending, early_ends, steps
from aiops.analyze.traces.errors import FLOOR as ERROR_FLOOR
from aiops.analyze.traces.errors import (
    Failing,
    Unanswered,
    failing_operations,
    own_errors,
    silences,
    unanswered_calls,
)
from aiops.analyze.traces.forest import Forest
from aiops.analyze.traces.slowness import Edges, Slow, edges, slow_services
from aiops.analyze.traces.visits import Visits, visits

TELLING_SLOW = 1.0
"""How telling slowness of its own is: it is measured at both ends of a call."""
TELLING_ALONE = 0.7
"""How telling own work is where the calls around it are as fast as ever: starved instances are slow
in everything, so this may be a larger request, a pause, or a backend that records no spans."""
TELLING_ENDING = 0.8
"""How telling early ends are: a change of the traffic's mix ends visits elsewhere, too."""
TELLING_ERROR = 1.0
"""How telling the deepest error of a chain is."""
TELLING_UNANSWERED = 0.5
"""How telling missing server spans are: recorders drop spans under load."""
BEHIND_ANOTHER = 0.3
"""Share of its strength left to a sign that another service's sign explains."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """The spans of a case, taken apart once.

    Attributes:
        steps: for each step of each visit whether it was the last.
        errors: for each span whether an error began in it.
        silences: for each call whether its callee recorded nothing.
        reference: (n,) spans of the known-normal recording.
        known_calls: (caller, callee) pairs that the case knows from elsewhere.
    """

    forest: Forest
    calls: Calls
    visits: Visits
    steps: Outcomes
    errors: Outcomes
    silences: Outcomes
    reference: npt.NDArray[np.bool_]
    known_calls: frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """What is unusual in one episode."""

    edges: Edges
    slow: tuple[Slow, ...]
    endings: tuple[Ending, ...]
    failing: tuple[Failing, ...]
    unanswered: tuple[Unanswered, ...]

    def strongest(self) -> float:
        """Nats of the strongest sign, 0 where there is none."""
        return max(
            [
                *(slow_strength(one) for one in self.slow),
                *(ending_strength(one, self.endings) for one in self.endings),
                *(failing_strength(one) for one in self.failing),
                *(unanswered_strength(one) for one in self.unanswered),
            ],
            default=0.0,
        )


def recorded(
    forest: Forest,
    reference: npt.NDArray[np.bool_],
    known_calls: frozenset[tuple[int, int]],
) -> Recording:
    """A forest with all that does not depend on when the episode began."""
    found = calls(forest)
    visited = visits(forest, found)
    return Recording(
        forest=forest,
        calls=found,
        visits=visited,
        steps=steps(forest, visited),
        errors=own_errors(forest),
        silences=silences(forest, found),
        reference=reference,
        known_calls=known_calls,
    )


def signs(recording: Recording, phase: npt.NDArray[np.int8]) -> Signs:
    """The signs of one split of the recording into phases."""
    found = edges(recording.calls, phase)
    services = len(recording.forest.spans.services)
    return Signs(
        edges=found,
        slow=slow_services(recording.visits, found, phase, services, recording.known_calls),
        endings=early_ends(recording.steps, phase),
        failing=failing_operations(recording.errors, phase),
        unanswered=unanswered_calls(recording.silences, phase),
    )


def slow_strength(slow: Slow) -> float:
    """Nats of a service's own slowness."""
    telling = TELLING_ALONE if slow.blame is None else TELLING_SLOW * slow.blame.consistent
    behind = BEHIND_ANOTHER if slow.waits_for >= 0 else 1.0
    return telling * behind * log1p(slow.seconds / slow.floor)


def ending_strength(ending: Ending, endings: tuple[Ending, ...]) -> float:
    """Nats of an early end; less where the one who stopped it was itself stopped by another."""
    passed_on = any(
        one.service == ending.stopped_by and one.stopped_by != ending.stopped_by for one in endings
    )
    behind = BEHIND_ANOTHER if passed_on else 1.0
    return TELLING_ENDING * behind * log1p(ending.rise / ENDING_FLOOR)


def failing_strength(failing: Failing) -> float:
    """Nats of errors that begin in a service."""
    return TELLING_ERROR * log1p(failing.rise / ERROR_FLOOR)


def unanswered_strength(unanswered: Unanswered) -> float:
    """Nats of calls without an answer."""
    return TELLING_UNANSWERED * log1p(unanswered.rise / ERROR_FLOOR)
