"""Faults of a lab, from when it is up until it ends."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from aiops_lab.faults.door import Door
from aiops_lab.faults.engine import Engine, NotUndone
from aiops_lab.faults.experiments import Experiments
from aiops_lab.faults.journal import Entry, Journal
from aiops_lab.faults.running import RunningLab
from aiops_lab.pods.store import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from aiops.ports.clock import Clock
    from aiops_lab.faults.orders import Truth
    from aiops_lab.lab import Lab

JOURNAL = "faults.jsonl"


@contextmanager
def faults_of(lab: Lab, clock: Clock) -> Iterator[Engine]:
    """The faults of a lab that is open; all are put right at the end."""
    control = RunningLab(lab)
    engine = Engine(control, Journal(lab.folder.path / JOURNAL), clock)
    door = Door(engine, control.ground, lab.folder.path)
    control.open()
    engine.start()
    door.open()
    experiments = Experiments(engine.holding, control.ground.topology)
    control.enact_with(experiments)
    try:
        yield engine
    finally:
        door.close()
        control.enact_with(None)
        experiments.close()
        with suppress(NotUndone):  # it ends with the lab in a moment
            engine.close()
        control.close()


def settle(folder: Path, now: datetime) -> tuple[Truth, ...]:
    """Close the journal of a lab that was killed: what it broke has ended with its processes.

    Call it while no lab runs in the folder.

    Raises:
        NotWritten: the journal cannot be written.
    """
    journal = Journal(folder / JOURNAL)
    left = tuple(truth.ended(now) for truth in journal.open())
    for truth in left:
        journal.write(Entry(now, "ended", truth, "with the lab, which was killed"))
    for ballast in folder.glob(f"pods/*/data/*/{Volume.BALLAST}"):
        ballast.unlink(missing_ok=True)
    return left
