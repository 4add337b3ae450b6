"""``aiops eval triage`` end to end: on a planted alert list and a planted metric set."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiops.model import AlertSignal, CaseData, Entity, TelemetryWindow
from aiops_datasets import clock
from aiops_evals import alert_lists, one_pass
from aiops_evals.folds import f1, one_out, stratified

DATASETS = Path(
    os.environ.get("AIOPS_DATASETS", Path(__file__).parents[2].parent / "shared" / "datasets")
)
PODS = [f"s{i}-0" for i in range(5)]
SIGNS = {"cpu": "cpu_usage", "memory": "mem_usage"}


def plant_alerts(folder: Path) -> None:
    """40 incidents: the culprit's resource alerts, and everybody else's traffic does too."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(40):
        culprit, (label, sign) = PODS[number % 5], list(SIGNS.items())[number % 2]
        noisy = rng.choice(5, 3, replace=False)
        record = {
            "dataset": folder.name,
            "case_id": f"case_{number}",
            "inject_time": None,
            "inject_time_kind": "none",
            "root_cause_service": culprit[:2],
            "root_cause_instance": culprit,
            "fault_type": label,
            "nodes": PODS,
            "edges": [[0, i] for i in range(1, 5)],
            "metric_alerts": [
                [culprit, sign, "up"],
                *([PODS[i], "net_receive", "up"] for i in noisy),
            ],
            "trace_alerts": [[PODS[0], PODS[i], f"/{k}", "PD"] for i in noisy for k in range(3)],
            "log_alerts": [],
        }
        lines.append(json.dumps(record))
    folder.mkdir(parents=True)
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n")


def plant_metrics(folder: Path) -> None:
    """Eight incidents at 1 s: the culprit's cpu or mem steps up after 120 of 240 rows."""
    rng = np.random.default_rng(1)
    columns = [f"s{i}_{metric}" for metric in ("cpu", "mem") for i in range(6)]
    for number in range(8):
        metric = ("cpu", "mem")[number % 2]
        values = 50 + rng.standard_normal((240, len(columns)))
        values[120:, columns.index(f"s{number % 4}_{metric}")] += 40
        table = np.column_stack([1_700_000_000 + np.arange(240), values])
        case = folder / f"case_{number}"
        case.mkdir(parents=True)
        rows = [",".join(["time", *columns]), *(",".join(map(str, row)) for row in table.tolist())]
        (case / "metrics.csv").write_text("\n".join(rows) + "\n")
        record = {
            "dataset": folder.name,
            "inject_time": 1_700_000_120,
            "inject_time_kind": "exact",
            "root_cause_service": f"s{number % 4}",
            "root_cause_metric": f"s{number % 4}_{metric}",
            "fault_type": metric,
        }
        (case / "case.json").write_text(json.dumps(record))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    plant_alerts(folder / "alerts")
    plant_metrics(folder / "metrics")
    return folder


def aiops(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from aiops.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_both_kinds_of_sets_are_scored_beside_their_baselines(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "triage.json"
    done = aiops("eval", "triage", "--data", root, "--seeds", 2, "--out", out, "--jobs", 1)
    assert done.returncode == 0, done.stderr
    evaluation: dict[str, Any] = json.loads(out.read_text())
    text = done.stdout
    rows = {(row["task"], row["method"]): row for row in evaluation["rows"]}
    learned, count = rows["alert list", "learned"], rows["alert list", "alert count"]
    assert learned["hr1"] > 0.9
    assert learned["macro_f1"] > 0.9
    assert rows["alert list", "label-free"]["hr1"] > count["hr1"] + 0.3
    assert rows["alert list", alert_lists.ONE_SERVICE_OUT]["hr1"] > 0.7
    assert rows["alert list", "majority class"]["macro_f1"] < 0.5
    assert rows["detection", "one pass"]["f1"] == 1.0
    assert rows["detection", "always alarm"]["precision"] < 0.8
    assert rows["localisation", "one pass"]["ac1"] == 1.0
    assert rows["triage", "nearest past incidents"]["macro_f1"] == 1.0
    (one,) = evaluation["header"]["passes"]
    assert one["detected"] == 8
    assert one["false_incidents"] == 0
    for word in ("Alert lists", "detection", "localisation", "majority class", "service unseen"):
        assert word in text


def test_a_set_that_does_not_exist_is_refused_with_those_that_do(root: Path) -> None:
    refused = aiops("eval", "triage", "--data", root, "--datasets", "nope")
    assert refused.returncode == 2
    assert "choose from: alerts, metrics" in refused.stderr


def test_a_set_without_fault_free_rows_is_skipped_with_the_reason(tmp_path: Path) -> None:
    plant_metrics(tmp_path / "short")
    for case in (tmp_path / "short").iterdir():
        record = json.loads((case / "case.json").read_text())
        (case / "case.json").write_text(json.dumps({**record, "inject_time": 1_700_000_005}))
    found = one_pass.run(one_pass.Task(tmp_path, "short", seeds=1))
    assert found.skipped == "no fault-free rows to calibrate on"


def test_folds_hold_every_case_once_and_each_its_share_of_every_stratum() -> None:
    strata = ["a"] * 20 + ["b"] * 10
    folds = stratified(strata, range(30), seed=0)
    assert sorted(i for fold in folds for i in fold) == list(range(30))
    assert all(sum(strata[i] == "a" for i in fold) == 4 for fold in folds)
    assert folds != stratified(strata, range(30), seed=1)


def test_exact_duplicates_stay_in_one_fold() -> None:
    copies = [i // 3 for i in range(30)]
    folds = stratified(["a"] * 30, copies, seed=0)
    assert all(len({copies[i] for i in fold}) * 3 == len(fold) for fold in folds)


def test_equal_alert_lists_are_duplicates_in_any_order() -> None:
    one = AlertSignal("metric", Entity("instance", "a-0"), "cpu", "up")
    other = AlertSignal("log", Entity("instance", "b-0"), "7", "")
    start = clock.moment(0)
    first, second, third = (
        CaseData(name, TelemetryWindow(start, start, alerts=alerts))
        for name, alerts in (("x", (one, other)), ("y", (other, one)), ("z", (one,)))
    )
    assert alert_lists.duplicate_key(first) == alert_lists.duplicate_key(second)
    assert alert_lists.duplicate_key(first) != alert_lists.duplicate_key(third)


def test_one_out_leaves_each_group_out_once() -> None:
    assert one_out(["b", "a", "b"]) == [[1], [0, 2]]


def test_f1_is_that_of_the_truths_labels() -> None:
    macro, weighted = f1(["a", "a", "a", "b"], ["a", "a", "x", "b"])
    assert macro == pytest.approx((0.8 + 1.0) / 2)
    assert weighted == pytest.approx(0.75 * 0.8 + 0.25)
    with pytest.raises(ValueError, match="0 truths"):
        f1([], [])


def test_one_pass_finds_every_recorded_hog_and_raises_no_false_incident() -> None:
    if not (DATASETS / "rcd-sockshop").is_dir():
        pytest.skip(f"rcd-sockshop is not among the data sets in {DATASETS}")
    found = one_pass.run(one_pass.Task(DATASETS, "rcd-sockshop", seeds=1, limit=8))
    assert found.detected == 8
    assert found.false_incidents == 0
    assert found.location[0].ac1 == 1.0
