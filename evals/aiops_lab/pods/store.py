"""What a database, a cache or a queue broker keeps, and how long it takes to say so."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from aiops_lab.topology.model import Storage

SCAN = 12
_ITEMS = 8


class NoSpace(Exception):
    """The volume is full; nothing was written."""

    def __init__(self) -> None:
        super().__init__("write failed: no space left on device")


class QueueFull(Exception):
    """The queue holds all it may; the message was not taken."""

    def __init__(self, queue: str, length: int) -> None:
        super().__init__(f"queue {queue} is full ({length} messages)")


class Volume:
    """A folder with bounded room, everything in it counted."""

    BALLAST = "ballast"

    def __init__(self, folder: Path, room: int) -> None:
        self.folder, self.room = folder, room
        self._looked, self._used = 0.0, 0

    def used(self) -> int:
        """Bytes in the folder, looked up at most twice a second."""
        now = time.monotonic()
        if now - self._looked > 0.5:
            with os.scandir(self.folder) as entries:
                self._used = sum(e.stat().st_size for e in entries if e.is_file())
            self._looked = now
        return self._used

    def append(self, name: str, line: bytes) -> None:
        """Add a line to a file.

        Raises:
            NoSpace: it would not fit.
        """
        if self.used() + len(line) > self.room:
            raise NoSpace
        try:
            with (self.folder / name).open("ab") as file:
                file.write(line)
        except OSError:  # the machine's own disk
            raise NoSpace from None
        self._used += len(line)

    def add_ballast(self, size: int) -> None:
        """Write so many bytes that nobody needs, or as many as there is room for."""
        with contextlib.suppress(NoSpace):
            self.append(self.BALLAST, bytes(max(min(size, self.room - self.used()), 0)))

    def drop_ballast(self) -> None:
        """Remove them again."""
        (self.folder / self.BALLAST).unlink(missing_ok=True)
        self._looked = 0.0

    def replace(self, name: str, content: bytes) -> None:
        """Write a file anew, whole or not at all.

        Raises:
            NoSpace: it would not fit beside what is there.
        """
        if self.used() + len(content) > self.room:
            raise NoSpace
        fresh = self.folder / f"{name}.new"
        try:
            fresh.write_bytes(content)
            fresh.replace(self.folder / name)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise NoSpace from None
        self._looked = 0.0


class Tables:
    """Rows by table and key, journalled to a volume and read back at the next start.

    Queries are served ``slots`` at a time; the rest wait in line, so latency grows with load.
    """

    JOURNAL = "journal.jsonl"

    def __init__(
        self, storage: Storage, volume: Volume, habits: Callable[[], Behaviour] = Behaviour
    ) -> None:
        self._storage, self._volume, self._habits = storage, volume, habits
        self._slots = asyncio.Semaphore(max(storage.slots, 1))
        self._rows: dict[str, OrderedDict[str, tuple[float, list[str]]]] = {}
        self.active = self.waiting = 0
        self._written, self._compact_at = 0, storage.volume_bytes // 4
        self._restore()

    async def query(self, op: str, table: str, key: str, item: str) -> list[list[str]]:
        """Rows that answer; none where there is no such row.

        Raises:
            NoSpace: a write that the volume has no room for.
        """
        self.waiting += 1
        async with self._slots:
            self.waiting -= 1
            self.active += 1
            try:
                cost = 2.0 if op == "read" and not key else 1.0
                await asyncio.sleep(
                    self._storage.latency_ms / 1e3 * cost * self._habits().query_factor
                )
                return self._serve(op, table, key, item)
            finally:
                self.active -= 1

    def rows(self) -> int:
        """How many rows are kept."""
        return sum(map(len, self._rows.values()))

    def _serve(self, op: str, table: str, key: str, item: str) -> list[list[str]]:
        rows = self._rows.setdefault(table, OrderedDict())
        if op == "read" and not key:
            return [value for _, value in itertools.islice(rows.values(), SCAN)]
        kept = rows.get(key)
        if kept and self._storage.ttl_s and time.time() - kept[0] > self._storage.ttl_s:
            del rows[key]
            kept = None
        if op == "read":
            return [kept[1]] if kept else []
        value = [*(kept[1] if kept else []), item or "-"][-_ITEMS:] if op == "write" else None
        self._journal(table, key, value)
        if value is None:
            rows.pop(key, None)
        else:
            self._put(table, key, time.time(), value)
        if self._written > self._compact_at:
            self._compact()
        return [] if value is None else [value]

    def _put(self, table: str, key: str, at: float, value: list[str]) -> None:
        rows = self._rows.setdefault(table, OrderedDict())
        rows[key] = (at, value)
        rows.move_to_end(key)
        if len(rows) > self._storage.max_rows:
            rows.popitem(last=False)

    def _journal(self, table: str, key: str, value: list[str] | None) -> None:
        line = json.dumps([table, key, time.time(), value]).encode() + b"\n"
        self._volume.append(self.JOURNAL, line)
        self._written += len(line)

    def _compact(self) -> None:
        lines = [
            json.dumps([table, key, at, value]).encode() + b"\n"
            for table, rows in self._rows.items()
            for key, (at, value) in rows.items()
        ]
        content = b"".join(lines)
        with contextlib.suppress(NoSpace):  # then it stays as long as it is
            self._volume.replace(self.JOURNAL, content)
        self._written = len(content)
        self._compact_at = max(self._storage.volume_bytes // 4, 2 * len(content))

    def _restore(self) -> None:
        for table, count in self._storage.seed.items():
            for number in range(count):
                self._put(table, str(number), time.time(), [f"{table}-{number}"])
        for table, key, at, value in self._journalled():
            if value is None:
                self._rows.get(table, OrderedDict()).pop(key, None)
            else:
                self._put(table, key, at, value)

    def _journalled(self) -> Iterator[tuple[str, str, float, list[str] | None]]:
        path = self._volume.folder / self.JOURNAL
        if not path.exists():
            return
        content = path.read_bytes()
        self._written = len(content)
        for line in content.splitlines():
            try:
                table, key, at, value = json.loads(line)
            except ValueError:
                continue  # the process was killed while it wrote this line
            yield table, key, at, value


class Queues:
    """Bounded queues of messages; what is handed out is gone (acknowledged on delivery)."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._messages: dict[str, deque[bytes]] = {}
        self._arrived: dict[str, asyncio.Event] = {}

    def publish(self, queue: str, message: bytes) -> None:
        """Put a message at the end.

        Raises:
            QueueFull: the queue holds all it may.
        """
        messages = self._messages.setdefault(queue, deque())
        if len(messages) >= self._length:
            raise QueueFull(queue, self._length)
        messages.append(message)
        self._arrived.setdefault(queue, asyncio.Event()).set()

    async def consume(self, queue: str, wait_s: float) -> bytes | None:
        """The first message, waited for; ``None`` where none came."""
        messages = self._messages.setdefault(queue, deque())
        arrived = self._arrived.setdefault(queue, asyncio.Event())
        if not messages:
            arrived.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await arrived.wait()
            except TimeoutError:
                return None
        return messages.popleft() if messages else None

    def depth(self) -> int:
        """Messages in all queues."""
        return sum(map(len, self._messages.values()))
