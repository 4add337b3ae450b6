"""What one investigation of one case came to: the record every table is counted from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiops.model import Verdict
from aiops_evals.levels import Level
from aiops_evals.outcomes import Facts


@dataclass(frozen=True, slots=True)
class Asked:
    """What an investigation by tool calls spent.

    Attributes:
        calls: of tools, in their order: tool and canonical arguments.
        missed: how many of them nobody recorded.
        tokens: read in their answers, a token being four bytes.
        coverage: share of an expert's steps that were taken, of the path that is covered best;
            None where the set shows no expert at work.
        cpu_ms: processor time from alert to report, which a busy machine does not stretch.
    """

    calls: tuple[str, ...] = ()
    missed: int = 0
    tokens: int = 0
    coverage: float | None = None
    cpu_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Investigated:
    """One method on one case.

    Attributes:
        facts: what scoring needs of the case.
        method: a policy, or "analyzers" for the analyzers alone.
        ranks: level -> rank of the answer, from 1; None where it was not named.
        named: the first suspects, with the kind of fault.
        ms: wall time of the investigation, in milliseconds; loading is not in it.
        stopped_by: the budget that ended it.
        failed: why it gave no report; "" where it did.
        asked: None where nothing could be asked.
        score: of the way it went about it (``trajectory_score``); None of the analyzers alone.
    """

    facts: Facts
    method: str
    ranks: Mapping[Level, int | None] = field(default_factory=dict)
    verdict: Verdict | None = None
    named: tuple[str, ...] = ()
    ms: float = 0.0
    stopped_by: str | None = None
    failed: str = ""
    asked: Asked | None = None
    score: float | None = None

    def hit(self, level: Level, within: int = 1) -> bool:
        """Whether the answer is among the first so many at ``level``."""
        rank = self.ranks.get(level)
        return rank is not None and rank <= within
