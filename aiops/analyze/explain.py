"""How the trouble travelled: edges between the suspects, with lags, p values and evidence.

An explanation, never a ranking: Granger edges between a handful of series are weak proof of
what came first, and worth showing only beside the order in which the series left their baseline.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from aiops.analyze.before_after import (
    ROWS_TO_SETTLE,
    alerted_columns,
    divide,
    onset_rows,
    stretch,
)
from aiops.analyze.columns import standardize
from aiops.analyze.granger import GrangerResult, granger
from aiops.analyze.wording import duration, number, plain, signal
from aiops.errors import AnalysisFailed
from aiops.model import (
    CaseData,
    Entity,
    Evidence,
    MetricTable,
    Propagation,
    Ranking,
    Series,
    ServiceGraph,
    Suspect,
    Trigger,
    Window,
)
from aiops.model.telemetry import FloatArray

ALPHA = 0.05
MAX_LAG = 10
UNEXPLAINED = "How it spread is not shown: no metrics of the suspects were recorded."


def explain(
    case: CaseData, ranking: Ranking, *, seed: int = 0, suspects: int = 6, deep: bool = False
) -> Ranking:
    """``ranking`` with propagation edges and the evidence behind them; its order is untouched.

    Looks at the series of the first ``suspects`` metric suspects and of the trigger. A Granger
    edge is a significant test (Benjamini-Hochberg over these pairs, .05) on once-differenced
    series whose effect did not leave its baseline before its cause, and that no two stronger
    edges explain. A call edge joins caller and
    callee where both moved; trouble flows from the one that moved first, else from the callee.
    Every new claim has one column as its ref; an edge cites both columns' claims.

    Args:
        case: the case the ranking is of.
        ranking: what an analyzer answered.
        seed: for interface symmetry; nothing here is drawn.
        suspects: how many suspects' series to look at.
        deep: also say, by statsmodels (seconds to import), what kind of series they are and how
            a shock in the first would travel.

    Returns: the ranking as it was, and a note, where there is nothing to look at.
    """
    del seed
    table = case.window.metrics
    columns = _columns(case.trigger, ranking, table, suspects) if table is not None else []
    if table is None or not columns:
        return replace(ranking, notes=(*ranking.notes, UNEXPLAINED))
    try:
        story = _Story.of(case, table.take(np.array(columns, dtype=np.intp)), ranking)
    except AnalysisFailed as error:
        return replace(ranking, notes=(*ranking.notes, f"Not explained: {error}."))

    book = _Evidence(ranking.evidence)
    onset_ids = _onset_claims(story, book)
    edges = [
        *_granger_edges(story, book, onset_ids),
        *_call_edges(case.window.graph, story, book, onset_ids),
    ]
    notes = [*story.notes, *_order(story)]
    if deep:
        from aiops.analyze.deep import deepen

        notes += deepen(story.table, story.rows, story.by_onset(), book.add)
    moved = story.moved()
    edges.sort(key=lambda edge: (moved[edge.source], moved[edge.target], edge.relation))
    return replace(
        ranking,
        suspects=_with_evidence(ranking, story, onset_ids),
        evidence=(*ranking.evidence, *book.new),
        propagation=(*ranking.propagation, *edges),
        notes=(*ranking.notes, *notes),
    )


class _Evidence:
    """Hands out the ids after those already given."""

    def __init__(self, given: Iterable[Evidence]) -> None:
        numbers = [int(m[1]) for e in given if (m := re.fullmatch(r"E(\d+)", e.id))]
        self._next = max(numbers, default=0) + 1
        self.new: list[Evidence] = []

    def add(self, claim: str, table: MetricTable, column: int, rows: slice) -> str:
        """Records one claim about one column over ``rows``; returns its id."""
        times = table.times[rows]
        item = Evidence(
            id=f"E{self._next}",
            kind="metric",
            claim=claim,
            source=table.source,
            window=Window(_utc(times[0]), _utc(times[-1])),
            ref=table.series[column].column,
        )
        self._next += 1
        self.new.append(item)
        return item.id


@dataclass(frozen=True, slots=True, eq=False)
class _Story:
    """The few series, when each left its baseline, and how they predict one another.

    Attributes:
        table: the suspects' and the trigger's columns.
        rows: the stretch around the onset that was tested.
        interval: seconds between rows.
        deviations: (n, k) of ``table.values``.
        onsets: (k,) unix seconds, infinite where a column did not move.
        tests: None where the rows do not carry them; ``notes`` say why.
    """

    table: MetricTable
    rows: slice
    interval: float
    deviations: FloatArray
    onsets: FloatArray
    tests: GrangerResult | None
    notes: tuple[str, ...]

    @classmethod
    def of(cls, case: CaseData, table: MetricTable, ranking: Ranking) -> "_Story":
        """Raises AnalysisFailed where the table cannot be divided."""
        at = ranking.onset.timestamp() if ranking.onset is not None else None
        division = divide(case, table, at=at)
        deviations = division.deviations(table.values)
        rows = stretch(table, division.row)
        found = onset_rows(deviations[rows])
        onsets = np.where(found >= 0, table.times[rows][found], np.inf)
        tests, notes = None, division.notes
        try:
            tests = granger(np.diff(table.values[rows], axis=0), lag="bic", max_lag=MAX_LAG)
        except AnalysisFailed as error:
            notes = (*notes, f"No Granger edges: {error}.")
        else:
            notes += tuple(
                f"No Granger edges of {_named(table.series[d.column])}: {d.reason}."
                for d in tests.dropped
            )
        interval = float(np.median(np.diff(table.times)))
        return cls(table, rows, interval, deviations, onsets, tests, notes)

    def by_onset(self) -> list[int]:
        """The columns in the order in which they moved; those that did not move are last."""
        return [int(i) for i in np.argsort(self.onsets, kind="stable")]

    def moved(self) -> dict[Entity, float]:
        """When each entity first moved, earliest first; without those that did not."""
        first: dict[Entity, float] = {}
        for column in self.by_onset():
            if np.isfinite(self.onsets[column]):
                first.setdefault(self.table.series[column].entity, float(self.onsets[column]))
        return first


def _columns(trigger: Trigger, ranking: Ranking, table: MetricTable, suspects: int) -> list[int]:
    """Columns of the first suspects, then the most suspicious of the alert's, without repeats."""
    place: dict[tuple[Entity, str], int] = {}
    for i, series in enumerate(table.series):
        place.setdefault((series.entity, series.metric), i)
    ranked = [
        place[s.entity, s.indicator.name]
        for s in ranking.suspects
        if s.indicator is not None and (s.entity, s.indicator.name) in place
    ]
    alerted = alerted_columns(trigger, table.series)
    # By name where none is suspected: the order of columns must not choose.
    alerted = [i for i in ranked if i in alerted] or sorted(
        alerted, key=lambda i: table.series[i].column
    )
    return list(dict.fromkeys([*ranked[:suspects], *alerted[:1]]))


def _onset_claims(story: _Story, book: _Evidence) -> dict[int, str]:
    """One claim for every column that moved, in the order they did; ids by column."""
    ids = {}
    first = story.onsets.min()
    for column in story.by_onset():
        if not np.isfinite(story.onsets[column]):
            continue
        since = story.deviations[story.table.times >= story.onsets[column], column]
        late = story.onsets[column] - first
        claim = (
            f"{_named(story.table.series[column])} left its baseline at "
            f"{_utc(story.onsets[column]):%H:%M:%S} UTC, "
            + (f"{duration(late)} after the first suspect" if late else "first among the suspects")
            + f"{_height(since[:ROWS_TO_SETTLE])}."
        )
        ids[column] = book.add(claim, story.table, column, story.rows)
    return ids


def _height(deviations: FloatArray) -> str:
    """How far a column went at first; nothing where it has no samples then."""
    if np.isnan(deviations).all():
        return ""
    typical = float(np.nanmedian(deviations))
    way = "up" if typical > 0 else "down"
    return f", {way} by {number(abs(typical))} times its usual variation"


def _granger_edges(
    story: _Story, book: _Evidence, onset_ids: dict[int, str]
) -> Iterator[Propagation]:
    tests, series = story.tests, story.table.series
    if tests is None:
        return
    for cause, effect in _significant(tests, story):
        lag = _strongest_lag(story, tests, cause, effect) * story.interval
        q = float(tests.q[cause, effect])
        claim = (
            f"Changes of {_named(series[cause])} precede those of {_named(series[effect])}, most "
            f"by {duration(lag)} (Granger, {tests.lags[effect]} lags, "
            f"F = {tests.f[cause, effect]:.1f}, {_probability(q)})."
        )
        test = book.add(claim, story.table, effect, story.rows)
        cited = (test, onset_ids[cause], onset_ids[effect])
        yield Propagation(series[cause].entity, series[effect].entity, "granger", lag, q, cited)


def _significant(tests: GrangerResult, story: _Story) -> list[tuple[int, int]]:
    """The strongest significant (cause, effect) of each ordered pair of entities that moved."""
    series, onsets = story.table.series, story.onsets
    pairs = [
        (float(tests.p[c, e]), int(c), int(e))
        for c, e in np.argwhere(tests.identifiable & (tests.q < ALPHA))
        if np.isfinite(onsets[c])
        and np.isfinite(onsets[e])
        and series[c].entity != series[e].entity
    ]
    best: dict[tuple[Entity, Entity], tuple[int, int]] = {}
    for _, cause, effect in sorted(pairs):
        forth = (series[cause].entity, series[effect].entity)
        later = onsets[cause] > onsets[effect]
        # Moved together: only the stronger direction is told.
        back = onsets[cause] == onsets[effect] and forth[::-1] in best
        if not later and not back:
            best.setdefault(forth, (cause, effect))
    return [best[forth] for forth in _direct(list(best))]


def _direct(edges: list[tuple[Entity, Entity]]) -> list[tuple[Entity, Entity]]:
    """Strongest first in, without those that two stronger edges already explain.

    As ARACNE prunes (Margolin et al. 2006): a -> c goes where a -> b and b -> c are stronger.
    """
    kept: list[tuple[Entity, Entity]] = []
    for source, target in edges:
        steps = {end for start, end in kept if start == source}
        if not any((step, target) in kept for step in steps):
            kept.append((source, target))
    return kept


def _strongest_lag(story: _Story, tests: GrangerResult, cause: int, effect: int) -> int:
    """The lag, up to the tested ones, at which the differenced series correlate most."""
    values = np.diff(story.table.values[story.rows][:, [cause, effect]], axis=0)
    x, y = standardize(values).values.T
    lags = range(1, int(tests.lags[effect]) + 1)
    return max(lags, key=lambda k: abs(float(x[:-k] @ y[k:])) / (x.size - k))


def _call_edges(
    graph: ServiceGraph | None, story: _Story, book: _Evidence, onset_ids: dict[int, str]
) -> list[Propagation]:
    if graph is None:
        return []
    first: dict[str, int] = {}  # of each service, the column that moved first
    for column in story.by_onset():
        if column in onset_ids:
            first.setdefault(story.table.series[column].entity.service_name, column)
    edges: dict[tuple[int, int], Propagation] = {}
    for call in graph.calls:
        caller = first.get(call.source.service_name)
        callee = first.get(call.target.service_name)
        if caller is None or callee is None or caller == callee:
            continue
        cause, effect = (callee, caller)
        if story.onsets[caller] < story.onsets[callee]:
            cause, effect = effect, cause
        if (cause, effect) in edges:
            continue
        lag = float(story.onsets[effect] - story.onsets[cause])
        series = story.table.series
        claim = (
            f"{plain(call.source.name)} calls {plain(call.target.name)}; {_named(series[effect])} "
            f"moved {duration(lag)} after {_named(series[cause])}."
        )
        told = book.add(claim, story.table, effect, story.rows)
        edges[cause, effect] = Propagation(
            series[cause].entity,
            series[effect].entity,
            "calls",
            lag,
            None,
            (told, onset_ids[cause], onset_ids[effect]),
        )
    return list(edges.values())


def _named(series: Series) -> str:
    """A column in words, as the claims of a ranking name it."""
    return signal(series.metric, series.entity.name)


def _order(story: _Story) -> list[str]:
    """The order in which entities moved, as one sentence; nothing where fewer than two did."""
    moved = story.moved()
    if len(moved) < 2:
        return []
    start = min(moved.values())
    steps = [f"{entity.name} (+{duration(at - start)})" for entity, at in moved.items()]
    return [f"Order of onset: {', '.join(steps)}."]


def _with_evidence(
    ranking: Ranking, story: _Story, onset_ids: dict[int, str]
) -> tuple[Suspect, ...]:
    """The same suspects in the same order, those looked at citing their onset."""
    told = {
        (story.table.series[column].entity, story.table.series[column].metric): evidence
        for column, evidence in onset_ids.items()
    }
    return tuple(
        replace(s, evidence=(*s.evidence, told[s.entity, s.indicator.name]))
        if s.indicator is not None and (s.entity, s.indicator.name) in told
        else s
        for s in ranking.suspects
    )


def _probability(q: float) -> str:
    """A corrected p value; what underflows is bounded, never printed as zero."""
    return f"corrected p = {q:.2g}" if q > 1e-12 else "corrected p < 1e-12"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
