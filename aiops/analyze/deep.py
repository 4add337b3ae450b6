"""What statsmodels adds to an explanation: kind of series, period, and how a shock would travel."""

from collections.abc import Callable

import numpy as np

from aiops.analyze.columns import bridge_gaps
from aiops.analyze.impulse import MOST_SERIES, impulse_response
from aiops.analyze.stationarity import seasonality, stationarity
from aiops.errors import AnalysisFailed
from aiops.model import MetricTable
from aiops.model.telemetry import FloatArray

HORIZON = 10
LEAST_SHARE = 0.05  # of the forecast error; less is not worth a sentence

AddEvidence = Callable[[str, MetricTable, int, slice], str]


def deepen(table: MetricTable, rows: slice, order: list[int], add: AddEvidence) -> list[str]:
    """Adds sentences about each column and about the first column's shock; returns notes.

    Args:
        table: the suspects' columns.
        rows: the stretch to look at.
        order: the columns, earliest onset first: the order in which shocks count.
        add: records (claim, table, column, rows).
    """
    notes = []
    made = []
    for column in order[:MOST_SERIES]:
        try:
            claim, series = _kind(table, rows, column)
        except AnalysisFailed as error:
            notes.append(f"{table.series[column].column}: {error}.")
            continue
        add(claim, table, column, rows)
        made.append((column, series))
    if len(made) < 2:
        return notes
    shortest = min(series.size for _, series in made)
    together = np.column_stack([series[-shortest:] for _, series in made])
    try:
        response = impulse_response(together, horizon=HORIZON)
    except AnalysisFailed as error:
        return [*notes, f"{error}."]
    first = table.series[made[0][0]].column
    interval = float(np.median(np.diff(table.times)))
    for place, (column, _) in enumerate(made[1:], start=1):
        if response.shares[place, 0] < LEAST_SHARE:
            continue
        path = response.responses[:, place, 0]
        peak = int(np.argmax(np.abs(path)))
        add(
            f"A one-deviation shock to {first} moves {table.series[column].column} by "
            f"{path[peak]:+.2f} deviations after {peak * interval:g} s and accounts for "
            f"{response.shares[place, 0]:.0%} of its forecast error over {HORIZON * interval:g} s "
            f"(vector autoregression, {response.lags} lags"
            + ("" if response.stable else ", not stable")
            + ").",
            table,
            column,
            rows,
        )
    return notes


def _kind(table: MetricTable, rows: slice, column: int) -> tuple[str, FloatArray]:
    """A sentence on one column, and the column deseasoned and differenced as it says."""
    values = bridge_gaps(table.values[rows, column : column + 1])[:, 0]
    verdict = stationarity(values)
    season = seasonality(values)
    name = table.series[column].column
    claim = (
        f"{name} is "
        + {
            0: "stationary",
            1: "stationary once differenced",
            2: "stationary once differenced twice",
        }[verdict.differences]
    )
    if not verdict.stationary:
        claim = f"{name} is not stationary even differenced twice"
    claim += f" (ADF p = {verdict.adf_p:.2g}, KPSS p = {verdict.kpss_p:.2g})"
    if season is not None:
        interval = float(np.median(np.diff(table.times)))
        claim += (
            f" and repeats every {season.period * interval:g} s (strength {season.strength:.2f})"
        )
        values = values - season.season
    return claim + ".", np.diff(values, verdict.differences)
