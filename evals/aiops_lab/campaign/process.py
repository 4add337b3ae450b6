"""Records each case in a process of its own: a lab's threads and memory end with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aiops_lab.campaign.run import Result
from aiops_lab.faults.orders import Order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aiops_lab.campaign.plan import PlannedCase
    from aiops_lab.recording.record import Phases

END_S = 20.0
SAID = 300


@dataclass(frozen=True, slots=True)
class Setting:
    """What all cases of a campaign have in common.

    Attributes:
        topology: the system's file.
        rate: users' requests a second.
    """

    topology: Path
    phases: Phases
    rate: float


class ProcessRecorder:
    """A Recorder that starts ``aiops_lab.campaign.one`` for every case."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def start(self, case: PlannedCase, place: Path) -> ProcessRecording:
        """See Recorder."""
        return ProcessRecording(case, place, self._setting)


class ProcessRecording:
    """A Recording; its process dies with this one, and the lab with it."""

    def __init__(self, case: PlannedCase, place: Path, setting: Setting) -> None:
        self._said, self._log = place / "result.json", place / "record.log"
        task = {
            "parent": os.getpid(),
            "topology": str(setting.topology),
            "folder": str(place / "lab"),
            "out": str(place / "case"),
            "result": str(self._said),
            "phases": asdict(setting.phases),
            "rate": setting.rate,
            "seed": case.seed,
            "orders": [asdict(order) for order in case.orders],
        }
        (place / "task.json").write_text(json.dumps(task), encoding="utf-8")
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "aiops_lab.campaign.one", str(place / "task.json")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is the campaign's to carry out.
                process_group=0,
            )

    def result(self) -> Result | None:
        """See Recording."""
        code = self._process.poll()
        if code is None:
            return None
        try:
            said = json.loads(self._said.read_text(encoding="utf-8"))
            return Result(said["busiest_cpu"], said["error"])
        except (OSError, ValueError, KeyError):
            return Result(None, self._last_words(code))

    def stop(self) -> None:
        """See Recording."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()

    def _last_words(self, code: int) -> str:
        how = f"ended with status {code}" if code >= 0 else f"was ended by signal {-code}"
        text = self._log.read_text(encoding="utf-8", errors="replace").strip()
        last = text.splitlines()[-1][:SAID] if text else "and said nothing"
        return f"its process {how}: {last}"


def orders_of(task: Mapping[str, Any]) -> tuple[Order, ...]:
    """The orders of a task, back from JSON."""
    return tuple(Order(**{**one, "settings": tuple(one["settings"])}) for one in task["orders"])
