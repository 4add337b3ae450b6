"""A short case recorded from a small lab, read back and ranked."""

import json
import os
import signal
import subprocess
import sysconfig
from pathlib import Path

import pytest
from small_lab import PATIENCE_S, eventually, written

from aiops.ports.cases import CaseHints
from aiops.store.clock import SystemClock
from aiops_datasets.answers import read_answers
from aiops_datasets.uniform import UniformLayout
from aiops_lab.faults.orders import Order
from aiops_lab.lab import Wanted
from aiops_lab.recording.record import Phases, Recorded, lab_for_recording, record

AIOPS = Path(sysconfig.get_path("scripts")) / "aiops"
PHASES = Phases(baseline_s=5, fault_s=6, recovery_s=2)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder = tmp_path_factory.mktemp("recording")
    wanted = Wanted(topology=written(folder), folder=folder / "lab")
    with lab_for_recording(wanted, 15.0, sent=1.0) as (lab, engine):
        orders = [Order("shelf/errors", settings=("share=1.0",))]
        out = folder / "case"
        return record(lab, engine, orders, PHASES, out, clock=SystemClock(), seed=1, sample=0.5)


def test_every_modality_is_recorded_and_read_back(recorded: Recorded) -> None:
    (location,) = UniformLayout().locate(recorded.folder)
    window = UniformLayout().load(location, CaseHints()).window
    assert window.metrics is not None
    assert {one.entity.name for one in window.metrics.series} >= {"door", "shelf", "shelf-db"}
    assert window.logs is not None
    assert set(window.logs.services) >= {"door", "shelf"}
    assert window.spans is not None
    assert "shelf" in window.spans.services
    assert window.graph is not None
    assert ("door", "shelf") in {(c.source.name, c.target.name) for c in window.graph.calls}
    assert any("get pods" in output.call for output in window.cluster_state)
    assert window.changes == ()
    assert 0 <= recorded.busiest_cpu <= 1
    assert sorted(recorded.folder.parent.glob(".*partial")) == []


def test_the_answers_are_apart_and_the_ranking_names_them(recorded: Recorded) -> None:
    (location,) = UniformLayout().locate(recorded.folder)
    assert [one.name for one in read_answers(location).entities] == ["shelf"]
    command = [AIOPS, "rca", recorded.folder, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    named = [cause["entity"]["name"] for cause in json.loads(done.stdout)["root_causes"]]
    assert "shelf" in named[:3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shelf/nonsense"], "unknown fault 'nonsense'"),
        (["nobody/cpu"], "unknown target of cpu 'nobody'"),
        ([], "say --healthy"),
        (["shelf/cpu", "--healthy"], "say --healthy"),
    ],
)
def test_wrong_use_is_said_before_anything_starts(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    options = ["--out", tmp_path / "case", "--topology", written(tmp_path / "at")]
    done = subprocess.run(
        [AIOPS, "lab", "record", *arguments, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "case").exists()


def test_a_recording_that_is_stopped_leaves_no_case(tmp_path: Path) -> None:
    out, topology = tmp_path / "case", written(tmp_path / "at")
    command = [AIOPS, "lab", "record", "--healthy", "--out", out, "--topology", topology]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as recorder:
        try:
            assert recorder.stdout is not None
            assert "is up" in recorder.stdout.readline()
            eventually(lambda: list(tmp_path.glob(".case.*.partial")))
            recorder.send_signal(signal.SIGINT)
            _, complaint = recorder.communicate(timeout=PATIENCE_S)
        finally:
            recorder.kill()
    assert recorder.returncode == 1
    assert "nothing was written" in complaint
    assert [path.name for path in tmp_path.iterdir()] == ["at"]
