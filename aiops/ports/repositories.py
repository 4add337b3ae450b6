"""The doors for what outlives a run: investigations, blobs, the audit trail. Nothing is changed."""

from collections.abc import Iterator
from typing import Protocol

from aiops.model.investigation import AuditEntry, Investigation


class InvestigationRepo(Protocol):
    """Keeps finished investigations with their reports."""

    def save(self, investigation: Investigation) -> None:
        """Keep it; saving the same again changes nothing.

        Raises:
            AlreadyKept: another investigation has this id.
        """
        ...

    def get(self, investigation_id: str) -> Investigation:
        """The investigation with this id.

        Raises:
            NotKept: there is none.
        """
        ...

    def newest(self, about: str | None = None, *, limit: int = 50) -> tuple[Investigation, ...]:
        """At most ``limit`` investigations of one incident or case, or of all, newest first.

        Those that ended at the same time are in descending order of their ids.
        """
        ...


class BlobStore(Protocol):
    """Keeps bytes under their own checksum: rendered reports, recorded outputs."""

    def put(self, data: bytes) -> str:
        """Keep ``data``, once; returns its sha256 in 64 lower-case hex digits."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes whose sha256 is ``digest``.

        Raises:
            NotKept: there are none, or ``digest`` is no sha256.
        """
        ...


class AuditLog(Protocol):
    """Keeps what was done, in order; there is no way to change or remove an entry."""

    def append(self, entry: AuditEntry) -> int:
        """Keep ``entry`` as the last one; returns its number: 1, 2, ..."""
        ...

    def entries(self, after: int = 0) -> Iterator[tuple[int, AuditEntry]]:
        """The entries numbered above ``after`` that were there when asked, in order."""
        ...
