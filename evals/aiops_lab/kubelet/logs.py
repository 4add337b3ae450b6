"""A container's log: lines with their times, in files that rotate, one run's after another."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ROTATE_BYTES = 2 << 20
FOLLOW_S = 0.2


class ContainerLog:
    """The runs' logs in a folder: ``<run>.log`` and, once rotated, ``<run>.log.1``.

    The last two runs are kept, and of each run between one and two times ROTATE_BYTES.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self.run = folder, -1
        self._open = b""
        self._size = 0
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self) -> None:
        """A new run starts."""
        self.run += 1
        self._open, self._size = b"", 0
        for old in (self._path(self.run - 2), self._rotated(self.run - 2)):
            old.unlink(missing_ok=True)

    def write(self, data: bytes, now: datetime) -> None:
        """Keep output; a line is kept once its end is there, or after 16 KiB."""
        *lines, self._open = (self._open + data).split(b"\n")
        if len(self._open) > 1 << 14:
            lines, self._open = [*lines, self._open], b""
        if not lines:
            return
        stamp = now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z ")
        text = b"".join(stamp.encode() + line + b"\n" for line in lines)
        if self._size + len(text) > ROTATE_BYTES:
            self._path(self.run).replace(self._rotated(self.run))
            self._size = 0
        try:
            with self._path(self.run).open("ab") as file:
                file.write(text)
        except OSError:
            return  # a full disk loses log lines, never the container
        self._size += len(text)

    def end(self, now: datetime) -> None:
        """The run is over; an unfinished line is kept as one."""
        if self._open:
            self.write(b"\n", now)

    def lines(self, run: int, tail: int | None, since: datetime | None) -> list[bytes]:
        """Kept lines of a run, oldest first."""
        kept: deque[bytes] = deque(maxlen=tail)
        begin = since.astimezone(UTC).isoformat(timespec="microseconds").encode() if since else b""
        for path in (self._rotated(run), self._path(run)):
            if path.exists():
                with path.open("rb") as file:
                    kept.extend(line for line in file if line[:26] >= begin[:26])
        return list(kept)

    def follow(self, run: int, ended: Callable[[], bool]) -> Iterator[bytes]:
        """Lines written to a run from now on, until ``ended`` says so."""
        path, rest = self._path(run), b""
        path.touch()
        file = path.open("rb")
        file.seek(0, 2)
        try:
            while True:
                over = ended()
                if data := file.read():
                    *lines, rest = (rest + data).split(b"\n")
                    yield from (line + b"\n" for line in lines)
                elif over or not path.exists():
                    return
                elif path.stat().st_size < file.tell():
                    file.close()
                    file = path.open("rb")
                else:
                    time.sleep(FOLLOW_S)
        finally:
            file.close()

    def _path(self, run: int) -> Path:
        return self._folder / f"{run}.log"

    def _rotated(self, run: int) -> Path:
        return self._folder / f"{run}.log.1"
