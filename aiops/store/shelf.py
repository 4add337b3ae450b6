"""What runs find, kept as blobs: their ids are checksums, so a step done twice keeps it once."""

from typing import Any, TypeVar

from aiops.ports.repositories import BlobStore
from aiops.store.codec import Codec

T = TypeVar("T")


class BlobShelf:
    """A Shelf over a BlobStore; see ``ports.inquiry``."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def keep(self, value: object) -> str:
        """Keep it; returns the sha256 of its JSON."""
        codec: Codec[Any] = Codec(type(value))
        return self._blobs.put(codec.write(value).encode())

    def take(self, kind: type[T], ref: str) -> T:
        """The value; raises NotKept, and Unreadable where another version wrote it."""
        return Codec(kind).read(self._blobs.get(ref).decode())
