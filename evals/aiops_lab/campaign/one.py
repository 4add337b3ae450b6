"""One case of a campaign: brings a lab up, records, brings it down, and says how it went.

Run as ``python -m aiops_lab.campaign.one TASK.json``, by ``aiops_lab.campaign.process``.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from aiops.errors import AiopsError
from aiops_lab.pods.zygote import die_with


def main(path: str) -> None:
    """Record the case of a task; its result is written whole when the lab has ended."""
    task = json.loads(Path(path).read_text(encoding="utf-8"))
    die_with(task["parent"])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        said = {"busiest_cpu": _record(task), "error": ""}
    except AiopsError as error:
        said = {"busiest_cpu": None, "error": str(error)}
    except KeyboardInterrupt:
        return
    result = Path(task["result"])
    fresh = result.with_suffix(".new")
    fresh.write_text(json.dumps(said), encoding="utf-8")
    fresh.replace(result)


def _record(task: dict[str, Any]) -> float:
    """Share of the machine's CPU that was busy at most."""
    from aiops.store.clock import SystemClock
    from aiops_lab.campaign.process import orders_of
    from aiops_lab.lab import Wanted
    from aiops_lab.recording.record import Phases, lab_for_recording, record

    wanted = Wanted(topology=Path(task["topology"]), folder=Path(task["folder"]), seed=task["seed"])
    with lab_for_recording(wanted, task["rate"]) as (lab, engine):
        done = record(
            lab,
            engine,
            orders_of(task),
            Phases(**task["phases"]),
            Path(task["out"]),
            clock=SystemClock(),
            seed=task["seed"],
        )
    return done.busiest_cpu


if __name__ == "__main__":
    main(sys.argv[1])
