"""Constants found in the source, and one of them rewritten wherever it was copied."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_evals.constants import Constant, constants_of, imported_anew, reached_from
from aiops_evals.sensitivity import default_constants

SOURCE = '''
from elsewhere import OTHER
FLOOR = 0.5
"""Milliseconds: below it nobody
notices."""
ROWS = 2 * 3  # rows a block
# Of the two.
LEAST, MOST = 1, 40
SLOPE = -2.0
WEIGHT = {Kind.A: 1.0, Kind.B: 16 * 2}
_UNITS = {"k": 1000}
NAMES = ("a", "b")
SURE = True
DERIVED = FLOOR * 2
def f():
    INSIDE = 3
'''


def found(source: str) -> dict[str, Constant]:
    return {one.name: one for one in constants_of("m", source)}


def test_numbers_tables_and_pairs_are_constants_and_nothing_else_is() -> None:
    assert {name: one.value for name, one in found(SOURCE).items()} == {
        "FLOOR": 0.5,
        "ROWS": 6,
        "LEAST": 1,
        "MOST": 40,
        "SLOPE": -2.0,
        "WEIGHT[Kind.A]": 1.0,
        "WEIGHT[Kind.B]": 32,
    }


def test_a_reason_is_the_docstring_below_or_the_comment_beside_or_above() -> None:
    reasons = {name: one.reason for name, one in found(SOURCE).items()}
    assert reasons["FLOOR"] == "Milliseconds: below it nobody notices."
    assert reasons["ROWS"] == "rows a block"
    assert reasons["MOST"] == "Of the two."
    assert reasons["SLOPE"] == ""


@given(st.integers(-(10**6), 10**6))
def test_counts_stay_counts_and_never_become_zero(value: int) -> None:
    one = Constant("m", "N", value, (1, 0, 1, 1), "")
    for changed in (one.halved, one.doubled):
        assert changed is None or (isinstance(changed, int) and changed != 0)
    assert one.doubled == (2 * value or None)


def test_every_constant_of_the_default_method_says_why_it_has_its_value() -> None:
    missing = [f"{one.module}.{one.name}" for one in default_constants() if not one.reason]
    assert missing == []


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Three modules: a number, a copy of it in a default, and a lazy importer of that."""
    folder = tmp_path / "planted_rules"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "floors.py").write_text("FLOOR = 4.0\nROWS, COLUMNS = 3, 5\nSIZE = 2 * 8\n")
    (folder / "rules.py").write_text(
        "from planted_rules.floors import FLOOR\ndef floor(value=FLOOR):\n    return value\n"
    )
    (folder / "lazy.py").write_text(
        "def floor():\n    from planted_rules import rules\n    return rules.floor()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield "planted_rules"
    for name in [name for name in sys.modules if name.partition(".")[0] == "planted_rules"]:
        del sys.modules[name]


def planted(name: str) -> Constant:
    source = "FLOOR = 4.0\nROWS, COLUMNS = 3, 5\nSIZE = 2 * 8\n"
    return next(one for one in constants_of("planted_rules.floors", source) if one.name == name)


def test_another_value_reaches_defaults_and_copies_and_is_gone_afterwards(package: str) -> None:
    before = importlib.import_module("planted_rules.rules")
    with imported_anew(planted("FLOOR"), 8.0, package):
        assert importlib.import_module("planted_rules.lazy").floor() == 8.0
    assert importlib.import_module("planted_rules.rules") is before
    assert before.floor() == 4.0


@pytest.mark.parametrize(("name", "value"), [("ROWS", 6), ("COLUMNS", 10), ("SIZE", 32)])
def test_only_the_number_named_is_rewritten(package: str, name: str, value: int) -> None:
    with imported_anew(planted(name), value, package):
        floors = importlib.import_module("planted_rules.floors")
        said = {"ROWS": floors.ROWS, "COLUMNS": floors.COLUMNS, "SIZE": floors.SIZE}
    assert said == {"ROWS": 3, "COLUMNS": 5, "SIZE": 16} | {name: value}


def test_a_module_that_breaks_with_the_new_value_leaves_the_old_ones_in_place(package: str) -> None:
    before = importlib.import_module("planted_rules.floors")
    with pytest.raises(RuntimeError), imported_anew(planted("FLOOR"), 8.0, package):
        raise RuntimeError
    assert importlib.import_module("planted_rules.floors") is before


def test_imports_inside_functions_are_followed(package: str) -> None:
    assert reached_from("planted_rules.lazy", package) == {
        "planted_rules",
        "planted_rules.lazy",
        "planted_rules.rules",
        "planted_rules.floors",
    }
