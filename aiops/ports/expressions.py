"""The door for questions in a source's own language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One series of an answer.

    Attributes:
        labels: names and values, sorted by name.
        times, values: (n,) unix seconds, ascending, and finite values.
    """

    labels: tuple[tuple[str, str], ...]
    times: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """The answer to one expression.

    Attributes:
        left_out: how many series it has beside ``curves``.
        notes: what the source warns of.
    """

    curves: tuple[Curve, ...]
    step_s: float
    left_out: int = 0
    notes: tuple[str, ...] = ()


@runtime_checkable
class ExpressionSource(Protocol):
    """Evaluates expressions over time.

    Attributes:
        name: of the source, as configured.
        language: of the expressions: "PromQL".
    """

    name: str
    language: str

    def evaluate(
        self,
        expression: str,
        start: datetime,
        end: datetime,
        *,
        most_series: int,
        most_points: int,
    ) -> Evaluated:
        """The values from ``start`` to ``end``, at most ``most_points`` of a series.

        Raises:
            InvalidInput: the source does not understand the expression, or it has far more series
                than ``most_series``.
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...
