"""Whether the files of a data folder are those its SHA256SUMS lists."""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiops.errors import InvalidData
from aiops_datasets.manifest import stays_below

SUMS = "SHA256SUMS"
_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?P<path>.+)")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found, paths relative to the folder and sorted.

    Attributes:
        matching: how many files are as listed.
        differing: files whose content is not what is listed.
        missing: files that are listed and not there, or cannot be read.
        unlisted: files that are there and not listed.
        digests: per data set, the sha256 of its lines of SHA256SUMS sorted by path: one number for
            the whole set as listed, which its card pins.
    """

    matching: int
    differing: tuple[str, ...]
    missing: tuple[str, ...]
    unlisted: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]

    @property
    def intact(self) -> bool:
        """Whether every listed file is there and as listed."""
        return not (self.differing or self.missing)


def listed(root: Path) -> dict[str, str]:
    """The paths in ``root/SHA256SUMS`` and their digests in lower case.

    Raises:
        InvalidData: no such file, or a line that is not "<sha256>  <relative path>".
    """
    path = root / SUMS
    try:
        # By line feeds alone: splitlines also cuts at characters that a file name may hold.
        lines = path.read_bytes().decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InvalidData(path, "is not UTF-8 text") from error
    except OSError as error:
        raise InvalidData(
            path, f"cannot be read ({error.strerror}); point --data at the data folder"
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise InvalidData(path, 'is not "<sha256>  <path>"', row=number)
        name = match["path"].removeprefix("./")
        if not stays_below(name):
            raise InvalidData(path, f"{name!r} leaves the folder", row=number)
        if name in found:
            raise InvalidData(path, f"lists {name!r} twice", row=number)
        found[name] = match["digest"].lower()
    return found


def _silent(*_: object) -> None: ...


def verify(
    root: Path,
    dataset: str | None = None,
    *,
    on_file: Callable[[int, int], None] = _silent,
) -> Verification:
    """Compare the files below ``root`` (of one data set, or all) with its SHA256SUMS.

    Args:
        on_file: called after each file with how many are done and how many there are.

    Raises:
        InvalidData: SHA256SUMS cannot be used, or lists nothing of ``dataset``.
    """
    expected = {
        name: digest
        for name, digest in listed(root).items()
        if dataset is None or name.startswith(f"{dataset}/")
    }
    if not expected:
        raise InvalidData(root / SUMS, f"lists no file of {dataset or 'any data set'}")
    differing, missing = [], []
    for done, (name, digest) in enumerate(sorted(expected.items()), start=1):
        found = _sha256(root / name)
        if found is None:
            missing.append(name)
        elif found != digest:
            differing.append(name)
        on_file(done, len(expected))
    there = set(_files(root if dataset is None else root / dataset, root)) - {SUMS}
    return Verification(
        matching=len(expected) - len(differing) - len(missing),
        differing=tuple(differing),
        missing=tuple(missing),
        unlisted=tuple(sorted(there - expected.keys())),
        digests=tuple(sorted(digests(expected).items())),
    )


def measured(root: Path, dataset: str) -> dict[str, str]:
    """The paths of a set's files below ``root`` and their digests, all but its card (README.md)."""
    found = {
        name: _sha256(root / name)
        for name in _files(root / dataset, root)
        if name != f"{dataset}/README.md"
    }
    return {name: digest for name, digest in found.items() if digest is not None}


def digests(sums: dict[str, str]) -> dict[str, str]:
    """One sha256 per data set: of its "<sha256>  <path>" lines, sorted by path."""
    lines: dict[str, list[str]] = defaultdict(list)
    for name, digest in sorted(sums.items()):
        dataset, slash, _ = name.partition("/")
        if slash:
            lines[dataset].append(f"{digest}  {name}\n")
    return {
        dataset: hashlib.sha256("".join(found).encode()).hexdigest()
        for dataset, found in lines.items()
    }


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None


def _files(folder: Path, root: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        for name in names:
            yield (Path(parent) / name).relative_to(root).as_posix()
