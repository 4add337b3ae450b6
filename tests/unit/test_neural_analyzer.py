"""The neural analyzer where torch is absent, and the parts of it that never need torch."""

import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pytest

from aiops.analyze.before_after import divide
from aiops.analyze.neural.account import Account
from aiops.analyze.neural.analyzer import NeuralGranger
from aiops.analyze.neural.backend import load_torch, one_thread, pick_device
from aiops.app.evidence import resolve
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Entity, MetricTable, Series, TelemetryWindow, Trigger

START = datetime(2026, 1, 1, tzinfo=UTC)


def case(rows: int = 120) -> CaseData:
    rng = np.random.default_rng(0)
    times = START.timestamp() + 5.0 * np.arange(rows)
    values = rng.normal([50, 20, 10], size=(rows, 3))
    values[rows // 2 :, 1] += 30
    series = tuple(Series(Entity("service", n), "cpu", f"{n}_cpu") for n in ("one", "two", "three"))
    table = MetricTable(times, values, series)
    at = datetime.fromtimestamp(times[rows // 2], UTC)
    window = TelemetryWindow(START, datetime.fromtimestamp(times[-1], UTC), metrics=table)
    return CaseData("x", window, Trigger(at=at))


def test_without_torch_the_case_fails_and_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(AnalysisFailed, match=r"pip install 'aiops\[neural\]'"):
        NeuralGranger().rank(case())
    with pytest.raises(AnalysisFailed, match="torch is not installed"):
        load_torch()


def test_a_gpu_is_used_where_there_is_one_and_the_cpu_elsewhere():
    def machine(gpu: bool) -> SimpleNamespace:
        return SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: gpu))

    assert pick_device(machine(gpu=True)) == "cuda"
    assert pick_device(machine(gpu=False)) == "cpu"


def test_one_thread_is_used_and_the_others_are_given_back_even_after_a_failure():
    threads = [4]
    torch = SimpleNamespace(get_num_threads=lambda: threads[-1], set_num_threads=threads.append)

    def fail() -> None:
        with one_thread(torch):
            raise AnalysisFailed(f"failed on {threads[-1]} thread")

    with pytest.raises(AnalysisFailed, match="on 1 thread"):
        fail()
    assert threads == [4, 1, 4]


def test_importing_the_analyzer_loads_neither_torch_nor_networkx_nor_scipy():
    code = (
        "import sys; import aiops.analyze.neural.analyzer, aiops.analyze.neural.forecaster; "
        "sys.exit(', '.join({'torch', 'networkx', 'scipy', 'statsmodels'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_an_account_cites_numbers_that_are_found_again():
    one = case()
    table = one.window.metrics
    assert table is not None
    told = Account(table, divide(one, table))
    assert told.shift(1, 30.0) == "E1"
    assert told.edge(1, 0, told.seconds(2), 1e-40, 0.123) == "E2"
    shift, edge = told.evidence
    assert "two_cpu went from a median of 20" in shift.claim
    assert "30 times its usual variation" in shift.claim
    assert "Changes of two_cpu precede those of one_cpu, most by 10 s" in edge.claim
    assert "12.3 % more" in edge.claim
    assert "p < 1e-12" in edge.claim
    assert [resolve(one, evidence).series[0].column for evidence in told.evidence] == [
        "two_cpu",
        "one_cpu",
    ]
    assert told.onset(1) == one.trigger.at
    assert told.onset(0) is None


def test_a_column_that_was_never_sampled_after_the_alert_is_told_without_a_number():
    one = case()
    table = one.window.metrics
    assert table is not None
    table.values[60:, 2] = np.nan
    told = Account(table, divide(one, table))
    told.shift(2, 0.0)
    assert told.evidence[0].claim.endswith("to no samples.")
