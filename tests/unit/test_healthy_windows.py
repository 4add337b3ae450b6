"""Windows without a fault belong to their data set, in the plan and in the table."""

import json
from pathlib import Path

import numpy as np
import pytest

from aiops.errors import UnknownName
from aiops.model import CaseData
from aiops_datasets.healthy import windows, windows_of
from aiops_evals.healthy import false_alarms
from aiops_evals.rca import make_plan, result, tasks
from aiops_evals.tables import report

START = 1_700_000_000
ALERT = START + 30


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two sets whose cases begin with a normal run: three cases in one, two in the other."""
    for dataset, cases in (("first", 3), ("second", 2)):
        for number in range(cases):
            folder = tmp_path / dataset / f"case_{number}"
            folder.mkdir(parents=True)
            rows = [f"{START + i},{i % 5},{i % 3}" for i in range(60)]
            (folder / "metrics.csv").write_text("\n".join(["time,a_cpu,b_cpu", *rows]) + "\n")
            facts = {
                "dataset": dataset,
                "inject_time": ALERT,
                "inject_time_kind": "window_start",
                "root_cause_service": "a",
                "root_cause_metric": "a_cpu",
                "fault_type": "cpu",
            }
            (folder / "case.json").write_text(json.dumps(facts))
    return tmp_path


def healthy_tasks(root: Path, **narrowed: object) -> list[tuple[str, str]]:
    plan = make_plan(root, methods=["random"], **narrowed)  # type: ignore[arg-type]
    found, _ = tasks(plan)
    return [(task.dataset, task.source.id) for task in found if isinstance(task.source, CaseData)]


def test_a_window_ends_before_the_fault_and_has_an_alert_inside(root: Path) -> None:
    found = list(windows_of(root, "first"))
    assert len(found) == 3
    for data in found:
        assert data.window.metrics is not None
        assert data.trigger.at is not None
        assert data.window.metrics.times[-1] < ALERT
        assert data.window.start < data.trigger.at < data.window.end


def test_the_windows_of_the_sets_together_are_all_windows(root: Path) -> None:
    apart = [data.id for dataset in ("first", "second") for data in windows_of(root, dataset)]
    assert apart == [data.id for data in windows(root)]
    assert len(set(apart)) == 5


def test_a_set_that_does_not_exist_is_refused_and_the_others_are_named(root: Path) -> None:
    with pytest.raises(UnknownName, match="first, second"):
        list(windows_of(root, "third"))


def test_every_window_is_counted_under_its_own_set(root: Path) -> None:
    assert [dataset for dataset, _ in healthy_tasks(root)] == ["first"] * 3 + ["second"] * 2


def test_naming_sets_narrows_the_windows_to_theirs(root: Path) -> None:
    named = healthy_tasks(root, datasets=["second"])
    assert [dataset for dataset, _ in named] == ["second"] * 2


def test_the_limit_holds_for_the_windows_of_each_set(root: Path) -> None:
    limited = healthy_tasks(root, limit=1)
    assert [dataset for dataset, _ in limited] == ["first", "second"]


def test_the_table_has_a_row_a_set_and_the_pool_and_only_the_pool_of_an_ablation(
    root: Path,
) -> None:
    from aiops_evals.judge import run

    plan = make_plan(root, methods=["random", "aiops/no-kinds"])
    found, skipped = tasks(plan)
    reports = [run(task) for task in found]
    outcomes = [outcome for each in reports for outcome in each.outcomes]
    counted = {(line["dataset"], line["n"]) for line in false_alarms(outcomes, ["random"])}
    assert counted == {("first", 3), ("second", 2), ("all", 5)}
    evaluation = result(plan, reports, skipped, identity=plan.identity())
    table = report(evaluation).partition("## Healthy windows")[2].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.split("|")[1:4]] for line in table.splitlines()[4:]]
    assert [line for line in lines if line] == [
        ["first", "random", "3"],
        ["second", "random", "2"],
        ["all", "random", "5"],
        ["all", "aiops/no-kinds", "5"],
    ]


def test_cases_that_begin_with_the_fault_give_no_window(root: Path) -> None:
    for path in (root / "first").glob("*/case.json"):
        path.write_text(path.read_text().replace(str(ALERT), "0"))
    assert list(windows_of(root, "first")) == []
    assert len(list(windows_of(root, "second"))) == 2


def test_a_run_recorded_without_faults_is_cut_into_windows_with_the_rest_as_reference(
    root: Path,
) -> None:
    folder = root / "second" / "_normal"
    folder.mkdir()
    times = START + 60 * np.arange(60)
    lines = [f"{time},{i % 5},{i % 3}" for i, time in enumerate(times.tolist())]
    (folder / "day.metrics.csv").write_text("\n".join(["time,a_cpu,b_cpu", *lines]) + "\n")
    cut = list(windows_of(root, "second"))[2:]
    assert [len(data.window.metrics.times) for data in cut if data.window.metrics] == [26, 26]
    for data in cut:
        reference = data.window.reference
        assert reference is not None
        assert reference.metrics is not None
        assert len(reference.metrics.times) == 34
