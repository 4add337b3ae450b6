"""Cases in which nothing was broken, or several things at once: read, judged, and listed."""

import json
from pathlib import Path
from typing import Any

import pytest

from aiops.errors import InvalidData
from aiops.model import Verdict
from aiops_datasets.case import Answers
from aiops_datasets.catalog import answers_of, load_case, locations
from aiops_datasets.describe import describe
from aiops_evals.healthy import false_alarms
from aiops_evals.judge import Task, run
from aiops_evals.levels import levels_of
from aiops_evals.misses import by_label, misses
from aiops_evals.outcomes import Facts, Outcome
from aiops_evals.tables import report


def cause(kind: str, name: str, of: str = "service") -> dict[str, Any]:
    return {"kind": kind, "entity": {"kind": of, "name": name, "namespace": "n", "service": None}}


def case(root: Path, name: str, **answers: Any) -> None:
    """A minute of one quiet metric of two services."""
    folder = root / "set" / name
    folder.mkdir(parents=True)
    rows = "".join(f"{1_700_000_000 + i},{0.5 + i % 3 * 0.01},0.2\n" for i in range(60))
    (folder / "metrics.csv").write_text("time,a_cpu,b_cpu\n" + rows)
    facts = {"dataset": "lab", "inject_time": 1_700_000_030}
    (folder / "case.json").write_text(json.dumps(facts))
    (folder / "answers.json").write_text(json.dumps(answers))


def answers(root: Path) -> Answers:
    (only,) = locations(root, "set")
    return answers_of(only)


def test_a_healthy_control_has_no_cause_and_counts_as_a_window_for_false_alarms(
    tmp_path: Path,
) -> None:
    case(tmp_path, "case-001", verdict="healthy")
    (place,) = locations(tmp_path, "set")
    assert load_case(place).answers.healthy
    done = run(Task("set", place, ("naive",), ("clean",), 0))
    assert done.facts is not None
    assert done.facts.healthy
    assert done.facts.levels == ()
    (line, _) = false_alarms(done.outcomes, ("naive",))
    assert (line["dataset"], line["n"], line["false_alarms"]) == ("set", 1, 0)
    assert describe(tmp_path, "set").fault_types == {"healthy": {"healthy": 1}}


def test_of_several_causes_any_counts_and_the_label_names_them_all(tmp_path: Path) -> None:
    both = [cause("cpu", "a"), cause("dns", "b")]
    case(tmp_path, "case-001", verdict="root_cause", fault_type="cpu", root_causes=both)
    found = answers(tmp_path)
    assert [entity.name for entity in found.entities] == ["a", "b"]
    assert found.fault_label == "cpu+dns"
    assert levels_of(found) == ("service",)


def test_a_node_at_fault_is_judged_as_an_object(tmp_path: Path) -> None:
    node = [cause("node-pressure", "n1", of="node")]
    case(tmp_path, "case-001", verdict="root_cause", fault_type="node", root_causes=node)
    assert levels_of(answers(tmp_path)) == ("object",)


@pytest.mark.parametrize("causes", [3, [3], [{"entity": {"kind": "planet", "name": "x"}}]])
def test_causes_that_cannot_be_read_are_refused_and_the_file_named(
    tmp_path: Path, causes: object
) -> None:
    case(tmp_path, "case-001", verdict="root_cause", fault_type="cpu", root_causes=causes)
    with pytest.raises(InvalidData, match=r"answers\.json.*root_causes"):
        answers(tmp_path)


def outcome(
    name: str, rank: int | None, *, label: str = "leak", verdict: Verdict = "root_cause"
) -> Outcome:
    healthy = label == "healthy"
    facts = Facts(
        "set",
        f"id-{name}",
        fault_type="" if healthy else "memory",
        levels=() if healthy else ("service",),
        healthy=healthy,
        name=name,
        label=label,
        answer=() if healthy else ("a",),
    )
    ranks: Any = {} if healthy else {"service": rank}
    named = ("b", "c", "d", "e")
    return Outcome(facts, "clean", "aiops", "ranked", ranks, verdict, named=named)


def test_misses_are_listed_with_what_was_named_and_hits_are_not() -> None:
    found = misses(
        [
            outcome("case-4", None, label="healthy"),
            outcome("case-3", None, label="healthy", verdict="healthy"),
            outcome("case-2", 2),
            outcome("case-1", 1),
        ]
    )
    assert [(one["case"], one["rank"], one["answer"]) for one in found] == [
        ("case-2", 2, ["a"]),
        ("case-4", None, []),
    ]
    assert found[0]["named"] == ["b", "c", "d"]


def test_each_label_of_a_set_is_counted_by_itself() -> None:
    rows = by_label(
        [
            outcome("1", 1),
            outcome("2", 3),
            outcome("3", None, verdict="healthy"),
            outcome("4", 1, label="dns"),
            outcome("5", None, label="healthy"),
        ]
    )
    assert [
        (row["label"], row["n"], row["hits1"], row["hits3"], row["missed"]) for row in rows
    ] == [
        ("dns", 1, 1, 1, 0),
        ("leak", 3, 1, 2, 1),
    ]


def test_the_tables_print_labels_and_misses_where_they_were_asked_for() -> None:
    from collections import Counter

    from aiops_evals.outcomes import CaseReport
    from aiops_evals.rca import Plan, result

    plan = Plan(Path("data"), (), ("aiops",), misses=True)
    identity = {"seed": 0, "commit": None, "code": "0" * 12}
    one = outcome("case-1", 2)
    found = result(plan, [CaseReport(one.facts, (one,))], Counter(), identity=identity)
    found["header"]["methods"] = ["aiops"]
    text = report(found)
    assert "## By the sets' own labels: aiops" in text
    assert "case-1 | leak  | a      | root_cause |    2 |     b, c, d |" in text
