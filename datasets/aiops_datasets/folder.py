"""Files of a case's folder, and nothing outside it."""

import hashlib
from pathlib import Path

from aiops.errors import InvalidData


def inside(folder: Path, name: str) -> Path | None:
    """``folder/name`` where it is a file; None where there is none.

    Raises:
        InvalidData: the name or a link leads out of ``folder``.
    """
    path = folder / name
    try:
        whole = path.resolve()
    except ValueError as error:  # a zero byte, or half a character
        raise InvalidData(folder, f"{name!r} can be no file's name") from error
    if not whole.is_relative_to(folder.resolve()):
        raise InvalidData(path, "leads out of its folder; copy the file into it")
    return path if path.is_file() else None


def first_of(folder: Path, *names: str) -> Path | None:
    """The first of ``names`` that is a file of ``folder``; None where none is."""
    return next((path for name in names if (path := inside(folder, name))), None)


def csv_of(folder: Path, name: str) -> Path | None:
    """``<name>.csv.gz`` or ``<name>.csv`` of ``folder``."""
    return first_of(folder, f"{name}.csv.gz", f"{name}.csv")


def opaque_id(dataset: str, name: str) -> str:
    """An id that says nothing about the case, the same in every run."""
    return "c" + hashlib.sha256(f"{dataset}/{name}".encode()).hexdigest()[:12]
