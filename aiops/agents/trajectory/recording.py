"""Writes a run down while it goes on."""

from collections.abc import Callable, Sequence
from threading import Lock

from aiops.agents.trajectory.steps import (
    Answered,
    Begun,
    Ended,
    Header,
    Made,
    ModelAnswered,
    Proposed,
    Recalled,
    Step,
    Trajectory,
)
from aiops.errors import NotKept
from aiops.model.run import Moment


class Recording:
    """Takes down one run; specialists that work at once may tell it at once.

    Args:
        put: keeps one step.
        made: what decides the run besides its data.
    """

    def __init__(self, put: Callable[[Step], None], made: Made) -> None:
        self._put, self._made, self._lock = put, made, Lock()
        self._steps: list[Step] = []
        self._outcomes: list[str] = []

    def record(self, step: Begun | Answered | Recalled | Proposed) -> None:
        """See Crew.record. A run that is taken up again begins only once."""
        if not isinstance(step, Begun):
            self._keep(step)
        elif not self._steps:
            self._keep(Header(step, self._made))

    def trajectory(self) -> Trajectory:
        """What was taken down so far; raises NotKept where nothing was."""
        header, *steps = self._steps or (None,)
        if not isinstance(header, Header):
            raise NotKept("trajectory", "of this run")
        return Trajectory(header, tuple(steps))

    def moment(self, moment: Moment) -> None:
        """See Watch. How a model's answer came in pieces decides nothing; the answer is kept."""
        if moment.kind != "words":
            self._keep(moment)

    def lines(self) -> Sequence[str]:
        """What models answered so far: this is also the tape of a recorder of models."""
        return tuple(self._outcomes)

    def add(self, line: str) -> None:
        """Take down a model's answer."""
        with self._lock:
            self._outcomes.append(line)
            self._steps.append(ModelAnswered(line))
            self._put(ModelAnswered(line))

    def ended(self, report: str) -> None:
        """Take down the report, JSON text."""
        self._keep(Ended(report))

    def _keep(self, step: Step) -> None:
        with self._lock:
            self._steps.append(step)
            self._put(step)
