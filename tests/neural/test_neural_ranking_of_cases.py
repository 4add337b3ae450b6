"""The neural analyzer, with torch, on synthetic worlds and, where present, recorded cases."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aiops.analyze.neural.analyzer import NeuralGranger
from aiops.app.evidence import resolve
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, MetricTable
from aiops_datasets.case import Case
from aiops_datasets.catalog import load_case, locations
from aiops_datasets.synthetic import World, plant

pytest.importorskip("torch", reason="torch is the [neural] extra; run `make test-neural`")

DATA = Path(os.environ.get("AIOPS_DATASETS", Path(__file__).parents[3] / "shared" / "datasets"))
STEPPED = "rcd-sockshop"


def world(seed: int = 1, **changes: object) -> CaseData:
    return plant(World(seed, **changes)).data  # type: ignore[arg-type]


def with_metrics(case: CaseData, table: MetricTable) -> CaseData:
    return replace(case, window=replace(case.window, metrics=table))


def metrics(case: CaseData) -> MetricTable:
    table = case.window.metrics
    assert table is not None
    return table


def test_every_claim_about_a_planted_fault_is_found_again_in_the_case():
    case = world()
    ranking = NeuralGranger().rank(case)
    assert ranking.verdict == "root_cause"
    ids = {evidence.id for evidence in ranking.evidence}
    assert ids == {f"E{i}" for i in range(1, len(ids) + 1)}
    for evidence in ranking.evidence:
        assert np.isfinite(resolve(case, evidence).values).any()  # type: ignore[union-attr]
    cited = [i for edge in ranking.propagation for i in edge.evidence]
    cited += [i for suspect in ranking.suspects for i in suspect.evidence]
    assert set(cited) == ids
    assert all(edge.lag_s is not None and edge.lag_s > 0 for edge in ranking.propagation)


def test_the_order_of_the_columns_changes_nothing_to_the_bit():
    case = world(2)
    table = metrics(case)
    order = np.random.default_rng(0).permutation(len(table.series))
    assert NeuralGranger().rank(with_metrics(case, table.take(order))) == NeuralGranger().rank(case)


def test_quiet_metrics_are_inconclusive_and_accuse_nobody():
    case = world()
    table = metrics(case)
    quiet = np.random.default_rng(0).normal(100, 1, size=table.values.shape)
    ranking = NeuralGranger().rank(with_metrics(case, replace(table, values=quiet)))
    assert ranking.verdict == "inconclusive"
    assert ranking.onset is None
    assert ranking.propagation == ()


def test_too_few_rows_for_windows_are_ranked_without_edges_and_it_is_said():
    case = world()
    table = metrics(case)
    assert case.trigger.at is not None
    alert = case.trigger.at.timestamp()
    ranking = NeuralGranger().rank(with_metrics(case, table.between(alert - 20, alert + 15)))
    assert ranking.suspects
    assert any(note.startswith("No neural edges: 34 changes are fewer") for note in ranking.notes)


def test_constant_missing_and_endless_columns_are_named_and_harm_nobody():
    case = world()
    table = metrics(case)
    values = table.values.copy()
    values[:, 0], values[:, 1], values[5, 2] = 3.0, np.nan, np.inf
    ranking = NeuralGranger().rank(with_metrics(case, replace(table, values=values)))
    names = {table.series[0].column, table.series[1].column}
    (note,) = [n for n in ranking.notes if n.startswith("Left out, constant or without samples")]
    assert all(name in note for name in names)
    assert len(ranking.suspects) == len(table.series) - 2
    assert all(np.isfinite(suspect.score) for suspect in ranking.suspects)


@pytest.mark.parametrize(
    ("rows", "complaint"), [(None, "has no metrics"), (0, "no column"), (1, "no column")]
)
def test_what_cannot_be_ranked_fails_by_name(rows, complaint):
    case = world()
    table = metrics(case)
    if rows is None:
        case = replace(case, window=replace(case.window, metrics=None))
    else:
        start = float(table.times[0])
        case = with_metrics(case, table.between(start, start + rows * 1.0))
    with pytest.raises(AnalysisFailed, match=complaint):
        NeuralGranger().rank(case)


def recorded(number: int) -> list[Case]:
    if not (DATA / STEPPED).is_dir():
        pytest.skip(
            f"{DATA / STEPPED} is absent; set AIOPS_DATASETS to the folder of the data sets"
        )
    return [load_case(location) for location in list(locations(DATA, STEPPED))[::7][:number]]


def test_recorded_hogs_are_found_at_service_level():
    found = 0
    cases = recorded(4)
    for case in cases:
        first = NeuralGranger().rank(case.data).suspects[0].entity.service_name
        found += first in {entity.service_name for entity in case.answers.entities}
    assert found >= len(cases) - 1
