"""The door for root-cause rankers."""

from typing import Protocol

from aiops.model import CaseData, Ranking


class Analyzer(Protocol):
    """Ranks the possible causes of one incident from its telemetry alone.

    Pure: the same case and seed give the same ranking, whatever the order of the columns.
    """

    name: str

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        """The suspects of ``case``, most suspicious first.

        Raises:
            AnalysisFailed: the case cannot be ranked by this method. Never answered by a guess.
        """
        ...
