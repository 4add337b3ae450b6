"""Expressions in a source's own language, bounded."""

from typing import Annotated, Final

from pydantic import Field

from aiops.analyze.wording import listed
from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops.ports.expressions import Curve, ExpressionSource
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.telemetry.gathering import Readers
from aiops_tools.telemetry.told import Told
from aiops_tools.windows import InWindow, stretch, told

MOST_POINTS: Final = 240
"""Read of each series, whatever the window."""


class Expression(InWindow):
    """What is asked, and of whom."""

    expression: Annotated[str, Field(min_length=1, max_length=2000, description="PromQL")]
    source: Annotated[
        str | None, Field(max_length=200, description="of metrics, as configured")
    ] = None
    points: Annotated[int, Field(ge=0, le=60, description="of each series in the answer")] = 12
    limit: Annotated[int, Field(ge=1, le=50, description="series answered")] = 20


class CurveRow(Result):
    """One series; ``points`` are its values at equal distances."""

    labels: dict[str, str]
    samples: int
    lowest: float | None
    mean: float | None
    highest: float | None
    last: float | None
    points: list[float | None]


class ExpressionValues(Told):
    """Series, those that go highest first."""

    expression: str
    step_s: float
    series: list[CurveRow]


def evaluate(readers: Readers, asked: Expression) -> Answer:
    """The values of an expression."""
    source = _source(readers, asked.source)
    window = asked.window(readers.now())
    found = source.evaluate(
        asked.expression,
        window.start,
        window.end,
        most_series=asked.limit,
        most_points=MOST_POINTS,
    )
    rows = [_row(curve, asked.points) for curve in found.curves]
    total = len(rows) + found.left_out
    result = ExpressionValues(
        window=stretch(window),
        sources=[source.name],
        total=total,
        left_out=found.left_out,
        expression=asked.expression,
        step_s=found.step_s,
        series=rows,
    )
    left_out = f"; the lowest {found.left_out} left out" if found.left_out else ""
    summary = paragraphs(
        f"{total} series every {found.step_s:g} s, {told(window)}, from {source.name}{left_out}",
        table(
            ("labels", "lowest", "mean", "highest", "last"),
            ((_labels(r.labels), r.lowest, r.mean, r.highest, r.last) for r in rows),
        ),
    )
    unread = tuple(Unread(f"part of {source.name}", note) for note in found.notes)
    return Answer(result, summary, unread)


def expression_sources(readers: Readers) -> dict[str, ExpressionSource]:
    """Those that can be asked, by name."""
    return {name: one for name, one in readers.sources if isinstance(one, ExpressionSource)}


def _source(readers: Readers, name: str | None) -> ExpressionSource:
    sources = expression_sources(readers)
    if name is None and len(sources) == 1:
        return next(iter(sources.values()))
    if name is None:
        raise ToolFailed("invalid", f"say which 'source': {listed(sorted(sources), most=12)}")
    if name not in sources:
        raise ToolFailed(
            "not_found",
            f"no source {name!r} takes expressions; there are {listed(sorted(sources), most=12)}",
        )
    return sources[name]


def _row(curve: Curve, points: int) -> CurveRow:
    values = curve.values
    step = max(1, -(-len(values) // points)) if points else 0
    return CurveRow(
        labels=dict(curve.labels),
        samples=len(values),
        lowest=rounded(float(values.min())),
        mean=rounded(float(values.mean())),
        highest=rounded(float(values.max())),
        last=rounded(float(values[-1])),
        points=[rounded(float(one)) for one in values[::step]] if step else [],
    )


def _labels(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items()) or "(none)"


EVALUATE = Question(
    "promql",
    "Values of a PromQL expression over time, from a configured Prometheus-like source.",
    Expression,
    ExpressionValues,
    evaluate,
    ("sum by (code) (rate(http_requests_total[5m]))", "Which pods restarted in the last hour?"),
)
