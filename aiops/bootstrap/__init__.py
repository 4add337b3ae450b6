"""The composition root: settings in, a wired application out."""

from dataclasses import dataclass

from aiops import plugins
from aiops.agents.crew import words_told
from aiops.agents.inline import InlineRuns
from aiops.agents.trajectory.steps import Record
from aiops.analyze.explain import explain
from aiops.analyze.fused import FusedRanker
from aiops.analyze.fusion import Weighed
from aiops.app import cases
from aiops.app.investigate import CaseInquiry, investigate
from aiops.bootstrap.policies import budget_of, policy_of
from aiops.errors import InvalidInput
from aiops.llm.tape import Tape
from aiops.model import CaseData
from aiops.model.report import Report
from aiops.model.run import Collected, Moment
from aiops.ports.analyzer import Analyzer
from aiops.ports.cases import CaseHints
from aiops.ports.clock import Clock
from aiops.ports.inquiry import Watch
from aiops.settings import Settings
from aiops.store.clock import SystemClock


def _unwatched(moment: Moment) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class App:
    """The use cases, ready to call.

    Attributes:
        settings: what was set.
        analyzer: ranks.
        clock: a replay passes its own.
    """

    settings: Settings
    analyzer: Analyzer
    clock: Clock

    def load(self, case: str, hints: CaseHints) -> CaseData:
        """A recorded case by folder, ``dataset:id`` or id; raises InvalidInput."""
        return cases.load(case, self.settings.datasets, hints)

    def rank(self, case: CaseData) -> Report:
        """The analyzer alone, as a report without an explanation."""
        return investigate(
            case,
            self.analyzer,
            seed=self.settings.seed,
            top=self.settings.top,
            clock=self.clock.stopwatch,
        )

    def argue(self, case: CaseData) -> tuple[Weighed, ...]:
        """Every hypothesis about ``case``; raises InvalidInput where the method raises none."""
        if not isinstance(self.analyzer, FusedRanker):
            raise InvalidInput(
                f"method {self.analyzer.name!r} scores and raises no hypotheses; --explain needs "
                f"the method {FusedRanker.name!r}"
            )
        return self.analyzer.argue(case, seed=self.settings.seed)

    def investigate(
        self,
        case: CaseData,
        watch: Watch = _unwatched,
        record: Record | None = None,
        tape: Tape | None = None,
        *,
        words: bool = False,
    ) -> Report:
        """One full investigation, through the agents' graph.

        Args:
            tape: takes down what models answer.
            words: whether ``watch`` is told of these answers piece by piece.

        Raises:
            UnknownName, InvalidInput: the policy of the settings cannot be used.
        """
        heard = words_told(case.id, self.clock, watch) if words else None
        policy = policy_of(self.settings, record=tape, on_token=heard)
        runs = InlineRuns(self.clock, policy, budget_of(self.settings), watch, record=record)
        return runs(case.id, self.inquiry(case))

    def inquiry(self, case: CaseData) -> CaseInquiry:
        """The analyzers over ``case``."""
        return CaseInquiry(
            gather=lambda _: Collected(case),
            analyzer=self.analyzer,
            explain=explain,
            seed=self.settings.seed,
            top=self.settings.top,
            clock=self.clock.stopwatch,
        )


def default_analyzer() -> FusedRanker:
    """The analyzer "aiops": every registered reader, weighed in one place."""
    return FusedRanker(tuple(plugins.readers()))


def wire(settings: Settings) -> App:
    """The application for ``settings``; raises UnknownName for a method that does not exist."""
    return App(settings, plugins.analyzer(settings.method), SystemClock())
