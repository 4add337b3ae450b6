"""The README says what was measured: its table is the published results, to the letter."""

import json
from pathlib import Path

import pytest

from aiops_evals.readme import table, with_table

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / "evals/results/rca-dev.json").read_text(encoding="utf-8"))


def test_the_readme_holds_the_table_of_the_published_results():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(readme, RESULTS) == readme


def test_the_pool_is_the_sum_of_the_sets():
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table(RESULTS).split("\n")
    ]
    sets, pool = lines[2:-1], lines[-1]
    assert pool[0] == "all"
    assert int(pool[1]) == sum(int(line[1]) for line in sets)


def test_a_readme_without_the_markers_is_refused():
    with pytest.raises(ValueError, match="accuracy"):
        with_table("nothing here", RESULTS)
