"""What a campaign has done: one JSON line an attempt, on disk before the next begins."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, Self

from aiops.errors import InvalidData, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Outcome = Literal["recorded", "busy", "failed"]


class AnotherCampaign(InvalidInput):
    """The folder holds a campaign that was asked for in other words."""

    def __init__(self, folder: Path, changed: list[str]) -> None:
        super().__init__(
            f"{folder} holds another campaign ({', '.join(changed)} changed); "
            "give another --out, or the same options to go on with it"
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One recording of a case.

    Attributes:
        number: from 1.
        outcome: "busy": the machine was, so that what was measured is not the lab's alone.
        busiest_cpu: share of the machine's CPU, highest 5 s average; ``None``: it failed before.
        reason: why it is not valid; "" where it is.
        labs: how many ran when it began, itself counted.
        began: time of day, ISO 8601.
        seconds: that it took, from the start of its lab to the end of that.
        commit: that the code was checked out at; "" outside a checkout.
    """

    case: str
    number: int
    outcome: Outcome
    busiest_cpu: float | None
    reason: str
    labs: int
    began: str
    seconds: float
    commit: str


class Journal:
    """The attempts of one campaign; the first line of its file says which campaign it is."""

    def __init__(self, attempts: list[Attempt], file: IO[str]) -> None:
        self._attempts, self._file = attempts, file

    @classmethod
    def open(cls, path: Path, campaign: Mapping[str, Any]) -> Self:
        """Goes on with the campaign in ``path``, or begins it; a line cut off by a kill is dropped.

        Args:
            campaign: what must be equal for cases to belong together; plain JSON.

        Raises:
            AnotherCampaign: the file is of another one.
            InvalidData: the file is no journal.
            OSError: it cannot be written.
        """
        lines = _whole_lines(path)
        if not lines:
            lines = [json.dumps({"campaign": campaign}) + "\n"]
        _refuse_another(path, lines[0], campaign)
        attempts = [_attempt(path, row, line) for row, line in enumerate(lines[1:], start=2)]
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(lines), encoding="utf-8")
        fresh.replace(path)
        return cls(attempts, path.open("a", encoding="utf-8"))

    def append(self, attempt: Attempt) -> None:
        """On disk when this returns."""
        self._file.write(json.dumps(asdict(attempt)) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._attempts.append(attempt)

    def attempts(self, case: str | None = None) -> tuple[Attempt, ...]:
        """Of one case, or all, in their order."""
        return tuple(one for one in self._attempts if case in (None, one.case))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _whole_lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    # Bytes that are no text become marks that are no JSON, and are refused with their row.
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    return lines if not lines or lines[-1].endswith("\n") else lines[:-1]


def _refuse_another(path: Path, line: str, campaign: Mapping[str, Any]) -> None:
    try:
        was = dict(json.loads(line)["campaign"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidData(path, "is not the journal of a campaign", row=1) from error
    # As JSON gives it back, or tuples would differ from the lists they became.
    now = json.loads(json.dumps(campaign))
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    if changed:
        raise AnotherCampaign(path.parent.parent, changed)


def _attempt(path: Path, row: int, line: str) -> Attempt:
    try:
        return Attempt(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise InvalidData(path, "is damaged; remove it to start over", row=row) from error
