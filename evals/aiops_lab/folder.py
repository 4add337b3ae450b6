"""The one folder a lab writes to, which one lab holds at a time."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from typing import IO, TYPE_CHECKING, Any

from aiops.errors import AiopsError, InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

STATE = "state.json"
TARGETS = "targets.json"
_LOCK = "lock"
KUBERNETES = "kubernetes"
MONITORING = "monitoring"
_FOLDERS = ("pods", "load", KUBERNETES, MONITORING)
_OWN = (*_FOLDERS, STATE, TARGETS, "processes.log", "faults.jsonl", "control")


class LabRunning(InvalidInput):
    """Another lab holds the folder."""

    def __init__(self, folder: Path, pid: int) -> None:
        super().__init__(
            f"a lab runs in {folder} already (process {pid}): "
            f"end it with aiops lab down --dir {folder}, or start this one with another --dir"
        )


class NoLab(InvalidInput):
    """No lab runs in the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"no lab runs in {folder}; start one with: aiops lab up --dir {folder}")


class CannotWrite(AiopsError):
    """The folder cannot be made or written to."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"cannot write to {folder}: {reason}; choose another --dir")


class NotOurs(InvalidInput):
    """The folder holds files that no lab has written; it stays as it is."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds other files; give --dir a new or an empty folder")


class Folder:
    """Held from ``acquire`` to ``release``; the kernel lets go of it when the process dies."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: IO[str] | None = None
        self.unwritten = ""
        """Why the last write failed, such as a full disk; empty: it did not."""

    def acquire(self) -> None:
        """Hold it, and clear what a lab before left there.

        Raises:
            LabRunning: another lab does.
            NotOurs: it is no lab's folder.
            CannotWrite: it cannot be made, or its disk is full.
        """
        try:
            if self.path.is_dir() and any(self.path.iterdir()) and not self._file(_LOCK).exists():
                raise NotOurs(self.path)
            self.path.mkdir(parents=True, exist_ok=True)
            lock = self._file(_LOCK).open("a+", encoding="ascii")
        except OSError as error:
            raise CannotWrite(self.path, error.strerror or str(error)) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _pid(lock)
            lock.close()
            raise LabRunning(self.path, pid) from None
        try:
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self.clear()
        except OSError as error:
            lock.close()
            raise CannotWrite(self.path, error.strerror or str(error)) from None
        self._lock = lock

    def release(self) -> None:
        """Let go of it."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def holder(self) -> int:
        """The process id of the lab that holds it.

        Raises:
            NoLab: none does.
        """
        try:
            lock = self._file(_LOCK).open("r+", encoding="ascii")
        except OSError:
            raise NoLab(self.path) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _pid(lock)
        raise NoLab(self.path)

    def clear(self) -> None:
        """Remove what a lab writes."""
        for name in _OWN:
            path = self._file(name)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def write(self, name: str, document: object) -> None:
        """Write one JSON file, whole or not at all; a full disk leaves the one before."""
        path, fresh = self._file(name), self._file(f"{name}.new")
        try:
            fresh.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
            fresh.replace(path)
            self.unwritten = ""
        except OSError as error:
            self.unwritten = error.strerror or str(error)
            fresh.unlink(missing_ok=True)

    def read(self, name: str) -> Any:
        """One JSON file.

        Raises:
            NoLab: it is not there (yet).
        """
        try:
            return json.loads(self._file(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise NoLab(self.path) from None

    def _file(self, name: str) -> Path:
        return self.path / name


def _pid(lock: IO[str]) -> int:
    lock.seek(0)
    text = lock.read().strip()
    return int(text) if text.isdigit() else 0
