"""A shelf for runs that nobody can take up again: it lasts as long as the process."""

from threading import Lock
from typing import TypeVar, cast

from aiops.errors import NotKept

T = TypeVar("T")


class MemoryShelf:
    """A Shelf that keeps the objects themselves."""

    def __init__(self) -> None:
        self._kept: dict[str, object] = {}
        self._lock = Lock()

    def keep(self, value: object) -> str:
        """See Shelf. Each is kept anew: equal ones are rare in one run."""
        with self._lock:
            ref = f"{type(value).__name__.lower()}-{len(self._kept) + 1}"
            self._kept[ref] = value
        return ref

    def take(self, kind: type[T], ref: str) -> T:
        """See Shelf."""
        value = self._kept.get(ref)
        if not isinstance(value, kind):
            raise NotKept(kind.__name__.lower(), ref)
        return cast("T", value)  # type: ignore[redundant-cast]
