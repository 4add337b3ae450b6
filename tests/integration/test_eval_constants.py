"""``aiops eval constants`` end to end on planted cases."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from aiops.cli import main
from aiops.errors import UnknownName
from aiops_evals.constants import Constant
from aiops_evals.sensitivity import Measured, Plan, Trial, make_plan, measure
from aiops_evals.sensitivity_tables import report, result

FAULTS = ("cpu", "cpu", "cpu", "mem", "mem", "loss")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six cases in which one service's CPU steps up half-way; three kinds of fault by label."""
    rng = np.random.default_rng(0)
    for number, fault in enumerate(FAULTS):
        names = [f"s{i}_{metric}" for metric in ("cpu", "mem") for i in range(6)]
        values = rng.gamma(4.0, 1.0, (120, len(names)))
        values[60:, number] += 30
        folder = tmp_path / "data" / "planted" / f"case_{number}"
        folder.mkdir(parents=True)
        table = np.column_stack([1_700_000_000 + np.arange(120), values])
        lines = [",".join(["time", *names]), *(",".join(map(str, row)) for row in table.tolist())]
        (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
        answers = {
            "dataset": "planted",
            "inject_time": 1_700_000_060,
            "inject_time_kind": "exact",
            "root_cause_service": f"s{number}",
            "root_cause_metric": f"s{number}_cpu",
            "fault_type": fault,
        }
        (folder / "case.json").write_text(json.dumps(answers))
    return tmp_path / "data"


def test_the_sample_takes_every_kind_of_fault_in_turn(root: Path) -> None:
    few, all_of_them = make_plan(root, size=3), make_plan(root, size=100)
    labels = [
        json.loads((location.path / "case.json").read_text())["fault_type"]
        for location in few.sample
    ]
    assert Counter(labels) == {"cpu": 1, "mem": 1, "loss": 1}
    assert len(all_of_them.sample) == len(FAULTS)
    assert make_plan(root, size=3).sample == few.sample


def test_a_set_that_does_not_exist_is_named(root: Path) -> None:
    with pytest.raises(UnknownName, match="planted"):
        make_plan(root, datasets=["plante"])


def test_a_weight_that_is_taken_away_shows_in_the_answers(root: Path) -> None:
    plan = make_plan(root)
    weight = next(
        one for one in plan.constants if one.module.endswith("suspicion") and ".CPU" in one.name
    )
    clean = measure(Trial(plan.sample, 0))
    assert clean.right == (True,) * len(FAULTS)
    gone = measure(Trial(plan.sample, 0, weight, 1e-9))
    assert sum(gone.right) < len(FAULTS)
    assert measure(Trial(plan.sample, 0, weight, weight.value)).right == clean.right


def test_a_value_that_breaks_a_module_counts_as_failed_cases(root: Path) -> None:
    plan = make_plan(root)
    rows = next(one for one in plan.constants if one.name == "MOST_ROWS")
    broken = measure(Trial(plan.sample, 0, rows, float("nan")))
    assert broken.failed == len(FAULTS)
    assert not any(broken.right)


def test_the_command_prints_writes_and_goes_on_from_its_journal(
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "table.json"
    arguments = ["--data", str(root), "--module", "samples", "--jobs", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", ["aiops", "eval", "constants", *arguments])
    with pytest.raises(SystemExit) as first:
        main()
    printed = capsys.readouterr()
    assert first.value.code == 0
    assert "LARGEST" in printed.out
    assert json.loads(out.read_text())["header"]["clean"] == {"planted": 6}
    with pytest.raises(SystemExit):
        main()
    done = re.search(r"(\d+) of \1 trials done", printed.err)
    assert done is not None
    assert f"going on with {done[1]} trials" in capsys.readouterr().err


def constant(name: str) -> Constant:
    return Constant("aiops.analyze.planted", name, 2.0, (1, 0, 1, 1), "reason")


def planned(root: Path, *names: str) -> Plan:
    sample = make_plan(root).sample
    return Plan(root, ("planted",), sample, tuple(map(constant, names)), 0, 1)


def test_a_loss_of_one_case_in_six_hangs_and_what_changes_nothing_is_still_named(
    root: Path,
) -> None:
    plan = planned(root, "HEAVY", "LIGHT")
    right = (True,) * 6
    measured = [
        Measured("clean", right, 0),
        Measured(Trial(plan.sample, 0, constant("HEAVY"), 1.0).key, (False, *right[1:]), 1),
        Measured(Trial(plan.sample, 0, constant("HEAVY"), 4.0).key, right, 0),
        Measured(Trial(plan.sample, 0, constant("LIGHT"), 1.0).key, right, 0),
        Measured(Trial(plan.sample, 0, constant("LIGHT"), 4.0).key, right, 0),
    ]
    evaluation = result(plan, measured, identity=plan.identity())
    heavy, light = evaluation["rows"]
    assert [(one["dataset"], one["change"]) for one in heavy["hangs"]] == [("planted", "halved")]
    assert light["hangs"] == []
    text = report(json.loads(json.dumps(evaluation)))
    line = next(line for line in text.splitlines() if "HEAVY" in line)
    assert "0.833" in line
    assert "hangs" in line
    assert "- planted: LIGHT = 2" in text
    assert "1 of them so much that it hangs" in text


def test_a_run_that_was_stopped_is_called_partial_and_shows_what_is_known(root: Path) -> None:
    plan = planned(root, "HEAVY")
    evaluation = result(
        plan, [Measured("clean", (True,) * 6, 0)], identity=plan.identity(), partial=True
    )
    assert evaluation["rows"][0]["halved"] is None
    assert "partial" in report(evaluation)
