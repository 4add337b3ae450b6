"""What was broken and put right in a lab, one JSON line an event; it outlives the lab."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from aiops.errors import AiopsError
from aiops_lab.faults.orders import Truth, truth_from_json, truth_to_json

if TYPE_CHECKING:
    from pathlib import Path

Event = Literal["scheduled", "begun", "ended", "cancelled", "failed"]
OVER: frozenset[Event] = frozenset({"ended", "cancelled", "failed"})


class NotWritten(AiopsError):
    """The journal cannot be written, so nothing is broken that it would not know of."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be written: {reason}; nothing was injected")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event; ``note``: what a person should know besides."""

    at: datetime
    event: Event
    truth: Truth
    note: str = ""


class Journal:
    """A file that only grows."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, entry: Entry) -> None:
        """Add one event.

        Raises:
            NotWritten: the disk is full, or the folder is gone.
        """
        document = {
            "at": entry.at.isoformat(timespec="milliseconds"),
            "event": entry.event,
            "truth": truth_to_json(entry.truth),
            "note": entry.note,
        }
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(document) + "\n")
        except OSError as error:
            raise NotWritten(self._path, error.strerror or str(error)) from None

    def read(self) -> tuple[Entry, ...]:
        """Every event, the oldest first; a line that was cut off is left out."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except OSError:
            return ()
        return tuple(entry for line in lines if (entry := _entry(line)) is not None)

    def open(self) -> tuple[Truth, ...]:
        """What was scheduled or begun, and is not over."""
        last = {entry.truth.id: entry for entry in self.read()}
        return tuple(entry.truth for entry in last.values() if entry.event not in OVER)


def _entry(line: str) -> Entry | None:
    try:
        said = json.loads(line)
        truth = truth_from_json(said["truth"])
        return Entry(datetime.fromisoformat(said["at"]), said["event"], truth, said["note"])
    except (ValueError, KeyError, TypeError):
        return None
