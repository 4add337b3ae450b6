"""Unpacks an archive that came from elsewhere without trusting it."""

import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from aiops.errors import AiopsError
from aiops_datasets.manifest import ArchiveKind, stays_below

MAX_BYTES = 16 * 2**30
MAX_ENTRIES = 1_000_000
_BLOCK = 2**20
# What the standard library's readers raise on damaged archives, found by damaging some.
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, IndexError, NotImplementedError, ValueError),
)


class UnsafeArchive(AiopsError):  # named like aiops.errors
    """An archive that cannot be unpacked, or not without risk; nothing of it is kept.

    Args:
        path: the archive.
        reason: what is wrong, in one clause.
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}; nothing was unpacked")


class _Entry(NamedTuple):
    name: str
    open: Callable[[], IO[bytes]] | None  # None for a folder


def unpack(archive: Path, kind: ArchiveKind, into: Path, *, max_bytes: int = MAX_BYTES) -> None:
    """Unpack ``archive`` into the new folder ``into``: plain files and folders, nothing else.

    Permissions, owners and times in the archive are ignored. On any refusal ``into`` is removed.

    Args:
        max_bytes: most bytes to write, counted as they are written and not as declared.

    Raises:
        UnsafeArchive: broken, too large, a path that climbs out, a link, a device, a double name.
    """
    into.mkdir(parents=True)
    done = False
    try:
        with closing(_tar(archive) if kind == "tar" else _zip(archive)) as entries:
            _write(archive, entries, into, max_bytes)
        done = True
    except _BROKEN as error:
        reason = str(error).partition("\n")[0].rstrip(":")  # tarfile says it once per compression
        raise UnsafeArchive(archive, f"is broken ({reason})") from error
    except OSError as error:
        # gzip and lzma report broken data as OSError too, without an errno.
        reason = f"cannot be unpacked ({error.strerror or error})"
        raise UnsafeArchive(archive, reason) from error
    finally:
        if not done:
            shutil.rmtree(into, ignore_errors=True)


def _write(archive: Path, entries: Iterator[_Entry], into: Path, max_bytes: int) -> None:
    left = max_bytes
    for number, (name, opened) in enumerate(entries, start=1):
        if number > MAX_ENTRIES:
            raise UnsafeArchive(archive, f"holds more than {MAX_ENTRIES:,} entries")
        if not stays_below(name):
            raise UnsafeArchive(archive, f"entry {name!r} climbs out of its folder")
        target = into / name
        if opened is None:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened() as content, target.open("xb") as out:
            while block := content.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    raise UnsafeArchive(archive, f"unpacks to more than {max_bytes:,} bytes")
                out.write(block)


def _tar(archive: Path) -> Generator[_Entry, None, None]:
    with tarfile.open(archive, "r:*") as opened:
        for member in opened:
            if member.isdir():
                yield _Entry(member.name, None)
            elif member.isreg():
                yield _Entry(member.name, partial(_content, opened, member))
            else:
                raise UnsafeArchive(archive, f"entry {member.name!r} is a link or a device")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name!r} has no content")
    return content


def _zip(archive: Path) -> Generator[_Entry, None, None]:
    with zipfile.ZipFile(archive) as opened:
        for member in opened.infolist():
            mode = member.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise UnsafeArchive(archive, f"entry {member.filename!r} is a link or a device")
            if member.flag_bits & 1:
                raise UnsafeArchive(archive, f"entry {member.filename!r} is encrypted")
            yield _Entry(member.filename, None if member.is_dir() else partial(opened.open, member))
