"""Bytes in the database, under their checksum."""

import hashlib

from sqlalchemy import Engine, select

from aiops.errors import NotKept
from aiops.ports.clock import Clock
from aiops.store.sql.columns import insert_or_replace
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import BLOBS


class SqlBlobs:
    """A BlobStore; see ``ports.repositories``. All of it raises StoreUnavailable.

    Args:
        clock: says when bytes were last put, which is what their age counts from.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def put(self, data: bytes) -> str:
        """Keep a copy under its sha256."""
        digest = hashlib.sha256(data).hexdigest()
        row = {"digest": digest, "kept_at": self._clock.now(), "content": bytes(data)}
        with writing(self._engine) as connection:
            connection.execute(insert_or_replace(BLOBS, connection.dialect, "digest"), row)
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes; raises NotKept."""
        with reading(self._engine) as connection:
            content = connection.scalar(select(BLOBS.c.content).where(BLOBS.c.digest == digest))
        if content is None:
            raise NotKept("blob", digest)
        return bytes(content)
