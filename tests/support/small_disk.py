"""A disk of a few megabytes that a test may fill, where this process may mount one."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_LIBC = ctypes.CDLL(None, use_errno=True)
_LAZILY = 2
"""MNT_DETACH: whoever still has a file open there keeps it until they close it."""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """Mounted at ``folder``."""

    folder: Path

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        """Give back what ``fill`` took."""
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    """A disk of its own; raises OSError where this process may not mount one."""
    with TemporaryDirectory(prefix="aiops-disk-") as folder:
        options = f"size={megabytes}m,mode=0777".encode()
        if _LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", 0, options):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            yield SmallDisk(Path(folder))
        finally:
            _LIBC.umount2(folder.encode(), _LAZILY)


@cache
def may_mount() -> bool:
    """Whether this process may."""
    try:
        with small_disk(1):
            return True
    except OSError:
        return False
