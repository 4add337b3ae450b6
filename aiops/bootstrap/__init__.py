"""The composition root: settings in, a wired application out."""

from collections.abc import Callable
from dataclasses import dataclass

from aiops import plugins
from aiops.analyze.explain import explain
from aiops.analyze.fused import FusedRanker
from aiops.analyze.fusion import Weighed
from aiops.app import cases
from aiops.app.investigate import investigate
from aiops.errors import InvalidInput
from aiops.model import CaseData
from aiops.model.report import Report
from aiops.ports.analyzer import Analyzer
from aiops.ports.cases import CaseHints
from aiops.settings import Settings
from aiops.store.clock import SystemClock


@dataclass(frozen=True, slots=True)
class App:
    """The use cases, ready to call.

    Attributes:
        settings: what was set.
        analyzer: ranks.
        stopwatch: seconds, monotonic; a replay passes its own.
    """

    settings: Settings
    analyzer: Analyzer
    stopwatch: Callable[[], float]

    def load(self, case: str, hints: CaseHints) -> CaseData:
        """A recorded case by folder, ``dataset:id`` or id; raises InvalidInput."""
        return cases.load(case, self.settings.datasets, hints)

    def rank(self, case: CaseData) -> Report:
        """The analyzer alone, as a report without an explanation."""
        return self._report(case, explained=False)

    def argue(self, case: CaseData) -> tuple[Weighed, ...]:
        """Every hypothesis about ``case``; raises InvalidInput where the method raises none."""
        if not isinstance(self.analyzer, FusedRanker):
            raise InvalidInput(
                f"method {self.analyzer.name!r} scores and raises no hypotheses; --explain needs "
                f"the method {FusedRanker.name!r}"
            )
        return self.analyzer.argue(case, seed=self.settings.seed)

    def investigate(self, case: CaseData) -> Report:
        """One full investigation."""
        return self._report(case, explained=True)

    def _report(self, case: CaseData, *, explained: bool) -> Report:
        return investigate(
            case,
            self.analyzer,
            explain=explain if explained else None,
            seed=self.settings.seed,
            top=self.settings.top,
            clock=self.stopwatch,
        )


def default_analyzer() -> FusedRanker:
    """The analyzer "aiops": every registered reader, weighed in one place."""
    return FusedRanker(tuple(plugins.readers()))


def wire(settings: Settings) -> App:
    """The application for ``settings``; raises UnknownName for a method that does not exist."""
    return App(settings, plugins.analyzer(settings.method), SystemClock().stopwatch)
