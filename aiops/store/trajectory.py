"""Trajectories as files of JSON lines: what a step is, the sha256 of its content, its content."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from aiops.agents.trajectory.steps import (
    Answered,
    Ended,
    Header,
    ModelAnswered,
    Proposed,
    Recalled,
    Step,
    Trajectory,
)
from aiops.errors import InvalidInput
from aiops.model.canonical import canonical, digest
from aiops.model.run import Moment
from aiops.store.codec import Codec, Unreadable

_KINDS: Final[dict[str, type[Step]]] = {
    "header": Header,
    "moment": Moment,
    "call": Answered,
    "memory": Recalled,
    "actions": Proposed,
    "model": ModelAnswered,
    "report": Ended,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def line_of(step: Step) -> str:
    """``step`` as a line of JSON, without its end."""
    kind: type[Any] = type(step)
    content = json.loads(Codec(kind).write(step))
    return canonical({"step": _NAMES[kind], "sha256": digest(content), "content": content})


def step_of(line: str, number: int) -> Step:
    """The step that ``line`` stands for.

    Args:
        number: of the line, for the error.

    Raises:
        InvalidInput: it is no step, or was changed after it was written.
    """
    try:
        read = json.loads(line)
        kind: type[Any] = _KINDS[read["step"]]
        content = read["content"]
        if digest(content) != read["sha256"]:
            raise InvalidInput(f"line {number} of the trajectory was changed: its sha256 differs")
        step: Step = Codec(kind).read(json.dumps(content))
    except (ValueError, KeyError, TypeError, Unreadable) as error:
        raise InvalidInput(
            f"line {number} of the trajectory is no step of a run ({error}); record it anew"
        ) from error
    return step


def read_trajectory(path: Path) -> Trajectory:
    """The run written down in ``path``; a last line that was cut off was never written.

    Raises:
        InvalidInput: the file cannot be read, or is no trajectory.
    """
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}; give another FILE") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is no trajectory: it is no UTF-8") from error
    lines = text.split("\n")[:-1]
    try:
        steps = tuple(_steps(lines))
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error
    if not steps or not isinstance(steps[0], Header):
        raise InvalidInput(f"{path} is no trajectory: its first line is no header of a run")
    return Trajectory(steps[0], steps[1:])


def _steps(lines: list[str]) -> Iterator[Step]:
    return (step_of(line, number) for number, line in enumerate(lines, 1))


class TrajectoryFile:
    """A file that a run is written to step by step: also of one that is cut off."""

    def __init__(self, path: Path, file: TextIO) -> None:
        self._path, self._file = path, file

    def put(self, step: Step) -> None:
        """Raises InvalidInput where the disk takes no more."""
        try:
            self._file.write(f"{line_of(step)}\n")
        except OSError as error:
            raise InvalidInput(
                f"cannot write {self._path}: {error.strerror}; give another FILE"
            ) from error
