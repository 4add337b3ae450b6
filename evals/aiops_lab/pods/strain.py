"""How a process misbehaves, as its version or the lab tells it: the hooks of faults."""

from __future__ import annotations

import asyncio
import hashlib
import json
import mmap
import threading
import time
from dataclasses import fields
from typing import TYPE_CHECKING

from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from aiops_lab.pods.store import Volume
    from aiops_lab.pods.throttle import Throttle
    from aiops_lab.pods.wall import Wall

LOOK_S = 0.1
_BLOCK = bytes(1 << 18)
_AT_ONCE = 16 << 20


class Strain:
    """The behaviour now, with the memory it has leaked and the CPU it burns beside.

    The lab may add to it at any time over a socket: one JSON object a line, whose keys are fields
    of Behaviour; an empty object brings back the version's own.
    """

    def __init__(
        self, own: Behaviour, volume: Volume, throttle: Throttle | None, wall: Wall
    ) -> None:
        self._own = self.now = own
        self._volume, self._throttle, self._wall = volume, throttle, wall
        self._leaked: list[mmap.mmap] = []
        self._ballast: list[mmap.mmap] = []
        self._hog: threading.Thread | None = None

    def habits(self) -> Behaviour:
        """How the process behaves now."""
        return self.now

    async def delay(self, seconds: Callable[[Behaviour], float]) -> None:
        """Wait for as long as the behaviour says; where it changes meanwhile, as the new one does.

        So what hangs goes on when its fault is over, however long it was to hang.
        """
        began = time.monotonic()
        while (left := seconds(self.now) - (time.monotonic() - began)) > 0:
            await asyncio.sleep(min(left, LOOK_S))

    async def listen(self, control: socket.socket) -> None:
        """Follow what the lab says, until it is gone."""
        reader, _ = await asyncio.open_unix_connection(sock=control)
        while line := await reader.readline():
            said = json.loads(line)
            known = {one.name for one in fields(Behaviour)}
            told = Behaviour(**{k: v for k, v in said.items() if k in known})
            self.become(self._own.beside(told))

    def become(self, behaviour: Behaviour) -> None:
        """Behave so from now on; what was taken before is given back when taking ends."""
        self.now = behaviour
        if not behaviour.leak_bytes_s:
            self._leaked.clear()
        if not behaviour.ballast_bytes:
            self._ballast.clear()
        self._wall.offset_s = behaviour.clock_offset_s
        if not behaviour.fill_bytes_s:
            self._volume.drop_ballast()
        if self._throttle is not None:
            self._throttle.squeeze(behaviour.cpu_share)
        if behaviour.hog_cores and self._hog is None:
            self._hog = threading.Thread(target=self._burn, daemon=True)
            self._hog.start()

    async def run(self) -> None:
        """Leak, fill and exit as told, until cancelled."""
        began = time.monotonic()
        self.become(self.now)
        while True:
            await asyncio.sleep(LOOK_S)
            if leak := int(self.now.leak_bytes_s * LOOK_S):
                self._leaked.append(_resident(leak))
            missing = self.now.ballast_bytes - sum(map(len, self._ballast))
            if missing > 0:
                self._ballast.append(_resident(min(missing, _AT_ONCE)))
            if fill := int(self.now.fill_bytes_s * LOOK_S):
                self._volume.add_ballast(fill)
            end = self.now.exit_after_s
            if end is not None and time.monotonic() - began > end:
                raise SystemExit(1)

    def _burn(self) -> None:
        # Hashing large blocks lets go of the interpreter lock, as another process's work would.
        while cores := self.now.hog_cores:
            began, wall = time.thread_time(), time.monotonic()
            while time.thread_time() - began < 0.01:
                hashlib.sha256(_BLOCK)
            idle = (time.thread_time() - began) / min(cores, 1.0) - (time.monotonic() - wall)
            if idle > 0:
                time.sleep(idle)
        self._hog = None


def _resident(size: int) -> mmap.mmap:
    """Memory of its own mapping, every page written to, or it would never become resident.

    The C library keeps much of what is freed on its heap; a mapping that nobody holds any more is
    given back to the system at once.
    """
    held = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(0, size, mmap.PAGESIZE):
        held[page] = 1
    return held
