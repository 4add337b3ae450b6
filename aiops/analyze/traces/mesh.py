"""The network of each call where no spans were kept: a mesh measures every call at both ends.

Sidecars report the latency of an edge as its source and as its destination saw it; the difference
is the way between the two, as it is between client and server spans.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import log1p

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.traces.blame import Blame, blamed
from aiops.analyze.traces.edge_views import edge_of, views
from aiops.analyze.traces.mesh_failures import lost_on_the_way
from aiops.analyze.units import Unit, trusted_units
from aiops.analyze.wording import plain, quantity
from aiops.model import (
    CaseData,
    Entity,
    Episode,
    Evidence,
    FaultType,
    Hypothesis,
    Indicator,
    MetricTable,
    Reading,
    Window,
)
from aiops.model.telemetry import FloatArray

FLOOR_S = 0.02
"""Seconds by which the way must be longer to matter, where the metric states its unit; as for
spans (slowness.FLOOR_S)."""
FLOOR_TIMES = 5.0
"""Where it does not: in usual latencies of the typical edge (the median one) of this mesh. Five
of them: on fault-free windows of minutes a single edge wanders by three floors of two. Single
services are no scale, some take microseconds."""
SUSTAINED = 3
"""Rows whose median counts: one odd row of few requests is no fault."""
NOISE = 3.0
"""Robust standard deviations of the usual difference that are taken off a rise: percentiles of the
two sides come from different requests, and differ by chance."""
LEAST_PAST = 2
"""Rows of the past below which nothing is compared."""


@dataclass(frozen=True, slots=True)
class _Edge:
    """One edge measured at both ends: its columns, and what they show."""

    caller: Entity
    callee: Entity
    source: int
    dest: int
    usual: float  # latency at the source, in the table's own unit
    rise: float  # of the difference, sure, in the same unit
    usual_difference: float


class MeshReader:
    """Reads the latencies of edges."""

    name = "mesh"
    modality = "metrics"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """Delays on the way between services, by the service they surround; see Reader.read."""
        del seed  # nothing here is drawn
        table = case.window.metrics
        if table is None:
            return Reading(missing=True)
        pairs = views(table.series, MetricKind.LATENCY)
        failing = views(table.series, MetricKind.ERRORS)
        if not pairs and not failing:
            return Reading(missing=True)
        start, end = episode.onset.timestamp(), episode.end.timestamp()
        now = (table.times >= start) & (table.times <= end)
        if not now.any():
            return Reading(missing=True, notes=("Mesh: no row lies in the episode.",))
        reference = case.window.reference
        normal = reference.metrics if reference is not None else None
        found = [
            edge
            for ((caller, callee), _), (source, dest) in sorted(pairs.items())
            if (edge := _edge(table, normal, now, caller, callee, source, dest)) is not None
        ]
        slow = _hypotheses(table, found, now)
        return Reading((*slow, *lost_on_the_way(table, failing, now)))


def _edge(
    table: MetricTable,
    normal: MetricTable | None,
    now: npt.NDArray[np.bool_],
    caller: Entity,
    callee: Entity,
    source: int,
    dest: int,
) -> _Edge | None:
    """The edge with the surer rise against either reference; None where neither compares."""
    waited, served = table.values[:, source], table.values[:, dest]
    before = np.flatnonzero(now)[0]
    if np.isfinite(served[:before]).any() and not np.isfinite(served[now]).any():
        # What waits and is never served spends no time at the other end.
        served = np.where(now, np.nanmedian(served[:before]), served)
    apart = waited - served
    during = _sustained(apart[now])
    if edge_of(table.series[dest])[0] is None and len(during):
        during = np.array([np.median(during)])  # of other calls too: single rows differ by chance
    pasts = [(waited[:before], apart[:before])]
    columns = {one.column: i for i, one in enumerate(normal.series)} if normal else {}
    names = [table.series[i].column for i in (source, dest)]
    if normal is not None and all(name in columns for name in names):
        known = normal.values[:, [columns[name] for name in names]]
        pasts.append((known[:, 0], known[:, 0] - known[:, 1]))
    best: _Edge | None = None
    for whole, difference in pasts:
        quiet = difference[np.isfinite(difference)]
        if len(quiet) < LEAST_PAST or not len(during):
            continue
        quiet = _sustained(quiet) if len(quiet) > SUSTAINED else quiet
        # Below zero is chance alone: no packet arrives before it was sent.
        middle = max(float(np.median(quiet)), 0.0)
        spread = 1.4826 * float(np.median(np.abs(quiet - middle)))
        rise = float(during.max()) - middle - NOISE * spread
        usual = float(np.nanmedian(whole))
        if best is None or rise > best.rise:
            best = _Edge(caller, callee, source, dest, usual, max(rise, 0.0), middle)
    return best


def _sustained(values: FloatArray) -> FloatArray:
    """Medians of each SUSTAINED rows in succession (of all, where there are fewer)."""
    known = values[np.isfinite(values)]
    if len(known) < SUSTAINED:
        return np.array([np.median(known)]) if len(known) else known
    return np.median(np.lib.stride_tricks.sliding_window_view(known, SUSTAINED), axis=1)


def _hypotheses(
    table: MetricTable, edges: list[_Edge], now: npt.NDArray[np.bool_]
) -> list[Hypothesis]:
    if not edges:
        return []
    entities = sorted({end for edge in edges for end in (edge.caller, edge.callee)})
    number_of = {entity: i for i, entity in enumerate(entities)}
    units = trusted_units(table.series)
    typical = max(float(np.nanmedian([e.usual for e in edges])), float(np.finfo(float).tiny))
    excess = np.zeros(len(edges))
    for i, edge in enumerate(edges):
        excess[i] = edge.rise if edge.rise >= _floor(units[edge.source], typical) else 0.0
    blames = blamed(
        np.array([number_of[edge.caller] for edge in edges], dtype=np.intp),
        np.array([number_of[edge.callee] for edge in edges], dtype=np.intp),
        excess,
        np.ones(len(edges)),
        float(np.finfo(float).tiny),
    )
    return [
        _hypothesis(table, edges, blame, entities[blame.entity], now, typical) for blame in blames
    ]


def _floor(unit: Unit | None, typical: float) -> float:
    """The rise that matters, in the table's own unit."""
    return FLOOR_TIMES * typical if unit is None else FLOOR_S / unit.factor


def _hypothesis(
    table: MetricTable,
    edges: list[_Edge],
    blame: Blame,
    entity: Entity,
    now: npt.NDArray[np.bool_],
    typical: float,
) -> Hypothesis:
    chosen = [edges[i] for i in blame.edges]
    worst = max(chosen, key=lambda edge: edge.rise)
    unit = trusted_units(table.series)[worst.source]
    size, name, floor = worst.rise / typical, "typical latencies", FLOOR_TIMES
    if unit is not None:
        size, name, floor = 1e3 * worst.rise * unit.factor, "ms", 1e3 * FLOOR_S
    return Hypothesis(
        entity=entity,
        fault=FaultType.NETWORK_DELAY,
        kind="network_slower_than_both_ends",
        size=size,
        unit=name,
        floor=floor,
        strength=blame.consistent * log1p(size / floor),
        indicator=Indicator("metric", table.series[worst.source].metric),
        support=tuple(_evidence(table, edge, unit, now) for edge in chosen),
        refuted_by=(
            f"source and destination latencies of {plain(entity.name)} as far apart as usual while "
            "the symptoms stay"
        ),
        explains=tuple(sorted({end for e in chosen for end in (e.caller, e.callee)} - {entity})),
    )


def _evidence(
    table: MetricTable, edge: _Edge, unit: Unit | None, now: npt.NDArray[np.bool_]
) -> Evidence:
    symbol = None if unit is None else unit.symbol
    times = table.times[now]
    return Evidence(
        id="",
        kind="metric",
        claim=(
            f"Calls from {plain(edge.caller.name)} to {plain(edge.callee.name)} take at least "
            f"{quantity(edge.rise, symbol)} longer at their source than at their destination, "
            f"usually {quantity(edge.usual_difference, symbol)}; the whole call usually takes "
            f"{quantity(edge.usual, symbol)}."
        ),
        source=table.source,
        window=Window(_utc(times[0]), _utc(times[-1])),
        ref="|".join(table.series[i].column for i in (edge.source, edge.dest)),
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
