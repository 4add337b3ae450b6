"""Follows the log files of every container, as an agent on the node does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import IO, TYPE_CHECKING

from aiops.model.rows import LogLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MOST_LINES = 60_000
_OWN = ("ts", "level", "msg", "service", "pod", "trace_id", "span_id")


@dataclass(slots=True)
class _Tail:
    """One file: open at where reading stopped, so that what is rotated or deleted is read out."""

    file: IO[bytes]
    node: int
    rest: bytes = b""

    def lines(self) -> Iterator[bytes]:
        *whole, self.rest = (self.rest + self.file.read()).split(b"\n")
        yield from whole


class LogFiles:
    """Lines that containers write after ``skip``.

    Args:
        pods: the lab's folder of pods, ``<uid>/logs/<container>/<run>.log``.
        owner: (service, pod name) of a uid, "" where it is not known.
    """

    def __init__(self, pods: Path, owner: Callable[[str], tuple[str, str]]) -> None:
        self._pods, self._owner = pods, owner
        self._tails: dict[Path, _Tail] = {}
        self.lines: list[LogLine] = []
        self.dropped = 0

    def skip(self) -> None:
        """Leave out what is there."""
        self.close()
        for path in self._pods.glob("*/logs/*/*.log"):
            tail = _opened(path)
            if tail is not None:
                tail.file.seek(0, 2)
                self._tails[path] = tail

    def read(self) -> None:
        """Take what has been written since."""
        present = set(self._pods.glob("*/logs/*/*.log"))
        for path in sorted(present | set(self._tails)):
            tail = self._tails.get(path)
            if tail is not None:
                self._take(path, tail)
                if path in present and _inode(path) == tail.node:
                    continue
                self._tails.pop(path).file.close()
            if path in present and (fresh := _opened(path)) is not None:
                self._tails[path] = fresh
                self._take(path, fresh)

    def close(self) -> None:
        """Read no more."""
        for tail in self._tails.values():
            tail.file.close()
        self._tails.clear()

    def _take(self, path: Path, tail: _Tail) -> None:
        service, pod = self._owner(path.parts[-4])
        for line in tail.lines():
            if len(self.lines) >= MOST_LINES:
                self.dropped += 1
            else:
                self.lines.append(read_line(line, service, pod))


def _opened(path: Path) -> _Tail | None:
    try:
        file = path.open("rb")
        return _Tail(file, path.stat().st_ino)
    except OSError:
        return None  # it went as we looked


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def read_line(line: bytes, service: str, pod: str) -> LogLine:
    """One line of a container: the kubelet's time, a space, and what was written.

    A structured line becomes "LEVEL message key=value ..."; any other stays as it is.
    """
    stamp, _, text = line.decode("utf-8", "replace").partition(" ")
    try:
        time = datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        time, text = None, line.decode("utf-8", "replace")
    try:
        said = json.loads(text) if text.startswith("{") else None
    except ValueError:
        said = None
    if not isinstance(said, dict) or "msg" not in said:
        return LogLine(time, service, text, pod)
    fields = [f"{key}={value}" for key, value in said.items() if key not in _OWN]
    message = " ".join([str(said.get("level", "info")).upper(), str(said["msg"]), *fields])
    trace, span = str(said.get("trace_id", "")), str(said.get("span_id", ""))
    return LogLine(time, service, message, pod, trace, span)
