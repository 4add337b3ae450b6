"""Where recorded outcomes are kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from aiops.errors import InvalidInput


class Tape(Protocol):
    """Outcomes, each a line of canonical JSON."""

    def lines(self) -> Sequence[str]:
        """All of them, in the order in which they were added."""
        ...

    def add(self, line: str) -> None:
        """Keep one more."""
        ...


class MemoryTape:
    """A tape that lasts as long as the process."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        self._lines = list(lines)

    def lines(self) -> Sequence[str]:
        return tuple(self._lines)

    def add(self, line: str) -> None:
        self._lines.append(line)


class FileTape:
    """A tape in a file of JSON lines, in UTF-8. A last line without an end was never recorded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> Sequence[str]:
        """Raises InvalidInput where the file cannot be read."""
        try:
            text = self._path.read_bytes().decode()
        except OSError as error:
            raise InvalidInput(f"recording {self._path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InvalidInput(f"recording {self._path} is no UTF-8; record it anew") from error
        return tuple(text.split("\n")[:-1])

    def add(self, line: str) -> None:
        """Raises InvalidInput where the file cannot be written."""
        try:
            with self._path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(line + "\n")
        except OSError as error:
            raise InvalidInput(f"recording {self._path}: {error.strerror}") from error
