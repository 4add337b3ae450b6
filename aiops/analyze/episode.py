"""When it happened, found once for every reader."""

from datetime import UTC, datetime

from aiops.analyze.metric_scores import Scored, score
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Episode


def episode_of(case: CaseData) -> tuple[Episode, Scored | None]:
    """The episode of ``case``, and the metric scores that showed it.

    As its metrics show it; without metrics from the alert on, and without an alert the second
    half of the window.
    """
    try:
        scored = score(case)
    except AnalysisFailed:
        return _without_metrics(case), None
    times, anomaly = scored.table.times, scored.anomaly
    episode = Episode(
        onset=datetime.fromtimestamp(float(times[anomaly.first]), UTC),
        end=datetime.fromtimestamp(float(times[anomaly.end - 1]), UTC),
        alert=case.trigger.at,
        found=anomaly.found,
    )
    return episode, scored


def _without_metrics(case: CaseData) -> Episode:
    window, alert = case.window, case.trigger.at
    if alert is not None and window.start <= alert <= window.end:
        return Episode(alert, window.end, alert, found=False)
    middle = window.start + (window.end - window.start) / 2
    return Episode(middle, window.end, alert, found=False)
