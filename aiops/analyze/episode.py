"""When it happened, found once for every reader."""

from aiops.analyze.metric_scores import episode_in
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Episode


def episode_of(case: CaseData) -> Episode:
    """The episode of ``case``: as its metrics show it, else from the alert on.

    Without metrics and without an alert the second half of the window is taken.
    """
    try:
        return episode_in(case)
    except AnalysisFailed:
        window = case.window
        alert = case.trigger.at
        if alert is not None and window.start <= alert <= window.end:
            return Episode(alert, window.end, alert, found=False)
        middle = window.start + (window.end - window.start) / 2
        return Episode(middle, window.end, alert, found=False)
