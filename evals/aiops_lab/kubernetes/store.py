"""Objects with their history: the part of etcd and the API server that keeps things.

One counter of revisions for everything; every write makes a new object, so what was read never
changes under its reader. All methods may be called from any thread.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiops.errors import AiopsError

Object = dict[str, Any]
Key = tuple[str, str, str]
"""(resource, namespace, name); the namespace is empty for cluster-wide objects."""


class HistoryGone(AiopsError):
    """The part of history asked for is no longer kept."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(f"too old resource version: {asked} ({oldest})")


class Taken(AiopsError):
    """An object of that name exists already."""


class Missing(AiopsError):
    """No object of that name."""


class Stale(AiopsError):
    """The object has another revision than the writer saw."""


@dataclass(slots=True)
class Kept:
    """One revision of one object; never changed, encoded once when first asked."""

    key: Key
    object: Object
    _encoded: bytes | None = field(default=None, repr=False)

    @property
    def encoded(self) -> bytes:
        """The object as JSON."""
        if self._encoded is None:
            self._encoded = json.dumps(self.object, separators=(",", ":")).encode()
        return self._encoded


@dataclass(frozen=True, slots=True)
class Change:
    """One write: what is there now, and what was there before (None for neither)."""

    revision: int
    type: Literal["ADDED", "MODIFIED", "DELETED"]
    now: Kept
    before: Kept | None


Listener = Callable[[Change], None]


class ObjectStore:
    """Keeps objects of every resource.

    Args:
        history: how many changes are kept for watches that come back.
    """

    def __init__(self, history: int = 20_000) -> None:
        self.lock = threading.RLock()
        self._objects: dict[str, dict[tuple[str, str], Kept]] = {}
        self._revision = 1
        self._history: deque[Change] = deque(maxlen=history)
        self._forgotten = 0
        self._listeners: list[Listener] = []

    @property
    def revision(self) -> int:
        """The last revision given."""
        return self._revision

    def get(self, resource: str, namespace: str, name: str) -> Kept | None:
        """One object, or None."""
        return self._objects.get(resource, {}).get((namespace, name))

    def select(self, resource: str, namespace: str = "") -> list[Kept]:
        """The objects of a resource by namespace and name; an empty namespace means all."""
        with self.lock:
            kept = self._objects.get(resource, {})
            keys = sorted(k for k in kept if not namespace or k[0] == namespace)
            return [kept[key] for key in keys]

    def resources(self) -> list[str]:
        """Every resource of which there is an object."""
        with self.lock:
            return [resource for resource, kept in self._objects.items() if kept]

    def create(self, key: Key, new: Object) -> Kept:
        """Keep a new object; it is given its revision.

        Raises:
            Taken: there is one of that name.
        """
        with self.lock:
            if self.get(*key) is not None:
                raise Taken(key[2])
            return self._write("ADDED", key, new, None)

    def replace(self, key: Key, new: Object, expected: str | None = None) -> Kept:
        """Put a new revision in place of the present one; one that is equal is not written.

        Raises:
            Missing: there is none.
            Stale: it has another revision than `expected`.
        """
        with self.lock:
            before = self.get(*key)
            if before is None:
                raise Missing(key[2])
            present = before.object["metadata"]["resourceVersion"]
            if expected and expected != present:
                raise Stale(key[2])
            new = {**new, "metadata": {**new["metadata"], "resourceVersion": present}}
            if new == before.object:
                return before
            return self._write("MODIFIED", key, new, before)

    def remove(self, key: Key) -> Kept:
        """Take an object away; what is returned is its last state under a new revision.

        Raises:
            Missing: there is none.
        """
        with self.lock:
            before = self.get(*key)
            if before is None:
                raise Missing(key[2])
            return self._write("DELETED", key, before.object, before)

    def _write(
        self,
        type_: Literal["ADDED", "MODIFIED", "DELETED"],
        key: Key,
        new: Object,
        before: Kept | None,
    ) -> Kept:
        self._revision += 1
        metadata = {**new["metadata"], "resourceVersion": str(self._revision)}
        kept = Kept(key, {**new, "metadata": metadata})
        objects = self._objects.setdefault(key[0], {})
        if type_ == "DELETED":
            del objects[key[1:]]
        else:
            objects[key[1:]] = kept
        if len(self._history) == self._history.maxlen:
            self._forgotten = self._history[0].revision
        change = Change(self._revision, type_, kept, before)
        self._history.append(change)
        for listener in tuple(self._listeners):
            listener(change)
        return kept

    def listen(self, listener: Listener, since: int | None = None) -> Callable[[], None]:
        """Call back with every change, in order, under the store's lock; returns how to stop.

        Args:
            since: changes after this revision are told first.

        Raises:
            HistoryGone: some of them are no longer kept.
        """
        with self.lock:
            if since is not None:
                for change in self._after(since):
                    listener(change)
            self._listeners.append(listener)

        def stop() -> None:
            with self.lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def is_forgotten(self, revision: int) -> bool:
        """Whether changes after this revision are no longer kept."""
        return revision < self._forgotten

    def _after(self, since: int) -> Iterable[Change]:
        if self.is_forgotten(since):
            raise HistoryGone(since, self._forgotten)
        return [change for change in self._history if change.revision > since]

    def forget_history(self) -> None:
        """Drop all history, as compaction does; watches that come back are told to list anew."""
        with self.lock:
            self._forgotten = self._revision
            self._history.clear()
