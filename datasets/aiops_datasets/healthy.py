"""Fault-free windows, to count false alarms on (notes: measures, "Healthy windows").

From the rows before the fault where these are a run of their own, and from the fault-free runs
kept beside a set. Each gets an alert inside it: an analyzer is only ever asked after one.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from aiops.model import CaseData, MetricTable, Reference, TelemetryWindow
from aiops.model.telemetry import FloatArray
from aiops.ports.cases import CaseLocation
from aiops_datasets import assembly, catalog, clock, public
from aiops_datasets.folder import opaque_id
from aiops_datasets.reading import read_table

_ALERT_AT = 0.6  # where in the window the alert falls
_GAP = 1.5  # a pause longer than this many intervals ends a run of rows
# (up to this interval, rows a window, windows a file): windows are as long as the sets' own cases,
# 26 minutes at 60 s and 100 + 5 rows at 300 s, and evenly spread.
_CUTS = ((120.0, 26, 8), (float("inf"), 105, 5))


def windows(root: Path) -> Iterator[CaseData]:
    """Every fault-free window below ``root``; see ``windows_of``."""
    for dataset in catalog.datasets(root):
        yield from windows_of(root, dataset)


def windows_of(root: Path, dataset: str) -> Iterator[CaseData]:
    """The fault-free windows of one data set, with opaque ids and an alert at 60 % of each.

    Raises:
        UnknownName: ``root`` holds no such data set.
        InvalidData: a file that cannot be used.
    """
    cases = [place for place in catalog.locations(root, dataset) if _has_facts(place)]
    yield from _before_faults(cases)
    for path in sorted((root / dataset / "_normal").glob("*.metrics.csv*")):
        yield from _cut(dataset, path, _like(cases, path.name.split(".")[0]))


def _has_facts(location: CaseLocation) -> bool:
    return (location.path / "case.json").is_file()


def _before_faults(cases: list[CaseLocation]) -> Iterator[CaseData]:
    """The normal half of each case that has a normal run of its own in front of the fault."""
    for location in cases:
        facts = public.within("case", location.path / "case.json")
        starts_with_fault = facts["inject_time"] in (0, None)
        shared = facts.get("baseline_time_shift_s") is not None  # one baseline, many cases
        separate = facts.get("inject_time_kind") == "window_start"
        if starts_with_fault or shared or not separate:
            return
        data = catalog.load_case(location).data
        if data.window.metrics is not None and data.trigger.at is not None:
            normal = data.window.metrics.between(-np.inf, data.trigger.at.timestamp())
            yield _healthy(data, opaque_id(location.dataset, f"{location.name}/normal"), normal)


def _like(cases: list[CaseLocation], stem: str) -> CaseData | None:
    """A case recorded as the fault-free run ``stem`` was: its graph and what its alert is on."""
    for location in cases:
        if public.within("case", location.path / "case.json").get("scenario") in (stem, None):
            return catalog.load_case(location).data
    return None


def _cut(dataset: str, path: Path, like: CaseData | None) -> Iterator[CaseData]:
    table, notes = assembly.metric_table(path, read_table(path))
    interval = float(np.median(np.diff(table.times)))
    rows, most = next((rows, most) for limit, rows, most in _CUTS if interval <= limit)
    starts = [
        start
        for first, end in _runs(table.times, interval)
        for start in range(first, end - rows + 1, rows)
    ]
    base = like or CaseData("", TelemetryWindow(clock.moment(0), clock.moment(0)))
    for i in np.linspace(0, len(starts) - 1, min(most, len(starts))).astype(int):
        inside = np.zeros(len(table.times), dtype=bool)
        inside[starts[i] : starts[i] + rows] = True
        name = f"{path.name}/{table.times[starts[i]]:.0f}"
        yield replace(
            _healthy(
                base,
                opaque_id(dataset, name),
                _rows(table, inside),
                Reference(metrics=_rows(table, ~inside)),
            ),
            notes=notes,
        )


def _rows(table: MetricTable, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> MetricTable:
    return MetricTable(table.times[chosen], table.values[chosen], table.series, table.source)


def _runs(times: FloatArray, interval: float) -> list[tuple[int, int]]:
    """(first, end) of the stretches of rows without a pause."""
    breaks = np.flatnonzero(np.diff(times) > _GAP * interval) + 1
    edges = [0, *breaks.tolist(), len(times)]
    return list(pairwise(edges))


def _healthy(
    like: CaseData, name: str, metrics: MetricTable, reference: Reference | None = None
) -> CaseData:
    metrics = metrics.take(np.flatnonzero(~np.isnan(metrics.values).all(axis=0)))
    start, end = float(metrics.times[0]), float(metrics.times[-1])
    return replace(
        like,
        id=name,
        window=TelemetryWindow(
            start=clock.moment(start),
            end=clock.moment(end),
            metrics=metrics,
            graph=like.window.graph,
            reference=reference,
        ),
        trigger=replace(like.trigger, at=clock.moment(start + _ALERT_AT * (end - start))),
    )
