"""Repositories in this process: the twins of the SQL ones, for tests and single runs."""

import hashlib
from collections.abc import Iterator
from itertools import islice
from threading import Lock

from aiops.errors import AlreadyKept, NotKept
from aiops.model.investigation import AuditEntry, Investigation


class MemoryInvestigations:
    """An InvestigationRepo; see ``ports.repositories``."""

    def __init__(self) -> None:
        self._kept: dict[str, Investigation] = {}

    def save(self, investigation: Investigation) -> None:
        """Keep it; raises AlreadyKept."""
        if self._kept.setdefault(investigation.id, investigation) != investigation:
            raise AlreadyKept("investigation", investigation.id)

    def get(self, investigation_id: str) -> Investigation:
        """The one with this id; raises NotKept."""
        if investigation_id not in self._kept:
            raise NotKept("investigation", investigation_id)
        return self._kept[investigation_id]

    def newest(self, about: str | None = None, *, limit: int = 50) -> tuple[Investigation, ...]:
        """Those about one thing, or all, newest first."""
        chosen = [each for each in self._kept.values() if about in (None, each.about)]
        chosen.sort(key=lambda each: (each.at, each.id), reverse=True)
        return tuple(chosen[:limit])


class MemoryBlobs:
    """A BlobStore; see ``ports.repositories``."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        """Keep a copy under its sha256."""
        digest = hashlib.sha256(data).hexdigest()
        self._kept[digest] = bytes(data)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes; raises NotKept."""
        if digest not in self._kept:
            raise NotKept("blob", digest)
        return self._kept[digest]


class MemoryAudit:
    """An AuditLog; see ``ports.repositories``. Threads may append at once."""

    def __init__(self) -> None:
        self._kept: list[AuditEntry] = []
        self._lock = Lock()

    def append(self, entry: AuditEntry) -> int:
        """Keep it last."""
        with self._lock:
            self._kept.append(entry)
            return len(self._kept)

    def entries(self, after: int = 0) -> Iterator[tuple[int, AuditEntry]]:
        """Those numbered above ``after``."""
        there = len(self._kept)
        return islice(enumerate(self._kept, start=1), after, there)
