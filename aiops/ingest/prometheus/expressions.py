"""Expressions that others write: bounded in series, points, bytes and time."""

from typing import Final

import numpy as np

from aiops.errors import InvalidInput
from aiops.ingest.http import Budget, Refused
from aiops.ingest.prometheus.api import Api, Samples
from aiops.ports.expressions import Curve, Evaluated

LOOKED_AT: Final = 20
"""Times as many series as are answered may be read for them; more are refused before they are."""


def evaluated(
    api: Api,
    expression: str,
    start: float,
    end: float,
    step: float,
    most_series: int,
    budget: Budget,
) -> Evaluated:
    """The values of ``expression`` every ``step`` seconds; the series that go highest come first.

    Raises:
        InvalidInput: no PromQL, or too many series.
        SourceUnavailable: the server cannot answer.
    """
    _must_be_few(api, expression, end, most_series * LOOKED_AT, budget)
    try:
        answer = api.between(expression, start, end, step, budget)
    except Refused as refused:
        if refused.status == 400:  # of the expression; it says where
            raise InvalidInput(f"the server does not take it: {refused.said}") from refused
        raise
    curves = [_curve(one) for one in answer.series]
    curves = sorted((one for one in curves if len(one.times)), key=_highest_first)
    left_out = max(0, len(curves) - most_series)
    return Evaluated(tuple(curves[:most_series]), step, left_out, answer.warnings)


def _must_be_few(api: Api, expression: str, at: float, most: int, budget: Budget) -> None:
    try:
        # On lines of its own: a comment at the end of the expression stays its own.
        found = api.now(f"count(\n{expression}\n)", at, budget)
    except Refused:
        return  # a plain number, or no PromQL, which the question itself will say
    if found and found[0] > most:
        raise InvalidInput(
            f"it has {found[0]:.0f} series, and at most {most} are read; aggregate them, as with "
            "sum by (...), or name labels"
        )


def _curve(one: Samples) -> Curve:
    known = np.isfinite(one.values)
    return Curve(tuple(sorted(one.labels.items())), one.times[known], one.values[known])


def _highest_first(one: Curve) -> tuple[float, tuple[tuple[str, str], ...]]:
    return -float(one.values.max()), one.labels
