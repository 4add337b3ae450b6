"""Explaining symptoms away: along calls, and by the metric the alert fired on.

A service that is slow by no more than the service it calls is slow because of it: what its callees
explain does not accuse it (severity minus the callees' severity). And what did not move when the
alert's own metric moved has nothing to do with the alert.
"""

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import SYMPTOMS, MetricKind
from aiops.analyze.onset import Anomaly
from aiops.analyze.shifts import Shifts
from aiops.model import Call, Series, ServiceGraph, Trigger
from aiops.model.telemetry import FloatArray

LEAST_UNEXPLAINED = 0.05
"""Share of a symptom's score that stays when the callees explain all of it: graphs miss calls."""
CALLEE_MOVED = 0.5
"""Material variations a callee must have moved to explain anything."""
ALERT_MOVED = 1.0
"""Own variations by which the alerted metric must have moved to say when things moved."""
OTHER_SYMPTOM = 0.2
"""Weight of a symptom of another kind than the alert's: slow is not the same as broken."""
LOAD_UNDER_ALERT = 1 / 3
"""Weight of load where the alert names its metric: the alert is about the service, not traffic."""


def unexplained(series: tuple[Series, ...], shifts: Shifts, graph: ServiceGraph) -> FloatArray:
    """(m,) share of each symptom's shift that the callees' shifts do not explain, 1 for the rest.

    Compared in the metric's own unit, same metric against same metric; of a callee also as the
    caller itself measured the calls.
    """
    share = np.ones(len(series))
    seen = [_measured(one) for one in series]
    calls: dict[str, list[Call]] = {}
    for call in graph.calls:
        if not call.source.same_service(call.target):
            calls.setdefault(call.source.service_name, []).append(call)
    moved: dict[tuple[str, str], list[int]] = {}
    for i, one in enumerate(series):
        if shifts.material[i] > CALLEE_MOVED:
            moved.setdefault((one.entity.service_name, seen[i][1]), []).append(i)
    for i, one in enumerate(series):
        if shifts.kinds[i] not in SYMPTOMS or shifts.moved[i] <= 0:
            continue
        explained = max(
            (
                shifts.moved[j]
                for call in calls.get(one.entity.service_name, ())
                if call.source.same_service(one.entity)
                for j in moved.get((call.target.service_name, seen[i][1]), ())
                if call.target.same_service(series[j].entity)
                and seen[j][0] in (seen[i][0], None, _label(call.source.name))
            ),
            default=0.0,
        )
        share[i] = max(LEAST_UNEXPLAINED, 1 - min(explained, shifts.moved[i]) / shifts.moved[i])
    return share


def _measured(one: Series) -> tuple[str | None, str]:
    """Who measured it, None where it did itself, and what: "edge:<caller>:<metric>"."""
    if not one.metric.startswith("edge:"):
        return None, one.metric
    caller, metric = one.metric.removeprefix("edge:").rsplit(":", 1)
    return caller, metric


def _label(name: str) -> str:
    return name.replace(":", "_")


def alert_column(series: tuple[Series, ...], trigger: Trigger) -> int | None:
    """The column the alert fired on: the one it names, else its entity's first of that metric."""
    if trigger.entity is None or trigger.metric is None:
        return None
    own = [i for i, one in enumerate(series) if one.entity.same_service(trigger.entity)]
    for i in own:
        if trigger.metric in (series[i].metric, series[i].column):
            return i
    return next((i for i in own if series[i].metric.startswith(trigger.metric)), None)


def relevance(
    values: FloatArray,
    anomaly: Anomaly,
    shifts: Shifts,
    alerted: int,
) -> FloatArray:
    """(m,) how far each column moved together with the alerted one, 0 to 1, by kind.

    Each column is scaled so that its recent median is 0 and its anomalous median 1, and cut to
    that range, so that the correlation asks when it moved and not how far. An alerted column that
    did not move says nothing about when: all columns are then as relevant as their kind.
    """
    reach = max(2, len(values) - anomaly.first)
    start = max(0, anomaly.first - reach)
    recent = np.median(values[start : anomaly.first], axis=0)
    step = shifts.after - recent
    with np.errstate(over="ignore"):  # whatever is out of range is cut
        progress = np.clip((values[start:] - recent) / np.where(step != 0, step, np.inf), 0.0, 1.0)
    centred = progress - progress.mean(axis=0)
    signal = centred[:, alerted]
    by_kind = _of_the_alerts_kind(shifts.kinds, shifts.kinds[alerted])
    if abs(shifts.surprise[alerted]) < ALERT_MOVED:
        return by_kind
    norm = np.sqrt((centred**2).sum(axis=0) * (signal**2).sum())
    together: FloatArray = np.maximum(centred.T @ signal / np.where(norm > 0, norm, np.inf), 0.0)
    return together * by_kind


def _of_the_alerts_kind(kinds: npt.NDArray[np.object_], alerted: MetricKind) -> FloatArray:
    weight = np.where(np.isin(kinds, list(SYMPTOMS)), OTHER_SYMPTOM, 1.0)
    weight = np.where(kinds == MetricKind.LOAD, LOAD_UNDER_ALERT, weight)
    return np.where(kinds == alerted, 1.0, weight)
