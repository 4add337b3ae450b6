"""Services whose series stop while others go on: the dead report nothing, least of all a shift."""

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import RESOURCES, reading_of
from aiops.analyze.samples import sampled
from aiops.analyze.suspicion import services_of
from aiops.analyze.wording import number, plain
from aiops.model import (
    CaseData,
    Entity,
    Episode,
    Evidence,
    FaultType,
    Hypothesis,
    Indicator,
    MetricTable,
    Window,
)

FLOOR = 3.0
"""Longest usual gaps of a service's samples: scrapes fail once or twice."""
LEAST_SAMPLES = 5
"""Rows with samples before what is usual of a service can be told."""
LEAD = 0.25
"""Share of an episode's length by which a service may have stopped before its onset; what stopped
earlier is history."""
MOST_STOPPED = 0.5
"""Share of the services beyond which it is the collector that stopped."""
DEAD = 0.9
"""Telling: what a process uses up is no longer reported, and it always uses something."""
UNUSED = 0.5
"""Telling: only what its callers see stopped; maybe nobody calls any more."""


def vanished(case: CaseData, episode: Episode) -> tuple[Hypothesis, ...]:
    """One hypothesis for each service all of whose series stop for good.

    New instances of a service keep it alive, whatever became of the old ones.
    """
    table = case.window.metrics
    if table is None or not table.series:
        return ()
    known = sampled(table.values)
    service = services_of(table.series)
    reporting = [int(s) for s in np.unique(service[known.any(axis=0)])]
    rows = {s: np.flatnonzero(known[:, service == s].any(axis=1)) for s in reporting}
    end = max((int(own[-1]) for own in rows.values()), default=0)
    found = []
    for number_, own in rows.items():
        if len(own) < LEAST_SAMPLES or _over(table, int(own[-1]), episode):
            continue
        silence = (end - int(own[-1])) / int(np.diff(own).max())
        if silence > FLOOR:
            columns = np.flatnonzero((service == number_) & known.any(axis=0))
            found.append(_hypothesis(table, columns, int(own[-1]), end, silence))
    return tuple(found) if len(found) <= MOST_STOPPED * len(reporting) else ()


def _over(table: MetricTable, last: int, episode: Episode) -> bool:
    lasted = max(episode.end - episode.onset, timedelta(0))
    return episode.found and _utc(table.times[last]) < episode.onset - LEAD * lasted


def _hypothesis(
    table: MetricTable, columns: npt.NDArray[np.intp], last: int, end: int, silence: float
) -> Hypothesis:
    of_all = [table.series[i] for i in columns]
    entity = of_all[0].entity
    if len({one.entity for one in of_all}) > 1:  # several instances
        entity = Entity("service", entity.service_name, entity.namespace, entity.cluster)
    uses = any(reading_of(one).kind in RESOURCES for one in of_all)
    since = _utc(table.times[last])
    return Hypothesis(
        entity=entity,
        fault=FaultType.CRASH,
        kind="metrics_vanished",
        size=silence,
        unit="usual gaps",
        floor=FLOOR,
        strength=float(np.log1p(silence / FLOOR)) * (DEAD if uses else UNUSED),
        indicator=Indicator("metric", of_all[0].metric),
        support=(
            Evidence(
                "",
                "metric",
                f"{plain(entity.service_name)} reports none of its {len(of_all)} metrics after "
                f"{since:%H:%M:%S} UTC, {number(silence)} times its longest usual gap; others do.",
                table.source,
                Window(since, _utc(table.times[end])),
                of_all[0].column,
            ),
        ),
        refuted_by=f"a sample of {entity.service_name} after {since:%H:%M:%S} UTC",
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
