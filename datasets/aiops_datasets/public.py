"""The parent's side of ``sealed``: public keys of files that this process does not open."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from aiops.errors import InvalidData
from aiops_datasets import sealed


class PublicReader(Protocol):
    """Reads public keys: ``read("case", path)``, ``read("row", path, name)``."""

    def __call__(self, kind: str, path: Path, *names: str) -> Any:
        """The public value; raises InvalidData naming file, key and reason."""
        ...


def apart(kind: str, path: Path, *names: str) -> Any:
    """Ask a child process (about 25 ms), so that this process never holds an answer."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(Path(sealed.__file__)), kind, str(path), *names],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode not in (0, 3):
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InvalidData(path, f"its reader failed: {reason}")
    answer = json.loads(done.stdout)
    if done.returncode == 3:
        raise refused(path, answer["key"], answer["reason"])
    return answer


def within(kind: str, path: Path, *names: str) -> Any:
    """Read in this process: for evaluations, which see the answers anyway."""
    try:
        return sealed.KINDS[kind](str(path), *names)
    except sealed.Refused as error:
        raise refused(path, error.key, error.reason) from error


def refused(path: Path, key: str | None, reason: str) -> InvalidData:
    """``sealed``'s refusal in the project's terms."""
    return InvalidData(path, reason if key is None else f"key {key!r} {reason}")
