"""A run from its trajectory alone: tools, models, clock and ids say what they said then."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from aiops.agents.crew import Crew
from aiops.agents.memory.likeness import Recollection
from aiops.agents.nodes.acting import nothing_known
from aiops.agents.state import RunState, Step
from aiops.agents.trajectory.steps import Answered, Begun, Proposed, Recalled, Trajectory
from aiops.errors import AiopsError, InvalidInput
from aiops.model.report import Report
from aiops.model.run import Moment
from aiops.model.tool import Outcome, ToolCall

_Question = tuple[str, str, str | None]


class NotInTrajectory(AiopsError):
    """A replay asked what the recorded run did not ask. It does not go on with a guess.

    Args:
        call: tool and arguments.
        recorded: how often that was asked then.
    """

    def __init__(self, call: str, recorded: int) -> None:
        self.call, self.recorded = call, recorded
        times = f"only {recorded} times" if recorded else "not at all"
        super().__init__(
            f"the trajectory has {call} {times}: the run goes another way than the recorded one; "
            "use the version and settings that its first line names, or record it anew"
        )


class ReplayDiffers(AiopsError):
    """The replay ended with another report than the recorded run."""

    def __init__(self, run: str, where: str) -> None:
        super().__init__(
            f"the replay of {run} ends with another report than the recorded one, first in "
            f"{where}; use the version and settings that the trajectory's first line names"
        )


class Replaying:
    """The doors of a run as they were: an Ask, a Clock, a Watch and a Record.

    The clock stands at what was told or answered next in the recorded run, so whatever time a
    step of the run takes down, it takes down the same again.
    """

    def __init__(self, recorded: Trajectory) -> None:
        self.recorded = recorded
        self._at = recorded.header.begun.at
        self._moments = _times(recorded.moments)
        self._answers: dict[_Question, list[Answered]] = defaultdict(list)
        self._given: dict[_Question, int] = defaultdict(int)
        for each in recorded.answers:
            self._answers[_question(each.call)].append(each)
        self._told = 0

    def now(self) -> datetime:
        """See Clock."""
        return self._at

    def stopwatch(self) -> float:
        """See Clock. What was fast or slow then is in the recorded report."""
        return 0.0

    def ask(self, call: ToolCall) -> Outcome:
        """The n-th answer to the n-th call with this tool, these arguments and this approval.

        Raises:
            NotInTrajectory: there was no such call, or not so often.
        """
        question = _question(call)
        known, turn = self._answers.get(question, []), self._given[question]
        if turn >= len(known):
            raise NotInTrajectory(f"{call.tool} {call.arguments}", len(known))
        self._given[question] += 1
        self._at = known[turn].at
        return known[turn].outcome

    def recall(self, report: Report) -> tuple[Recollection, ...]:
        """See Recall."""
        del report
        return self.recorded.recalled or ()

    def propose(self, state: RunState, crew: Crew) -> Step:
        """The node of this name: what was proposed stands as it stood; a replay does nothing."""
        proposed = self.recorded.proposed
        if proposed is None:
            return Step({}, ("report",))
        if not proposed.deeds:
            return Step(nothing_known(crew, crew.shortlist(state)), ("report",))
        return Step({"deeds": crew.kept(proposed.deeds)}, ("report",))

    def watch(self, moment: Moment) -> None:
        """See Watch: time goes on."""
        del moment
        self._told += 1
        if self._told < len(self._moments):
            self._at = self._moments[self._told]

    def record(self, step: Begun | Answered | Recalled | Proposed) -> None:
        """See Crew.record. Raises InvalidInput where this is another case than the recorded one."""
        if isinstance(step, Begun):
            if step.case != self.recorded.header.begun.case:
                raise InvalidInput(
                    f"this is not the case of the trajectory: its telemetry has the checksum "
                    f"{step.case[:12]}, the recorded one {self.recorded.header.begun.case[:12]}; "
                    "give the same CASE with the same --graph, --trigger and --inject-time"
                )
            if self._moments:
                self._at = self._moments[0]


def _times(moments: Iterable[Moment]) -> Sequence[datetime]:
    return [moment.at for moment in moments]


def _question(call: ToolCall) -> _Question:
    return call.tool, call.arguments, call.approval
