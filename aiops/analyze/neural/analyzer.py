"""Neural Granger edges, walked back from effects to causes: RUN behind the analyzers' port.

After Lin, Chang, Wang, Wang and Peng, "Root cause analysis in microservice using neural Granger
causal discovery" (RUN, AAAI 2024, arXiv 2402.01140). It stands beside the linear granger_pagerank:
same columns, same differencing, same walk, other edges.
"""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aiops.analyze.before_after import MOVED, Division, alerted_columns, divide, stretch
from aiops.analyze.columns import standardize
from aiops.analyze.neural import ranking
from aiops.analyze.neural.account import Account
from aiops.analyze.neural.backend import load_torch
from aiops.analyze.neural.significance import Edges, distinct, significant_edges
from aiops.analyze.neural.windows import FEWEST_ROWS
from aiops.analyze.samples import by_name
from aiops.analyze.wording import listed
from aiops.errors import AnalysisFailed
from aiops.model import (
    CaseData,
    Entity,
    Indicator,
    MetricTable,
    Propagation,
    Ranking,
    Series,
    Suspect,
)
from aiops.model.telemetry import FloatArray, IntArray

if TYPE_CHECKING:
    from aiops.analyze.neural.forecaster import Progress

MOST_COLUMNS = 60
"""Series whose edges are sought, the most shifted: training grows with their square, and what moved
less than sixty others is no suspect."""
LOUDEST = 5.0
"""Standard deviations at which a change is cut: the one row of the step itself would otherwise be
all that a least-squares forecast learns."""
CITED = 5
"""Suspects whose shift is spelled out."""
TOLD_EDGES = 8
"""Edges between suspects that are told, the surest first."""
NAMED = 5
"""Columns named in a note before the rest is only counted."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Causes:
    """Edges among the series ``columns`` of the case's table, [source, target].

    Attributes:
        columns: (k,) positions in the table; edges and lags are about these.
        lags: (k, k) rows.
    """

    columns: npt.NDArray[np.intp]
    edges: Edges
    lags: IntArray


class NeuralGranger:
    """Ranks (entity, metric) by PageRank over neural Granger edges and calls.

    Args:
        progress: told (stage, done, total) while it trains; see forecaster.Progress.
        device: "cpu" or "cuda"; by default a GPU where there is one.
        pretrained: whether the contrastive stage runs; off in the ablation.
    """

    name = "neural_granger"

    def __init__(
        self,
        *,
        progress: "Progress | None" = None,
        device: str | None = None,
        pretrained: bool = True,
    ) -> None:
        self._progress, self._device, self._pretrained = progress, device, pretrained

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        """The suspects of ``case``; confidence is not estimated (0).

        "inconclusive" where nothing moved beyond three of its usual variations.

        Raises:
            AnalysisFailed: torch is missing, there are no metrics, under 2 rows, or no column with
                a signal.
        """
        load_torch()  # before any work: a method that is not installed must not look slow
        table = case.window.metrics
        if table is None or not table.series:
            raise AnalysisFailed(f"{self.name}: the case has no metrics; try another method")
        table = by_name(table)
        varying = _varying(table.values)
        if not varying.any():
            raise AnalysisFailed(
                f"{self.name}: no column of {table.source} varies; widen the window"
            )
        division = divide(case, table)
        shift = np.where(varying, division.shift(table.values), 0.0)
        causes, notes = self._causes(case, table, division, shift, seed)
        order, score = _order(case, table, shift, causes, seed)
        order = [i for i in order if varying[i]]
        moved = float(shift.max()) >= MOVED
        told = Account(table, division)
        cited = {column: told.shift(column, shift[column]) for column in order[:CITED]}
        return Ranking(
            verdict="root_cause" if moved else "inconclusive",
            suspects=_suspects(table.series, order, score, cited),
            onset=told.onset(order[0]) if moved else None,
            propagation=() if causes is None else _propagation(told, causes, shift),
            evidence=told.evidence,
            notes=(*division.notes, *_flat(table, varying), *notes),
        )

    def _causes(
        self, case: CaseData, table: MetricTable, division: Division, shift: FloatArray, seed: int
    ) -> tuple[_Causes | None, tuple[str, ...]]:
        """Neural edges among the most shifted series; None, and why, where there can be none.

        Every series is differenced once: a fault is a step, and series that merely both step
        predict one another's level, but not one another's changes.
        """
        chosen = np.sort(np.argsort(-shift, kind="stable")[:MOST_COLUMNS])
        values = np.diff(table.values[stretch(table, division.row)][:, chosen], axis=0)
        if len(values) < FEWEST_ROWS:
            few = f"{len(values)} changes are fewer than the {FEWEST_ROWS} that windows need"
            return None, (f"No neural edges: {few}.",)
        usable = standardize(values)
        if usable.kept.size < 2:
            return None, ("No neural edges: fewer than two columns vary from row to row.",)
        from aiops.analyze.neural.forecaster import fit

        kept = chosen[usable.kept]
        prior = ranking.call_prior([table.series[i] for i in kept], case.window.graph)
        found = fit(
            np.clip(usable.values, -LOUDEST, LOUDEST),
            seed=seed,
            prior=prior,
            device=self._device,
            pretrained=self._pretrained,
            progress=self._progress,
        )
        edges = significant_edges(
            found.contributions,
            found.residuals,
            block=found.window,
            prior=prior,
            testable=distinct(usable.values),
        )
        notes = () if edges.present.any() else ("No neural edge stands out from noise.",)
        return _Causes(kept, edges, found.lags), notes


def _order(
    case: CaseData, table: MetricTable, shift: FloatArray, causes: _Causes | None, seed: int
) -> tuple[list[int], FloatArray]:
    """The columns, most blamed first, and (m,) their scores."""
    blames = ranking.call_blames(case.window.graph, table.series, shift)
    if causes is not None:
        blames += ranking.causal_blames(causes.edges, causes.columns, shift)
    alerted = alerted_columns(case.trigger, table.series)
    score = ranking.blame_scores(blames, shift, alerted)
    distance = ranking.steps_from_alert(shift.size, blames, alerted)
    lots = np.array([zlib.crc32(f"{seed}:{one.column}".encode()) for one in table.series], float)
    return [int(i) for i in ranking.order_of(score, shift, distance, lots)], score


def _propagation(told: Account, causes: _Causes, shift: FloatArray) -> tuple[Propagation, ...]:
    """The surest edge of each ordered pair of entities that both moved, told and cited."""
    edges, columns, series = causes.edges, causes.columns, told.table.series
    pairs = np.argwhere(edges.present)
    told_pairs: set[tuple[Entity, Entity]] = set()
    found: list[Propagation] = []
    for cause, effect in pairs[np.argsort(edges.q[tuple(pairs.T)], kind="stable")]:
        source, target = int(columns[cause]), int(columns[effect])
        ends = (series[source].entity, series[target].entity)
        still = min(shift[source], shift[target]) < MOVED
        if ends[0] == ends[1] or still or ends in told_pairs or len(found) == TOLD_EDGES:
            continue
        told_pairs.add(ends)
        lag, q = told.seconds(int(causes.lags[cause, effect])), float(edges.q[cause, effect])
        cited = told.edge(source, target, lag, q, float(edges.gain[cause, effect]))
        found.append(Propagation(*ends, "granger", lag, q, (cited,)))
    return tuple(found)


def _suspects(
    series: tuple[Series, ...], order: list[int], score: FloatArray, cited: dict[int, str]
) -> tuple[Suspect, ...]:
    suspects: dict[tuple[Entity, str], Suspect] = {}
    for column in order:
        one = series[column]
        suspect = Suspect(
            one.entity,
            Indicator("metric", one.metric),
            float(score[column]),
            evidence=(cited[column],) if column in cited else (),
        )
        suspects.setdefault((one.entity, one.metric), suspect)
    return tuple(suspects.values())


def _varying(values: FloatArray) -> Mask:
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    return np.asarray(high > low, dtype=bool)


def _flat(table: MetricTable, varying: Mask) -> tuple[str, ...]:
    flat = [table.series[i].column for i in np.flatnonzero(~varying)]
    if not flat:
        return ()
    return (f"Left out, constant or without samples: {listed(flat, most=NAMED)}.",)
