"""What a table was made from: seed, commit, code, data, versions, machine."""

import hashlib
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import aiops
import aiops_datasets
import aiops_evals
from aiops_datasets import checkout

_LIBRARIES = ("aiops", "numpy", "scipy", "statsmodels", "networkx", "fse-baro")


def dataset_checksum(root: Path, dataset: str) -> str:
    """sha256 that stands for the whole set.

    Over the set's sorted lines of ``root/SHA256SUMS`` where it is listed there, else over the
    names and bytes of its files.
    """
    sums = root / "SHA256SUMS"
    if sums.is_file():
        lines = sums.read_text(encoding="utf-8").splitlines()
        own = sorted(line for line in lines if line.partition("  ")[2].startswith(f"{dataset}/"))
        if own:
            return hashlib.sha256("\n".join(own).encode()).hexdigest()
    files = (path for path in (root / dataset).rglob("*") if path.is_file())
    return _digest(root, files)


def code_checksum() -> str:
    """sha256 over the sources that decide a result: a commit does not see uncommitted changes."""
    digest = hashlib.sha256()
    for package in (aiops, aiops_datasets, aiops_evals):
        for folder in package.__path__:
            digest.update(_digest(Path(folder), Path(folder).rglob("*.py")).encode())
    return digest.hexdigest()


def commit() -> str | None:
    """The commit this code was checked out at; None outside a checkout."""
    return checkout.commit(Path(__file__))


def machine() -> dict[str, Any]:
    """Enough to judge a time by, and nothing that names the host."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def versions() -> dict[str, str | None]:
    """Library -> installed version; None where it is not installed."""
    return {name: _version(name) for name in _LIBRARIES}


def command_line() -> str:
    """The command as typed, without the path of the interpreter or script."""
    return " ".join(["aiops", *sys.argv[1:]])


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
