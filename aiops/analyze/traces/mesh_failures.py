"""Calls that fail on their way: their callers count errors that the callees never saw."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import log1p

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.analyze.traces.blame import Blame, blamed
from aiops.analyze.traces.edge_views import Edge, Views, edge_of
from aiops.analyze.wording import plain
from aiops.model import (
    Entity,
    Evidence,
    FaultType,
    Hypothesis,
    Indicator,
    MetricTable,
    Window,
)
from aiops.model.telemetry import FloatArray

FLOOR = 0.05
"""Share of an edge's calls that must fail on the way beyond what usually does; as for spans
(errors.FLOOR)."""
ALL = 0.9
"""Share from which nothing comes through: a partition; below some is lost."""
LEAST_CALLS = 3.0
"""Calls (errors counted, rates added up) below which a share says nothing."""


@dataclass(frozen=True, slots=True)
class _Failing:
    """One edge: columns of the errors at both ends and of all calls, and the share that is lost."""

    edge: Edge
    seen: int
    served: int
    share: float
    usual: float
    calls: float


def lost_on_the_way(
    table: MetricTable, failing: Views, now: npt.NDArray[np.bool_]
) -> list[Hypothesis]:
    """Hypotheses about whoever's edges lose calls, by what it explains."""
    requests = _requests(table)
    edges = [
        found
        for (edge, _), (seen, served) in sorted(failing.items())
        if edge in requests
        and (found := _measured(table, now, edge, seen, served, requests[edge])) is not None
    ]
    if not edges:
        return []
    entities = sorted({end for one in edges for end in one.edge})
    number_of = {entity: i for i, entity in enumerate(entities)}
    excess = np.array([max(one.share - one.usual, 0.0) for one in edges])
    blames = blamed(
        np.array([number_of[one.edge[0]] for one in edges], dtype=np.intp),
        np.array([number_of[one.edge[1]] for one in edges], dtype=np.intp),
        np.where(excess >= FLOOR, excess, 0.0),
        np.ones(len(edges)),
        FLOOR,
    )
    return [_hypothesis(table, edges, blame, entities[blame.entity], now) for blame in blames]


def _requests(table: MetricTable) -> dict[Edge, int]:
    """The column of all calls of an edge, failed ones too."""
    found: dict[Edge, int] = {}
    for i, one in enumerate(table.series):
        edge, _ = edge_of(one)
        if edge is not None and reading_of(one).kind is MetricKind.LOAD:
            found.setdefault(edge, i)
    return found


def _measured(
    table: MetricTable,
    now: npt.NDArray[np.bool_],
    edge: Edge,
    seen: int,
    served: int,
    requests: int,
) -> _Failing | None:
    before = np.arange(len(now)) < np.flatnonzero(now)[0]
    share, calls = _lost(table.values, now, seen, served, requests)
    usual, _ = _lost(table.values, before, seen, served, requests)
    if calls < LEAST_CALLS:
        return None
    return _Failing(edge, seen, served, share, usual, calls)


def _lost(
    values: FloatArray, rows: npt.NDArray[np.bool_], seen: int, served: int, requests: int
) -> tuple[float, float]:
    """Share of the calls in these rows that only the caller saw fail, and the calls."""
    calls = float(np.nansum(values[rows, requests]))
    lost = float(np.nansum(values[rows, seen])) - float(np.nansum(values[rows, served]))
    return (min(max(lost, 0.0) / calls, 1.0) if calls > 0 else 0.0), calls


def _hypothesis(
    table: MetricTable,
    edges: list[_Failing],
    blame: Blame,
    entity: Entity,
    now: npt.NDArray[np.bool_],
) -> Hypothesis:
    chosen = [edges[i] for i in blame.edges]
    worst = max(chosen, key=lambda one: one.share - one.usual)
    size = worst.share - worst.usual
    return Hypothesis(
        entity=entity,
        fault=FaultType.NETWORK_PARTITION if worst.share >= ALL else FaultType.NETWORK_LOSS,
        kind="calls_fail_on_the_way",
        size=size,
        unit="share",
        floor=FLOOR,
        strength=blame.consistent * log1p(size / FLOOR),
        indicator=Indicator("metric", table.series[worst.seen].metric),
        support=tuple(_evidence(table, one, now) for one in chosen),
        refuted_by=f"{plain(entity.name)} itself counting the errors that its callers count",
        explains=tuple(sorted({end for one in chosen for end in one.edge} - {entity})),
    )


def _evidence(table: MetricTable, one: _Failing, now: npt.NDArray[np.bool_]) -> Evidence:
    caller, callee = one.edge
    times = table.times[now]
    return Evidence(
        id="",
        kind="metric",
        claim=(
            f"{one.share:.0%} of the calls from {plain(caller.name)} to {plain(callee.name)} fail "
            f"without {plain(callee.name)} counting an error, usually {one.usual:.0%}."
        ),
        source=table.source,
        window=Window(_utc(times[0]), _utc(times[-1])),
        ref="|".join(table.series[i].column for i in (one.seen, one.served)),
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
