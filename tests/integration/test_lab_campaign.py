"""``aiops lab campaign`` with real labs, on a small system: recorded, published, judged, killed."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from small_lab import PATIENCE_S, eventually, written

from aiops.store.clock import SystemClock
from aiops_datasets.catalog import locations
from aiops_datasets.describe import describe
from aiops_datasets.manifest import front_matter
from aiops_evals.judge import Task, run
from aiops_lab.campaign import published
from aiops_lab.campaign.budget import Limits, Turn
from aiops_lab.campaign.plan import PlannedCase
from aiops_lab.campaign.process import ProcessRecorder, Setting
from aiops_lab.campaign.run import Campaign, Place
from aiops_lab.faults.orders import Order
from aiops_lab.recording.record import Phases

AIOPS = Path(sys.executable).with_name("aiops")
CASES = (
    PlannedCase("case-001", (Order("shelf/errors", 1.0),), 1),
    PlannedCase("case-002", (), 2),
)
PHASES = Phases(5, 6, 2)
A_LAB = 4  # its process, what forks, the network and pods: more than these
ANY_CPU = 2.0  # whoever runs the tests may use their machine


def aiops(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [AIOPS, "lab", "campaign", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def test_two_cases_recorded_side_by_side_become_a_data_set_that_is_judged(tmp_path: Path) -> None:
    out = tmp_path / "lab-campaign"
    campaign = Campaign(
        turns=tuple(Turn(case, 1, 0.0) for case in CASES),
        place=Place(out),
        limits=Limits(labs=2, cores=1.0, busiest_cpu=ANY_CPU, attempts=2),
        clock=SystemClock(),
        pause=lambda: time.sleep(0.1),
        tell=lambda _: None,
    )
    recorder = ProcessRecorder(Setting(written(tmp_path), PHASES, 5.0))
    with campaign.place.held({"seed": 1}) as journal:
        campaign.carry_out(journal, recorder)
        attempts = journal.attempts()
    assert {one.case for one in attempts if one.outcome == "recorded"} == {"case-001", "case-002"}
    _is_published(out, attempts)
    places = locations(tmp_path, out.name)
    reports = [run(Task(out.name, place, ("aiops",), ("clean",), 0)) for place in places]
    facts = [report.facts for report in reports]
    assert all(one is not None for one in facts)
    assert [(one.label, one.answer, one.healthy) for one in facts if one] == [
        ("errors", ("shelf",), False),
        ("healthy", (), True),
    ]
    assert all(report.outcomes[0].status != "failed" for report in reports)


def _is_published(out: Path, attempts: Any) -> None:
    phases = {"baseline_s": 5, "fault_s": 6, "recovery_s": 2}
    told = published.Told("kiosk", {"seed": 1, "phases": phases}, "aiops lab campaign", 0.85)
    published.publish(out, CASES, attempts, told)
    card = front_matter(out / "README.md")
    assert card["cases"] == 2
    counted = describe(out.parent, out.name)
    assert counted.unreadable == ()
    assert card["modalities"] == list(counted.modalities)
    kept = json.loads((out / published.FILE).read_text())
    assert [case["attempts"][-1]["outcome"] for case in kept["cases"]] == ["recorded"] * 2
    for case in CASES:
        public = json.loads((out / case.id / "case.json").read_text())
        assert not {"fault_type", "root_cause_service", "root_causes", "verdict"} & set(public)


def test_a_campaign_that_is_killed_leaves_no_process_and_no_half_case(tmp_path: Path) -> None:
    out, topology = tmp_path / "set", written(tmp_path)
    options = ("--cases", "1", "--topology", str(topology), "--out", str(out))
    command = [AIOPS, "lab", "campaign", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as campaign:
        try:
            eventually(lambda: len(_descendants(campaign.pid)) > A_LAB, PATIENCE_S)
            belonging = _descendants(campaign.pid)
        finally:
            campaign.kill()
    assert belonging
    eventually(lambda: not any(map(_runs, belonging)), PATIENCE_S)
    assert [path.name for path in out.iterdir()] == [".campaign"]


def _descendants(pid: int) -> set[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent = _parent(int(entry.name))
            parents.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    left = [pid]
    while left:
        children = parents.get(left.pop(), [])
        found.update(children)
        left += children
    return found


def _stat(pid: int) -> list[str]:
    """State, parent and the rest; () where there is no such process any more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else -1


def _runs(pid: int) -> bool:
    stat = _stat(pid)
    return bool(stat) and stat[0] != "Z"


def test_the_plan_is_printed_and_nothing_is_started(tmp_path: Path) -> None:
    out = tmp_path / "set"
    done = aiops("--plan", "--cases", "60", "--out", out)
    assert done.returncode == 0, done.stderr
    assert "60 cases, 12 healthy, 0 with two faults, 30 kinds of fault" in done.stdout
    assert done.stdout.count("case-0") == 60
    assert not out.exists()


def test_options_that_cannot_be_used_are_refused_in_words_and_nothing_is_touched(
    tmp_path: Path,
) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "thesis.txt").write_text("mine")
    for options, complaint in (
        (("--intensities", "mild"), "give MILD:SEVERE, such as 0.3:1"),
        (("--doubles", "61"), "61 double faults do not fit"),
        (("--topology", tmp_path / "none.yaml"), "none.yaml"),
        (("--out", tmp_path / "set"), "holds other files"),
    ):
        done = aiops("--out", tmp_path / "new", *options)
        assert done.returncode == 2, done.stdout
        assert complaint in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    assert (tmp_path / "set" / "thesis.txt").read_text() == "mine"
    assert not (tmp_path / "new").exists()
