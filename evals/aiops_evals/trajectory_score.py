"""How well a run went about it, from its trajectory and the answers of its case.

After ThinkFL (arXiv 2504.18776), S = R + 0.2 P - 0.2 H: a reward for the rank of the cause, one for
having looked at it on the way, and a penalty for calls that could not bring anything. Its formula
for R gives a miss more than rank 10; here it is 1 / (1 + places above the cause), and 0 for a miss.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiops.agents.trajectory.steps import Answered, Trajectory
from aiops.errors import InvalidInput
from aiops.model.canonical import parsed, texts_in
from aiops.model.tool import OutcomeStatus
from aiops_datasets.case import Answers

PATH, PENALTY = 0.2, 0.2
_VALID: Final[frozenset[OutcomeStatus]] = frozenset({"done", "started", "waits", "shadowed"})


@dataclass(frozen=True, slots=True)
class TrajectoryScore:
    """The parts of a score.

    Attributes:
        rank: R, 0 to 1.
        on_path: whether the cause was asked about, suspected or ruled out on the way.
        calls: of tools.
        invalid: calls that were refused or failed.
        duplicates: calls that had been made before, with the same arguments.
    """

    rank: float
    on_path: bool
    calls: int
    invalid: int
    duplicates: int

    @property
    def wasted(self) -> float:
        """H: share of the calls that were invalid or duplicates, 0 to 1; 0 without calls."""
        return min(1.0, (self.invalid + self.duplicates) / self.calls) if self.calls else 0.0

    @property
    def total(self) -> float:
        """S, -0.2 to 1.2."""
        return self.rank + PATH * self.on_path - PENALTY * self.wasted


def score(trajectory: Trajectory, answers: Answers) -> TrajectoryScore:
    """The score of one run.

    Where nothing was at fault, R is 1 for accusing nobody and 0 otherwise, and there is no path.

    Raises:
        InvalidInput: the run was cut off before its report.
    """
    if trajectory.report is None:
        raise InvalidInput(f"run {trajectory.header.begun.run} has no report to be scored")
    report: Mapping[str, Any] = json.loads(trajectory.report)
    causes = {name for entity in answers.entities for name in (entity.name, entity.service_name)}
    spared = float(report["verdict"] != "root_cause")
    looked_at = set(_looked_at(report, trajectory))
    return TrajectoryScore(
        rank=spared if answers.healthy else _reward(report, causes),
        on_path=bool(causes & looked_at),
        calls=len(trajectory.answers),
        invalid=sum(each.outcome.status not in _VALID for each in trajectory.answers),
        duplicates=_duplicates(trajectory.answers),
    )


def _reward(report: Mapping[str, Any], causes: set[str]) -> float:
    named = dict.fromkeys(_service(cause["entity"]) for cause in report["root_causes"])
    above = next((i for i, name in enumerate(named) if name in causes), None)
    return 0.0 if above is None else 1 / (1 + above)


def _service(entity: Mapping[str, Any]) -> str:
    return str(entity["service"] or entity["name"])


def _looked_at(report: Mapping[str, Any], trajectory: Trajectory) -> Iterator[str]:
    """Names that calls were about, and that the report argues over."""
    for answered in trajectory.answers:
        yield from texts_in(dict(parsed(answered.call.arguments)))
    for section in ("root_causes", "ruled_out"):
        for one in report[section]:
            yield from (_service(one["entity"]), one["entity"]["name"])
    for step in report["propagation"]:
        yield from (_service(step["source"]), _service(step["target"]))


def _duplicates(answers: tuple[Answered, ...]) -> int:
    return len(answers) - len({(each.call.tool, each.call.arguments) for each in answers})
