"""The door for sources of live telemetry, one class a kind of backend."""

from collections.abc import Mapping
from typing import Protocol


class Ingestor(Protocol):
    """A configured backend; it is also one or more of the sources in ``ports.telemetry``.

    A class registered in ``aiops.ingestors`` under its kind ("prometheus"), made by
    ``connect(name, options)``.
    """

    name: str

    @classmethod
    def connect(cls, name: str, options: Mapping[str, object]) -> "Ingestor":
        """A source called ``name``; opens no connection yet.

        Raises:
            InvalidInput: an option that is missing, unknown or wrong, by its key.
        """
        ...

    def check(self) -> str:
        """One real read; what was seen, in a sentence with numbers.

        Raises:
            SourceUnavailable: it cannot answer; the reason says what to do.
        """
        ...

    def close(self) -> None:
        """Give connections back; the source is not used afterwards."""
        ...
