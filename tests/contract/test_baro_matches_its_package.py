"""Our BARO and n-sigma rank as the authors' package (fse-baro) does, on every recorded case."""

import os
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from aiops import plugins
from aiops.model import CaseData
from aiops_datasets.catalog import load_case, locations

ROOT = Path(
    os.environ.get("AIOPS_DATASETS", Path(__file__).parents[2].parent / "shared" / "datasets")
)
DATASET = "rcd-sockshop"
TIED = 1e-9  # scores this close, relatively, may stand in either order

pytestmark = pytest.mark.skipif(
    not (ROOT / DATASET).is_dir(), reason=f"{DATASET} is not below {ROOT}; set AIOPS_DATASETS"
)


@pytest.fixture(scope="module")
def cases() -> list[CaseData]:
    return [load_case(location).data for location in locations(ROOT, DATASET)]


def packaged(function: str, case: CaseData) -> list[str]:
    """The package's order of columns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, on import and on writing to a slice
        import pandas as pd
        from baro import root_cause_analysis

        table = case.window.metrics
        assert table is not None
        assert case.trigger.at is not None
        frame = pd.DataFrame(table.values, columns=[one.column for one in table.series])
        frame.insert(0, "time", table.times)
        rank = getattr(root_cause_analysis, function)
        ranks: list[str] = rank(frame, inject_time=case.trigger.at.timestamp())["ranks"]
        return ranks


def ours(name: str, case: CaseData) -> dict[str, float]:
    """Column -> score, in our order."""
    table = case.window.metrics
    assert table is not None
    column = {(one.entity, one.metric): one.column for one in table.series}
    ranking = plugins.analyzer(name).rank(case)
    return {column[one.entity, one.indicator.name]: one.score for one in ranking.suspects}


def rises(scores: list[float]) -> Iterator[tuple[int, float, float]]:
    """Places where a score is larger than the one before it by more than a tie's rounding."""
    for place, (one, other) in enumerate(pairwise(scores), start=1):
        if other > one and not np.isclose(one, other, rtol=TIED):
            yield place, one, other


def test_there_are_cases_to_compare(cases):
    assert len(cases) >= 30


@pytest.mark.parametrize(("name", "function"), [("baro", "robust_scorer"), ("nsigma", "nsigma")])
def test_the_ranking_is_the_packages_on_every_case(cases, name, function):
    for case in cases:
        theirs, own = packaged(function, case), ours(name, case)
        assert set(theirs) == set(own)
        assert not list(rises([own[column] for column in theirs]))
        first = next(iter(own))
        assert first == theirs[0] or own[first] == pytest.approx(own[theirs[0]], rel=TIED)
