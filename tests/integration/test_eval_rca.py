"""``aiops eval rca`` end to end: on planted cases, with methods from a third-party package."""

import json
import operator
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from processes import over_at_the_end

from aiops.cli import main
from aiops.errors import InvalidData, InvalidInput
from aiops.model import CaseData, Indicator, Ranking, Suspect
from aiops_datasets.catalog import load_case, locations
from aiops_evals.accuracy import accuracy
from aiops_evals.journal import Journal
from aiops_evals.judge import evaluate
from aiops_evals.outcomes import CaseReport, Facts, lost
from aiops_evals.stress import CLEAN, VARIANTS
from aiops_evals.sweep import sweep

CASES = 6
DATASETS = Path(
    os.environ.get("AIOPS_DATASETS", Path(__file__).parents[2].parent / "shared" / "datasets")
)

METHODS = '''
import os, signal, time
import numpy as np
from aiops.model import Indicator, Ranking, Suspect

def by(case, scores):
    series = case.window.metrics.series
    return Ranking("root_cause", tuple(
        Suspect(series[i].entity, Indicator("metric", series[i].metric), float(scores[i]), 0.9)
        for i in np.argsort(-scores, kind="stable")))

def shift(case):
    table, at = case.window.metrics, case.trigger.at.timestamp()
    before, after = table.values[table.times < at], table.values[table.times >= at]
    return by(case, np.abs(after.mean(axis=0) - before.mean(axis=0)))

class Shift:
    name = "shift"
    def rank(self, case, *, seed=0):
        return shift(case)

class Order:
    name = "order"
    def rank(self, case, *, seed=0):
        return by(case, -np.arange(len(case.window.metrics.series), dtype=float))

class Raises:
    name = "raises"
    def rank(self, case, *, seed=0):
        raise ValueError("cannot\\nrank this")

class Abstains:
    name = "abstains"
    def rank(self, case, *, seed=0):
        return Ranking("inconclusive", ())

class Dies:
    """Killed on the one case that has 61 rows."""
    name = "dies"
    def rank(self, case, *, seed=0):
        if case.window.metrics.times.size == 61:
            os.kill(os.getpid(), signal.SIGKILL)
        return shift(case)

class Slow:
    name = "slow"
    def rank(self, case, *, seed=0):
        time.sleep(0.4)
        return shift(case)
'''
DRIVER = """
from aiops.cli import main
from aiops_evals import provenance

# Whoever commits, or edits a source, between two runs of a test does not make them two.
provenance.commit = lambda: "0" * 40
provenance.code_checksum = lambda: "0" * 64
if __name__ == "__main__":
    main()
"""

Evaluate = Callable[..., subprocess.CompletedProcess[str]]
Refused = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six planted cases, the culprit's column first in each file; the last has a row more."""
    rng = np.random.default_rng(1)
    columns = [f"s{i}_{metric}" for metric in ("cpu", "mem") for i in range(8)]
    for number in range(CASES):
        rows, culprit = (61 if number == CASES - 1 else 60), number
        names = sorted(columns, key=lambda name: name != f"s{culprit}_cpu")
        values = rng.standard_normal((rows, len(names)))
        values[30:, 0] += 20
        folder = tmp_path / "data" / "planted" / f"case_{number}"
        folder.mkdir(parents=True)
        table = np.column_stack([1_700_000_000 + np.arange(rows), values])
        lines = [",".join(map(str, row)) for row in table.tolist()]
        (folder / "metrics.csv").write_text("\n".join([",".join(["time", *names]), *lines]) + "\n")
        case = {
            "dataset": "planted",
            "inject_time": 1_700_000_030,
            "inject_time_kind": "window_start",
            "root_cause_service": f"s{culprit}",
            "root_cause_metric": f"s{culprit}_cpu",
            "fault_type": "cpu",
        }
        (folder / "case.json").write_text(json.dumps(case))
    return tmp_path / "data"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``aiops eval rca`` in a process that sees the third-party methods."""
    site = tmp_path / "site"
    info = site / "thirdparty-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "thirdparty.py").write_text(METHODS)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thirdparty\nVersion: 1.0\n")
    names = ("Shift", "Order", "Raises", "Abstains", "Dies", "Slow")
    points = "".join(f"{name.lower()} = thirdparty:{name}\n" for name in names)
    (info / "entry_points.txt").write_text(f"[aiops.analyzers]\n{points}")
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)

    def start(*arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(driver), "eval", "rca", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(site)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.enter_context(over_at_the_end(process))
        return process

    with ExitStack() as stack:
        yield start


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[str]]) -> Evaluate:
    """Runs it to the end."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        process = start("--jobs", "1", "--no-healthy", *arguments)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


def row(evaluation: dict[str, Any], method: str, level: str = "service") -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        row
        for row in evaluation["rows"]
        if (row["method"], row["level"], row["fault_type"]) == (method, level, "all")
    ]
    assert len(found) == 1
    return found[0]


def test_every_method_is_counted_on_every_case_and_what_failed_is_listed(
    root: Path, run: Evaluate, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    done = run("--data", root, "--methods", "shift,order,raises,abstains", "--out", out)
    assert done.returncode == 0, done.stderr
    evaluation = json.loads(out.read_text())
    assert row(evaluation, "shift")["hits1"] == CASES
    assert row(evaluation, "shift", "metric")["hits1"] == CASES
    assert row(evaluation, "raises")["failed"] == CASES
    assert row(evaluation, "abstains")["abstained"] == CASES
    assert row(evaluation, "abstains")["missed"] == CASES
    assert {row(evaluation, name)["n"] for name in ("shift", "raises", "abstains")} == {CASES}
    # The culprit's column is the first of every file: shuffled, that is worth nothing.
    assert row(evaluation, "order")["hits1"] < CASES
    assert "1.000 (6/6)" in done.stdout
    assert "planted · raises · clean: 6 failed: ValueError: cannot" in done.stdout
    header = evaluation["header"]
    assert header["methods"] == ["shift", "order", "raises", "abstains"]
    assert len(header["datasets"]["planted"]) == 64
    assert not header["partial"]


def test_windows_without_a_fault_are_ranked_too_and_accusations_in_them_counted(
    root: Path, run: Evaluate, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    done = run("--data", root, "--methods", "shift,abstains", "--healthy", "--out", out)
    assert done.returncode == 0, done.stderr
    evaluation = json.loads(out.read_text())
    alarms = {
        line["method"]: (line["n"], line["false_alarms"])
        for line in evaluation["header"]["healthy_windows"]
        if line["dataset"] == "all"
    }
    assert alarms == {"shift": (CASES, CASES), "abstains": (CASES, 0)}
    assert row(evaluation, "shift")["n"] == CASES


def test_a_worker_that_is_killed_fails_its_case_and_no_other(
    root: Path, run: Evaluate, tmp_path: Path
) -> None:
    out = tmp_path / "result.json"
    done = run("--data", root, "--methods", "shift,dies", "--out", out)
    assert done.returncode == 0, done.stderr
    evaluation = json.loads(out.read_text())
    assert (row(evaluation, "dies")["failed"], row(evaluation, "dies")["hits1"]) == (1, CASES - 1)
    assert (row(evaluation, "shift")["failed"], row(evaluation, "shift")["hits1"]) == (0, CASES)
    assert "its worker process died" in done.stdout


def test_a_run_stopped_by_ctrl_c_leaves_a_valid_file_and_goes_on_later(
    root: Path,
    start: Callable[..., subprocess.Popen[str]],
    run: Evaluate,
    tmp_path: Path,
) -> None:
    out, journal = tmp_path / "result.json", tmp_path / "result.jsonl"
    arguments = ("--data", root, "--methods", "slow", "--out", out)
    process = start("--jobs", "1", "--no-healthy", *arguments)
    while not journal.exists() or len(journal.read_text().splitlines()) < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    partial = json.loads(out.read_text())
    assert partial["header"]["partial"]
    finished = row(partial, "slow")["n"]
    assert 2 <= finished < CASES

    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert f"going on with {finished} cases" in done.stderr
    evaluation = json.loads(out.read_text())
    assert row(evaluation, "slow")["n"] == CASES
    assert not evaluation["header"]["partial"]


def test_a_journal_of_another_run_is_refused_in_one_line_unless_fresh(
    root: Path, run: Evaluate, tmp_path: Path
) -> None:
    arguments = ("--data", root, "--methods", "shift", "--out", tmp_path / "result.json")
    assert run(*arguments).returncode == 0
    refused = run(*arguments, "--seed", "1")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "seed changed" in refused.stderr
    assert run(*arguments, "--seed", "1", "--fresh").returncode == 0


def test_a_run_in_which_nothing_was_scored_exits_with_1(root: Path, run: Evaluate) -> None:
    done = run("--data", root, "--methods", "raises")
    assert done.returncode == 1
    assert "nothing was scored in planted" in done.stderr


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs the command in this process; gives the line it was refused with, and checks exit 2."""

    def refused(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["aiops", "eval", "rca", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            main()
        assert leaving.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return refused


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--methods", "nosuch"), "unknown method"),
        (("--datasets", "nosuch"), "unknown dataset"),
        (("--engine", "ray"), "engine 'ray'"),
        (("--out", "result.jsonl"), "ends in .json"),
        (("--resume", "nosuch.jsonl"), "no journal nosuch.jsonl"),
    ],
)
def test_wrong_use_is_one_line_and_exit_2(
    root: Path, refused: Refused, wrong: tuple[str, str], said: str
) -> None:
    assert said in refused("--data", root, *wrong)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, refused: Refused) -> None:
    assert "nowhere" in refused("--data", tmp_path / "nowhere")


def test_registering_the_command_imports_nothing_heavy() -> None:
    code = (
        "import sys, typer; from aiops_evals.commands import register; register(typer.Typer());"
        "heavy = {'numpy', 'scipy', 'statsmodels', 'networkx', 'pyarrow'} & set(sys.modules);"
        "print(*sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


CALL: Callable[[Callable[[], Any]], Any] = operator.call
KILLER: Callable[[], Any] = partial(os._exit, 9)


def test_one_task_that_kills_its_worker_costs_no_other_task() -> None:
    tasks: list[Callable[[], Any]] = [partial(abs, -1), KILLER, partial(abs, -2), partial(abs, -3)]
    done = list(sweep(tasks, CALL, jobs=2, split=lambda _: ()))
    assert sorted(result for one in done for result in one.results) == [1, 2, 3]
    assert [one.lost for one in done if one.lost] == [(KILLER,)]


def test_a_task_that_kills_its_worker_is_split_and_its_good_parts_are_kept() -> None:
    (done,) = sweep([KILLER], CALL, jobs=1, split=lambda _: (partial(abs, -1), KILLER))
    assert done.results == (1,)
    assert done.lost == (KILLER,)


REPORT = CaseReport(
    Facts("s", "c", "cpu", ("service",)),
    (lost(Facts("s", "c", "cpu", ("service",)), CLEAN, "m", "broke"),),
)


def test_a_line_cut_off_by_a_crash_is_dropped_and_the_journal_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    journal = Journal.open(path, {"seed": 0})
    journal.append("one", REPORT)
    journal.append("two", REPORT)
    journal.close()
    path.write_text(path.read_text()[:-20])
    again = Journal.open(path, {"seed": 0})
    assert again.finished == {"one": REPORT}
    again.append("two", REPORT)
    again.close()
    last = Journal.open(path, {"seed": 0})
    assert set(last.finished) == {"one", "two"}
    last.close()


def test_a_damaged_journal_is_refused_and_names_file_and_row(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    Journal.open(path, {"seed": 0}).close()
    with path.open("a") as file:
        file.write("{}\n")
    with pytest.raises(InvalidData, match=r"run\.jsonl, row 2"):
        Journal.open(path, {"seed": 0})


def test_a_file_that_is_no_journal_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text("dear diary\n")
    with pytest.raises(InvalidInput, match="not the journal"):
        Journal.open(path, {"seed": 0})
    assert path.read_text() == "dear diary\n"


def test_a_journal_that_cannot_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="cannot be written"):
        Journal.open(tmp_path / "file" / "run.jsonl", {"seed": 0})


class MeanShift:
    """A small method of our own: the mean after the alert against the mean before, in sigmas."""

    name = "mean_shift"

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        table, at = case.window.metrics, case.trigger.at
        assert table is not None
        assert at is not None
        before = table.times < at.timestamp()
        mean, sigma = np.nanmean(table.values[before], axis=0), np.nanstd(table.values[before], 0)
        moved = np.abs(np.nanmean(table.values[~before], axis=0) - mean) / (sigma + 1e-9)
        return Ranking(
            "root_cause",
            tuple(
                Suspect(
                    table.series[i].entity, Indicator("metric", table.series[i].metric), moved[i]
                )
                for i in np.argsort(-moved)
            ),
        )


@pytest.mark.skipif(
    not (DATASETS / "rcd-sockshop").is_dir(), reason="set AIOPS_DATASETS to the recorded cases"
)
def test_recorded_cases_are_ranked_clean_and_under_every_stress_variant() -> None:
    cases = [load_case(location) for location in list(locations(DATASETS, "rcd-sockshop"))[:6]]
    outcomes = evaluate(MeanShift, cases, variants=(CLEAN, *VARIANTS))
    for variant in (CLEAN, *VARIANTS):
        own = [outcome for outcome in outcomes if outcome.variant == variant]
        assert len(own) == len(cases), variant
        assert all(outcome.status == "ranked" for outcome in own), variant
    clean = [outcome for outcome in outcomes if outcome.variant == CLEAN]
    assert accuracy([outcome.ranks["service"] for outcome in clean]).at(5) > 0.5
    # Removing the answer's column leaves the service, not the metric, to be found.
    assert {tuple(outcome.ranks) for outcome in outcomes if outcome.variant == "no-culprit"} == {
        ("service",)
    }
    again = evaluate(MeanShift, cases, variants=(CLEAN, *VARIANTS))
    assert [outcome.ranks for outcome in again] == [outcome.ranks for outcome in outcomes]
