"""How far each metric moved, in numbers that compare across metrics and systems.

Two scales. *Surprise* divides the shift by the metric's own robust variation, as BARO's and
n-sigma's scorers do. *Material* also divides by how much the same metric varies across the fleet:
a service that idled at nothing and now does a little is surprising but immaterial. That floor
needs no unit; where a trusted unit is known, the least shift of operational interest joins it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze import bursts
from aiops.analyze.metric_kinds import SYMPTOMS, MetricKind, reading_of
from aiops.analyze.onset import Anomaly
from aiops.analyze.units import least_of_interest, trusted_units
from aiops.model import Series
from aiops.model.telemetry import FloatArray

LEVEL_SHARE = 0.05
"""A shift counts in multiples of at least this share of the level: flat series are not precise."""
SIGMA_SHARE = 0.5
"""Share of the standard deviation in the scale: bursts outside the quartiles still count."""
FLEET_RESOURCE = 2.0
"""Fleet floor of resources, in mean robust variations of the same metric over its peers."""
FLEET_SYMPTOM = 0.3
"""The same for latency and errors: a fast callee's delay is the cause of a slow caller's."""
LEAST_PEERS = 3
"""Peers that make a fleet; with fewer there is no floor."""
MOST_RATIO, MOST_PERCENT = 1.5, 100.5
"""What a success rate stays below, as a ratio and in percent; averages overshoot a little."""
FAILURE_SHARE_FLOOR = 0.005
"""Half a point of failed requests: the least variation assumed of a success rate."""
REPLICA_SHARE = 0.25
"""Least variation assumed of a count of replicas, as a share of it: that all are gone is four
variations, and an autoscaler that takes one of three is little more than one."""
RARE = frozenset({MetricKind.ERRORS})
"""Kinds that are nothing most of the time even while something is wrong: of few requests a second
a part fails, and a median is still 0."""
BURST_SHARE = 0.1
"""Share of the highest rows that says nothing about the level of such a kind."""
MOST_VARIATIONS = 1e9
"""A shift by more variations than this says nothing more, and could overflow."""
GAUSSIAN_MAD = 1.4826  # standard deviations of a Gaussian in one median absolute deviation


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """(m,) each: what every column did between the baseline and the anomalous rows.

    Attributes:
        before, after: levels, in the column's own unit; for success rates the failed share.
        moved: after minus before, no larger than the step seen right at the onset.
        surprise: ``moved`` in the column's own robust variations; up is bad, so that it is
            negated where less is worse (idle, free, ready). Less by as much as it is below the
            least shift of operational interest, where a trusted unit tells.
        material: the same in the larger of that and the fleet floor.
        kinds: what each column measures.
    """

    before: FloatArray
    after: FloatArray
    moved: FloatArray
    surprise: FloatArray
    material: FloatArray
    kinds: npt.NDArray[np.object_]


def failures(values: FloatArray, kinds: npt.NDArray[np.object_], series: Sequence[Series]) -> None:
    """Turn success rates into failed shares in place, so that up is bad for every symptom.

    A rate whose fleet-wide maximum passes 1.5 is a percentage; past 100 it is no rate but a count
    of successes, which is traffic: its kind becomes LOAD, also in place.
    """
    names: dict[str, list[int]] = {}
    for i, one in enumerate(series):
        if kinds[i] is MetricKind.SUCCESS:
            names.setdefault(one.metric, []).append(i)
    for columns in names.values():
        block = values[:, columns]
        largest = block.max(initial=0.0)
        if largest > MOST_PERCENT:
            kinds[columns] = MetricKind.LOAD
            continue
        whole = 100.0 if largest > MOST_RATIO else 1.0
        values[:, columns] = (whole - block) / whole


def kinds_of(series: Sequence[Series]) -> npt.NDArray[np.object_]:
    """(m,) the MetricKind of each series."""
    kinds = np.empty(len(series), dtype=object)
    kinds[:] = [reading_of(one).kind for one in series]
    return kinds


def measure(
    values: FloatArray,
    series: Sequence[Series],
    kinds: npt.NDArray[np.object_],
    anomaly: Anomaly,
    *,
    fleet: bool = True,
    with_bursts: bool = False,
) -> Shifts:
    """The shift of every column at ``anomaly``.

    Args:
        values: (n, m) without NaN, success rates already turned into failures.
        fleet: whether the fleet floor counts (off in the ablation).
        with_bursts: whether what comes and goes counts by what it adds to the mean.
    """
    baseline, during = values[: anomaly.first], values[anomaly.first : anomaly.end]
    low, middle, high = np.percentile(baseline, [25, 50, 75], axis=0)
    mad = GAUSSIAN_MAD * np.median(np.abs(baseline - middle), axis=0)
    own: FloatArray = np.maximum.reduce(
        [
            high - low,
            mad,
            SIGMA_SHARE * baseline.std(axis=0),
            LEVEL_SHARE * np.abs(middle),
        ]
    )
    own = np.maximum(own, np.where(kinds == MetricKind.SUCCESS, FAILURE_SHARE_FLOOR, 0.0))
    replicas = REPLICA_SHARE * np.maximum(np.abs(middle), 1.0)
    own = np.maximum(own, np.where(kinds == MetricKind.REPLICAS, replicas, 0.0))
    before, after = _level(baseline, kinds), _level(during, kinds)
    moved = _step_at_onset(values, kinds, anomaly, after - before)
    if with_bursts:
        rise = np.where(np.isin(kinds, list(RARE)), 0.0, bursts.mean_rise(values, anomaly))
        moved = np.where(rise > 0, rise, moved)
    scale = np.maximum(own, _floors(own, series, kinds)) if fleet else own
    # A flat zero baseline has no variation: the new level itself is the measure.
    own = np.where(own > 0, own, LEVEL_SHARE * np.abs(after))
    scale = np.where(scale > 0, scale, own)
    bad = np.where([reading_of(one).inverted for one in series], -moved, moved)
    surprise = _multiples(bad, own) * _interest(moved, series, kinds)
    return Shifts(before, after, moved, surprise, _multiples(bad, scale), kinds)


def _level(values: FloatArray, kinds: npt.NDArray[np.object_]) -> FloatArray:
    """(m,) medians; of what is rare the mean without its highest tenth, for a burst is no level."""
    level: FloatArray = np.median(values, axis=0)
    rare = np.isin(kinds, list(RARE))
    keep = max(1, len(values) - round(BURST_SHARE * len(values)))
    level[rare] = np.sort(values[:, rare], axis=0)[:keep].mean(axis=0)
    return level


def least_of_columns(series: Sequence[Series], kinds: npt.NDArray[np.object_]) -> FloatArray:
    """(m,) the smallest shift of each that is of operational interest; 0 where unknown."""
    units = trusted_units(series)
    return np.array(
        [least_of_interest(kind, unit) for kind, unit in zip(kinds, units, strict=True)]
    )


def _interest(
    moved: FloatArray, series: Sequence[Series], kinds: npt.NDArray[np.object_]
) -> FloatArray:
    """(m,) each shift as a share of the least of interest, at most 1; 1 where nothing is known."""
    least = least_of_columns(series, kinds)
    share: FloatArray = np.minimum(np.abs(moved) / np.where(least > 0, least, 1.0), 1.0)
    return np.where(least > 0, share, 1.0)


def _multiples(moved: FloatArray, scale: FloatArray) -> FloatArray:
    """``moved`` over ``scale``, at most MOST_VARIATIONS; 0 over 0 is 0."""
    least = np.maximum(scale, np.abs(moved) / MOST_VARIATIONS)
    return np.divide(moved, least, out=np.zeros_like(moved), where=least > 0)


def _step_at_onset(
    values: FloatArray, kinds: npt.NDArray[np.object_], anomaly: Anomaly, moved: FloatArray
) -> FloatArray:
    """Cut each shift to what happened right at the onset: older drifts are not this incident's."""
    reach = max(2, len(values) - anomaly.first)
    if reach >= anomaly.first:
        return moved
    recent = _level(values[anomaly.first - reach : anomaly.first], kinds)
    step = _level(values[anomaly.first : anomaly.end][:reach], kinds) - recent
    step = np.where(np.sign(step) == np.sign(moved), step, 0.0)
    cut: FloatArray = np.sign(moved) * np.minimum(np.abs(moved), np.abs(step))
    return cut


def _floors(
    own: FloatArray, series: Sequence[Series], kinds: npt.NDArray[np.object_]
) -> FloatArray:
    """(m,) the variation below which a shift of this metric is immaterial."""
    floors = np.zeros(len(series))
    names: dict[str, list[int]] = {}
    for i, one in enumerate(series):
        names.setdefault(one.metric, []).append(i)
    units = trusted_units(series)
    for columns in names.values():
        kind = kinds[columns[0]]
        floor = least_of_interest(kind, units[columns[0]])
        # Replicas are counted: how many others have says nothing of how many are missing.
        if len(columns) >= LEAST_PEERS and kind is not MetricKind.REPLICAS:
            share = FLEET_SYMPTOM if kind in SYMPTOMS else FLEET_RESOURCE
            floor = max(floor, share * float(own[columns].mean()))
        floors[columns] = floor
    return floors
