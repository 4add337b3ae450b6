"""``aiops demo``: a recorded incident happens again, on a machine that has nothing but aiops."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from aiops_datasets import bundled
from aiops_datasets.catalog import answers_of, locations
from aiops_lab.demo.commands import ANSWERS, CASE

Run = Callable[..., subprocess.CompletedProcess[str]]
PATIENCE_S = 120.0
RECORDED = {place.name: place for place in locations(bundled.root(), bundled.DEMO)}


def test_the_demo_runs_in_an_empty_folder_with_nothing_set(executable: Run, bare: Path) -> None:
    done = executable("demo", "--once", "--html", "report.html")
    assert (done.returncode, done.stderr) == (0, "wrote report.html\n")
    alert, opened, found, told = (
        done.stdout.index(words) for words in ("Fires: ", "Opened: ", "Root cause found: ", ANSWERS)
    )
    assert alert < opened < found < told
    assert [path.name for path in bare.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_the_report_of_each_recording_says_what_was_broken(aiops: Run, name: str) -> None:
    done = aiops("demo", "--case", name, "--json")
    assert done.returncode == 0, done.stderr
    report, answers = json.loads(done.stdout), answers_of(RECORDED[name])
    assert report["failed_steps"] == []
    if answers.healthy:
        assert report["verdict"] == "healthy"
    else:
        assert report["verdict"] == "root_cause"
        first = report["root_causes"][0]["entity"]["name"]
        assert first in {entity.name for entity in answers.entities}
    cited = {one["id"] for one in report["evidence"]}
    assert set(re.findall(r"\bE\d+\b", report["summary"])) <= cited


def test_the_demo_s_own_report_rests_on_logs_metrics_and_a_change(aiops: Run) -> None:
    report = json.loads(aiops("demo", "--json").stdout)
    kinds = {one["id"]: one["kind"] for one in report["evidence"]}
    first = {kinds[cited] for cited in report["root_causes"][0]["evidence"]}
    assert first >= {"log", "metric", "change"}
    assert report["alerts_explained"]


def test_what_can_be_set_for_a_service_does_not_touch_the_demo(executable: Run, bare: Path) -> None:
    (bare / "aiops.toml").write_text('database_url = "sqlite:///mine.db"\nmethod = "random"\n')
    done = executable("demo", "--json", AIOPS_SOURCES__MINE__KIND="nothing")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["agreement"]["statistics"].startswith("aiops:")
    assert [path.name for path in bare.iterdir()] == ["aiops.toml"]


def test_the_recordings_are_listed_by_their_alerts_and_no_answer_is_told(aiops: Run) -> None:
    said = aiops("demo", "--list").stdout
    assert [line.split()[0] for line in said.splitlines()] == sorted(RECORDED)
    for place in RECORDED.values():
        label = answers_of(place).fault_label
        assert not re.search(rf"\b{re.escape(label)}\b", said)


def test_a_recording_that_is_not_there_is_refused_and_those_there_are_named(aiops: Run) -> None:
    done = aiops("demo", "--case", "case-999")
    assert done.returncode == 2
    assert "unknown recording 'case-999'" in done.stderr
    assert CASE in done.stderr


def test_the_process_that_ranks_never_opens_an_answer(bare: Path) -> None:
    program = (
        "import sys\n"
        "opened = []\n"
        "def watch(event, given):\n"
        "    if event == 'open': opened.append(str(given[0]))\n"
        "sys.addaudithook(watch)\n"
        "from aiops.cli import main\n"
        "sys.argv = ['aiops', 'demo', '--json']\n"
        "try: main()\n"
        "finally: print([name for name in opened if name.endswith('.json')], file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
        env={"PATH": os.defpath},
    )
    opened = done.stderr.strip().splitlines()[-1]
    assert "changes.json" in opened
    assert ANSWERS not in opened
    assert "case.json" not in opened


def test_on_a_terminal_the_pages_stay_until_ctrl_c(bare: Path) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(Path(sys.executable).with_name("aiops")), "demo"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={"PATH": os.defpath, "COLUMNS": "200", "TERM": "dumb"},
    ) as running:
        os.close(theirs)
        try:
            said = _read_until(ours, "Ctrl-C ends the demo")
            page = re.search(r"http://127\.0\.0\.1:\d+/incidents/[\w-]+", said)
            assert page is not None, said
            answer = httpx.get(page[0], trust_env=False, timeout=PATIENCE_S)
            assert "Root cause found" in answer.text
            running.send_signal(signal.SIGINT)
            assert running.wait(PATIENCE_S) == 0
        finally:
            running.kill()
            os.close(ours)
    with pytest.raises(httpx.TransportError):
        httpx.get(page[0], trust_env=False, timeout=PATIENCE_S)
    assert list(bare.iterdir()) == []


def _read_until(terminal: int, words: str) -> str:
    said, end = "", time.monotonic() + PATIENCE_S
    while words not in said:
        ready, _, _ = select.select([terminal], [], [], max(0.0, end - time.monotonic()))
        assert ready, said
        said += os.read(terminal, 65536).decode(errors="replace")
    return said
