"""Runs written down, and run again from what was written."""

import json
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from aiops.agents.crew import Belt, RunBudget
from aiops.agents.inline import InlineRuns
from aiops.agents.policies.policy import Policy
from aiops.agents.shape import NODES
from aiops.agents.trajectory.recording import Recording
from aiops.agents.trajectory.replaying import ReplayDiffers, Replaying
from aiops.agents.trajectory.steps import Made, Step, Trajectory
from aiops.app.rendering.as_json import document, dumps
from aiops.errors import InvalidInput
from aiops.model.report import Report, Timings
from aiops.ports.inquiry import Inquiry
from aiops.settings import Settings
from aiops.store.trajectory import TrajectoryFile

_COMPUTE: Final = ("aiops", "numpy", "scipy")


@contextmanager
def recording(path: Path | None, settings: Settings) -> Iterator[Recording]:
    """Takes down one run, in ``path`` each step as it happens.

    Raises:
        InvalidInput: it cannot be written.
    """
    if path is None:
        yield Recording(lambda _: None, made_by(settings))
        return
    try:
        file = path.open("w", encoding="utf-8", newline="\n", buffering=1)
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}; give another FILE") from error
    with file:
        yield Recording(TrajectoryFile(path, file).put, made_by(settings))


@contextmanager
def kept_recording(run: str, settings: Settings) -> Iterator[Recording | None]:
    """Takes down a run of the service, where the settings say so; a run that is taken up by another
    process goes on in its file. An investigation is worth more than its trajectory: what cannot be
    written is logged, and the run goes on without."""
    if settings.trajectories is None:
        yield None
        return
    path = settings.trajectories / f"{run}.jsonl"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        file = path.open("a", encoding="utf-8", newline="\n", buffering=1)
    except OSError as error:
        _log().warning("run not written down", run=run, path=str(path), why=error.strerror)
        yield None
        return
    with file:
        yield Recording(_Lenient(TrajectoryFile(path, file)).put, made_by(settings))


class _Lenient:
    """A file that says once that it takes no more."""

    def __init__(self, file: TrajectoryFile) -> None:
        self._file, self._full = file, False

    def put(self, step: Step) -> None:
        if self._full:
            return
        try:
            self._file.put(step)
        except InvalidInput as error:
            self._full = True
            _log().warning("run not written down any further", why=str(error))


def _log() -> Any:
    import structlog

    return structlog.get_logger("aiops.trajectories")


def made_by(settings: Settings) -> Made:
    """What decides a run with ``settings`` besides its data."""
    versions = (("python", platform.python_version()), *((n, version(n)) for n in _COMPUTE))
    return Made(versions, settings.method, settings.seed, settings.top)


def replayed(
    recorded: Trajectory, inquiry: Inquiry, policy: Policy, budget: RunBudget | None = None
) -> Report:
    """The report of the recorded run, made again from its case and its trajectory.

    Raises:
        InvalidInput: ``inquiry`` is not about the recorded case.
        NotInTrajectory: the run asks what the recorded one did not ask.
        ReplayDiffers: it comes to another report.
    """
    begun, doors = recorded.header.begun, Replaying(recorded)
    run = InlineRuns(
        doors,
        policy,
        budget or RunBudget(),
        belt=Belt(doors.ask, begun.tools) if begun.tools else None,
        watch=doors.watch,
        record=doors.record,
        recall=doors.recall if recorded.recalled is not None else None,
        nodes={**NODES, "propose": doors.propose},
    )
    report = run(begun.run, inquiry, begun.incident)
    if recorded.report is None:
        return report
    then: dict[str, Any] = json.loads(recorded.report)
    timed = then["timings"]
    report = replace(report, timings=Timings(timed["total_s"], tuple(timed["steps"].items())))
    if report.verification is not None and then["verification"] is not None:
        at = datetime.fromisoformat(then["verification"]["at"])
        report = replace(report, verification=replace(report.verification, at=at))
    if dumps(report) != recorded.report:
        now = document(report)
        raise ReplayDiffers(begun.run, next((k for k in now if now[k] != then.get(k)), "its form"))
    return report
