"""What a sweep has finished, one JSON line each, so that after a stop it goes on where it was."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Generic, Self, TypeVar

from aiops.errors import InvalidData, InvalidInput
from aiops_evals.outcomes import CaseReport, from_json, to_json

Record = TypeVar("Record")


class Records(ABC, Generic[Record]):
    """The finished pieces of one run, on disk.

    The first line says what the run is; each further line is one record. A last line that was cut
    off when the run was killed is dropped.
    """

    def __init__(self, path: Path, finished: dict[str, Record], file: IO[str]) -> None:
        self.path, self.finished, self._file = path, finished, file

    @staticmethod
    @abstractmethod
    def encode(record: Record, /) -> dict[str, Any]:
        """``record`` as plain JSON."""

    @staticmethod
    @abstractmethod
    def decode(fields: Mapping[str, Any], /) -> Record:
        """What ``encode`` wrote; KeyError or TypeError where it did not write this."""

    @classmethod
    def open(cls, path: Path, run: Mapping[str, Any], *, fresh: bool = False) -> Self:
        """Goes on with the run in ``path``, or starts one.

        Args:
            run: what must be the same for results to belong together (seed, commit, checksums,
                methods); plain JSON.
            fresh: forget what is there.

        Raises:
            InvalidInput: the file holds another run, or cannot be written.
            InvalidData: the file is no journal.
        """
        # As JSON gives it back, or tuples would differ from the lists they became.
        identity = json.loads(json.dumps(run))
        lines = _whole_lines(path) if path.exists() and not fresh else []
        if lines:
            _refuse_another_run(path, lines[0], identity)
        else:
            lines = [json.dumps({"run": identity}) + "\n"]
        finished = dict(cls._record(path, row, line) for row, line in enumerate(lines[1:], start=2))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(lines), encoding="utf-8")
            return cls(path, finished, path.open("a", encoding="utf-8"))
        except OSError as error:
            raise InvalidInput(
                f"{path} cannot be written ({error.strerror}); give another --out"
            ) from error

    def append(self, key: str, record: Record) -> None:
        """Records that ``key`` is finished; on disk when this returns."""
        self.finished[key] = record
        self._file.write(json.dumps({"case": key, "report": self.encode(record)}) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    @classmethod
    def _record(cls, path: Path, row: int, line: str) -> tuple[str, Record]:
        try:
            entry = json.loads(line)
            return entry["case"], cls.decode(entry["report"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise InvalidData(path, "is damaged; give --fresh to start over", row=row) from error


class Journal(Records[CaseReport]):
    """The finished cases of one run."""

    encode = staticmethod(to_json)
    decode = staticmethod(from_json)


def _whole_lines(path: Path) -> list[str]:
    # Bytes that are no text become marks that are no JSON: refused with their row below.
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    return lines if not lines or lines[-1].endswith("\n") else lines[:-1]


def _refuse_another_run(path: Path, line: str, identity: Mapping[str, Any]) -> None:
    try:
        was = dict(json.loads(line)["run"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidData(path, "is not the journal of an evaluation", row=1) from error
    changed = [name for name in identity if was.get(name) != identity[name]]
    if changed:
        raise InvalidInput(
            f"{path} holds another run ({', '.join(changed)} changed); "
            "give another --out, or --fresh to start over"
        )
