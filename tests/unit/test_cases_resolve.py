"""What a user may call a case, and what they are told when there is none."""

import json
from pathlib import Path

import pytest

from aiops.app import cases
from aiops.errors import InvalidInput
from aiops.ports.cases import CaseHints

NONE = CaseHints()
T0 = 1_700_000_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("cart_cpu_1", "cart_cpu_2"):
        case = tmp_path / "data" / "shop" / name
        case.mkdir(parents=True)
        (case / "case.json").write_text(json.dumps({"dataset": "shop", "inject_time": T0 + 1}))
        (case / "metrics.csv").write_text(f"time,cart_cpu\n{T0},1\n{T0 + 1},2\n{T0 + 2},{name[-1]}")
    (tmp_path / "outside").mkdir()
    return tmp_path / "data"


def test_a_folder_a_name_and_an_id_mean_the_same_case(root: Path) -> None:
    by_folder = cases.load(str(root / "shop" / "cart_cpu_2"), root, NONE)
    assert cases.load("shop:cart_cpu_2", root, NONE).id == by_folder.id
    assert cases.load(by_folder.id, root, NONE).id == by_folder.id
    assert cases.load(f"shop:{by_folder.id}", root, NONE).id == by_folder.id
    assert cases.load("shop:cart_cpu_1", root, NONE).id != by_folder.id


def test_a_folder_needs_no_data_root(root: Path, tmp_path: Path) -> None:
    assert cases.load(str(root / "shop" / "cart_cpu_1"), tmp_path / "nowhere", NONE).window.metrics


def test_a_planted_world_is_a_case(root: Path) -> None:
    source, location = cases.resolve("synthetic:7", root, NONE)
    assert source.name == "synthetic"
    assert source.load(location, NONE).window.metrics is not None


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("shop:../../outside", "climbs out"),
        ("../outside:x", "climbs out"),
        ("/etc:passwd", "climbs out"),
        ("shop:cart_cpu_9", "has no case 'cart_cpu_9'"),
        ("mall:cart_cpu_1", "no dataset 'mall' .* there are: shop"),
        ("c0123456789ab", "no case 'c0123456789ab'"),
        ("./nowhere/at/all", "no such folder"),
        ("", "holds no case"),
    ],
)
def test_a_case_that_is_none_is_refused_with_what_to_do(
    root: Path, case: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent / "outside")
    (root.parent / "outside" / "readme.txt").write_text("x")
    with pytest.raises(InvalidInput, match=message) as caught:
        cases.load(case, root, NONE)
    assert "\n" not in str(caught.value)


def test_a_folder_of_many_cases_asks_for_one(root: Path) -> None:
    with pytest.raises(InvalidInput, match="holds 2 cases; name one as shop:CASE"):
        cases.load(str(root / "shop"), root, NONE)


def test_an_empty_folder_says_what_to_put_into_it(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"is empty; put a metrics\.csv"):
        cases.load(str(tmp_path / "outside"), root, NONE)


def test_a_table_is_a_case_and_another_file_is_none(root: Path) -> None:
    folder = root / "shop" / "cart_cpu_1"
    assert cases.load(str(folder / "metrics.csv"), root, NONE).window.metrics is not None
    (folder / "notes.md").write_text("seen at night")
    with pytest.raises(InvalidInput, match="is no table; give a CSV file"):
        cases.load(str(folder / "notes.md"), root, NONE)


def test_a_graph_that_is_not_there_is_refused_before_anything_is_read(root: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no such graph file"):
        cases.load("shop:cart_cpu_1", root, CaseHints(graph=root / "none.csv"))
