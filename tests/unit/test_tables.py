"""Rows counted from outcomes, and the Markdown made of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.model import Verdict
from aiops_evals.outcomes import (
    CaseReport,
    Facts,
    Outcome,
    Status,
    from_json,
    lost,
    to_json,
)
from aiops_evals.rows import Row, rows
from aiops_evals.tables import _alert_moved, markdown, report, share

FACTS = Facts("set", "c1", "cpu", ("service", "metric"))


def outcome(
    case: str,
    rank: int | None,
    *,
    status: Status = "ranked",
    verdict: Verdict = "root_cause",
    fault: str = "cpu",
    subsets: tuple[str, ...] = (),
    ms: float = 1.0,
    variant: str = "clean",
) -> Outcome:
    facts = Facts("set", case, fault, ("service",), subsets)
    return Outcome(facts, variant, "m", status, {"service": rank}, verdict, ms=ms)


def overall(counted: list[Row]) -> Row:
    (row,) = [row for row in counted if row["fault_type"] == "all"]
    return row


def test_a_row_has_the_keys_of_the_design() -> None:
    keys = (
        "dataset method level fault_type variant n ac1 ac3 ac5 avg5 mrr "
        "ms_per_case failed abstained"
    )
    assert set(keys.split()) <= set(rows([outcome("1", 1)])[0])


def test_failed_and_abstained_cases_stay_in_the_count() -> None:
    failed = lost(Facts("set", "3", "cpu", ("service",)), "clean", "m", "broke")
    row = overall(rows([outcome("1", 1), outcome("2", None, status="abstained"), failed]))
    assert (row["n"], row["hits1"], row["failed"], row["abstained"]) == (3, 1, 1, 1)
    assert row["ac1"] == pytest.approx(1 / 3)
    assert row["ac1_low"] < row["ac1"] < row["ac1_high"]


def test_a_fault_called_healthy_counts_by_its_order_and_as_missed() -> None:
    row = overall(rows([outcome("1", 1, verdict="healthy"), outcome("2", 1)]))
    assert (row["ac1"], row["missed"]) == (1.0, 1)


def test_one_slow_first_call_does_not_set_the_time() -> None:
    row = overall(rows([outcome(str(i), 1, ms=ms) for i, ms in enumerate((900.0, 2.0, 2.0))]))
    assert row["ms_per_case"] == 2.0


def test_rows_are_split_by_fault_type_and_by_subset() -> None:
    counted = rows([outcome("1", 1, subsets=("set-traces",)), outcome("2", 2, fault="memory")])
    n = {(row["dataset"], row["fault_type"]): row["n"] for row in counted}
    assert n == {
        ("set", "all"): 2,
        ("set", "cpu"): 1,
        ("set", "memory"): 1,
        ("set-traces", "all"): 1,
        ("set-traces", "cpu"): 1,
    }


def test_healthy_windows_make_no_row() -> None:
    window = Outcome(Facts("set", "w", healthy=True), "clean", "m", "ranked", {}, "healthy")
    assert rows([window]) == []


def test_an_outcome_survives_its_journal_line() -> None:
    answered = Outcome(
        FACTS,
        "clean",
        "m",
        "ranked",
        {"service": 1, "metric": None},
        "root_cause",
        0.9,
        (3.0, 1.0),
        2.5,
    )
    narrowed = lost(Facts("set", "c1", "cpu", ("service",)), "no-culprit", "m", "broke")
    before = CaseReport(FACTS, (answered, narrowed), "", 0.25)
    assert from_json(to_json(before)) == before


@given(
    st.lists(
        st.builds(
            Outcome,
            facts=st.just(FACTS),
            variant=st.text(),
            method=st.text(),
            status=st.sampled_from(("ranked", "abstained", "failed")),
            ranks=st.fixed_dictionaries({"service": st.none() | st.integers(1)}),
            verdict=st.sampled_from(("root_cause", "healthy", None)),
            confidence=st.floats(0, 1),
            scores=st.lists(st.floats(allow_nan=False)).map(tuple),
            ms=st.floats(0, 1e9),
            reason=st.text(),
        )
    ).map(tuple)
)
def test_any_outcome_survives_being_written_and_read(outcomes: tuple[Outcome, ...]) -> None:
    before = CaseReport(FACTS, outcomes)
    assert from_json(json.loads(json.dumps(to_json(before)))) == before


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_no_text_in_a_cell_breaks_the_table(body: list[tuple[str, str]]) -> None:
    lines = markdown(("a", "b"), body).split("\n")
    assert len(lines) == 2 + len(body)
    assert len({len(line) for line in lines}) == 1


def test_an_unread_case_survives_its_journal_line() -> None:
    before = CaseReport(None, skipped="not loaded: no time column")
    assert from_json(to_json(before)) == before


def test_every_line_of_a_table_has_the_same_width() -> None:
    lines = markdown(("set", "n"), [("a long name", "1"), ("b", "1000")], names=1).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[1].split() == ["|", "-" * 11, "|", "---:", "|"]


def test_a_bar_or_a_line_break_cannot_break_a_table() -> None:
    line = markdown(("reason",), [("a|b\nc",)]).splitlines()[-1]
    assert line == "| a\\|b c |"


def test_few_cases_are_printed_with_their_counts() -> None:
    assert share(29, 30) == "0.967 (29/30)"
    assert share(61, 122) == "0.500"


def test_the_report_names_what_was_run_what_was_skipped_and_what_failed() -> None:
    failed = lost(Facts("set", "c9", "cpu", ("service",)), "clean", "m", "ValueError: no baseline")
    header = {
        "partial": True,
        "command": "aiops eval rca",
        "seed": 3,
        "commit": None,
        "code": "c0de",
        "machine": {"cores": 2, "architecture": "x", "python": "3.11", "date": "2026-01-01"},
        "jobs": 2,
        "methods": ["m"],
        "notes": ["shuffled"],
        "skipped": [{"dataset": "set", "reason": "no metrics", "n": 4}],
        "unanswered": [
            {
                "dataset": "set",
                "case": case,
                "method": "m",
                "variant": "clean",
                "status": "failed",
                "reason": failed.reason,
            }
            for case in ("c6", "c7", "c8", "c9")
        ],
        "healthy_windows": [],
        "calibration": [],
        "mcnemar": [],
    }
    text = report({"header": header, "rows": rows([outcome("1", 1), failed])})
    assert "partial" in text
    assert "seed 3" in text
    assert "set: 4 cases skipped: no metrics" in text
    assert "0.500 (1/2)" in text
    assert "set · m · clean: 4 failed: ValueError: no baseline (c6, c7, c8, ...)" in text
    assert "Under stress" not in text
    assert "Healthy" not in text


def test_a_moved_alert_is_printed_beside_the_recorded_one_with_what_it_cost() -> None:
    outcomes = [
        *(outcome(case, 1) for case in "12"),
        outcome("1", 1, variant="alert-60s"),
        outcome("2", 4, variant="alert-60s"),
        outcome("1", 1, variant="alert+60s"),  # the other window ends too early
    ]
    lines = list(_alert_moved({}, rows(outcomes)))
    assert lines[0] == "## Alert moved by a minute: AC@1 at service level"
    assert "1.000 (2/2)" in lines[1]
    assert "0.500 (1/2)" in lines[1]
    assert lines[1].rstrip().endswith("0.500 |")


def test_a_set_without_room_for_the_shift_has_no_line() -> None:
    assert list(_alert_moved({}, rows([outcome("1", 1)]))) == []
