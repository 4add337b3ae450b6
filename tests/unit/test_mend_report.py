"""The page of mended systems says what was reached, and what was not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiops.errors import UnknownName
from aiops_evals.mend.breaks import BREAKS, chosen
from aiops_evals.mend.measured import Course
from aiops_evals.mend.report import page

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
CURABLE = next(each for each in BREAKS if each.ends == "mended")
WRONG = next(each for each in BREAKS if each.ends == "taken back")
PEOPLES = next(each for each in BREAKS if each.ends == "left to people")


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def test_each_moment_is_told_in_seconds_since_the_fault() -> None:
    course = Course(
        CURABLE,
        AT,
        alert=after(8.6),
        approved=after(22.6),
        resolved=after(36.0),
        action="kubernetes.rollout_undo",
        ended="done: rolled out | well",
        status="resolved",
    )
    text = page([course], "2 cores", "2026-11-21", "")
    assert "| 8.6 | - | - | 22.6 | - |" in text
    assert "**1 of 1** kinds" in text
    assert "rolled out / well" in text


def test_what_was_not_mended_is_said() -> None:
    text = page([Course(CURABLE, AT)], "2 cores", "2026-11-21", "")
    assert "**0 of 1** kinds" in text
    assert f"Fell short: {CURABLE.name}: nothing was done" in text


def test_a_wrong_fix_must_be_taken_back_and_its_incident_stay_open() -> None:
    back = Course(WRONG, AT, ended="rolled_back: errors went on", status="triggered")
    assert back.as_it_should
    assert "stays open" in page([back], "2 cores", "2026-11-21", "")
    kept = Course(WRONG, AT, ended="done: rolled out", status="triggered")
    assert not kept.as_it_should
    assert "NOT as asked" in page([kept], "2 cores", "2026-11-21", "")


def test_a_way_to_break_it_that_is_not_known_is_named() -> None:
    assert chosen("") == BREAKS
    assert [each.name for each in chosen(f"{WRONG.name}, {CURABLE.name}")] == [
        WRONG.name,
        CURABLE.name,
    ]
    with pytest.raises(UnknownName, match="flood"):
        chosen("flood")


def test_where_people_have_to_decide_a_proposal_is_one_too_many() -> None:
    left = Course(PEOPLES, AT, report=after(20), notes="No safe action is known", status="open")
    assert left.as_it_should
    text = page([left], "2 cores", "2026-11-21", "")
    assert "nothing was proposed**. No safe action is known" in text
    asked = replace(left, action="kubernetes.rollout_restart")
    assert not asked.as_it_should
    assert "NOT as asked" in page([asked], "2 cores", "2026-11-21", "")


def test_what_breaks_again_after_its_incident_was_resolved_was_not_mended() -> None:
    course = Course(
        CURABLE, AT, failing=after(240), resolved=after(42), ended="done: it helped", says="worked"
    )
    text = page([course], "2 cores", "2026-11-21", "")
    assert "**0 of 1** kinds" in text
    assert "served badly again" in text
    assert replace(course, failing=after(50)).as_it_should
