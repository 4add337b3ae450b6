"""How a process misbehaves, as its version or the lab tells it: the hooks of faults."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import threading
import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    import socket

_BLOCK = bytes(1 << 18)


class Strain:
    """The behaviour now, with the memory it has leaked and the CPU it burns beside.

    The lab may change it at any time over a socket: one JSON object a line, whose keys are fields
    of Behaviour; an empty object brings back the version's own.
    """

    def __init__(self, own: Behaviour) -> None:
        self._own = self.now = own
        self._leaked: list[bytearray] = []
        self._hog: threading.Thread | None = None

    async def listen(self, control: socket.socket) -> None:
        """Follow what the lab says, until it is gone."""
        reader, _ = await asyncio.open_unix_connection(sock=control)
        while line := await reader.readline():
            said = json.loads(line)
            known = {one.name for one in fields(Behaviour)}
            self.become(replace(self._own, **{k: v for k, v in said.items() if k in known}))

    def become(self, behaviour: Behaviour) -> None:
        """Behave so from now on; what was leaked before is given back when leaking ends."""
        self.now = behaviour
        if not behaviour.leak_bytes_s:
            self._leaked.clear()
        if behaviour.hog_cores and self._hog is None:
            self._hog = threading.Thread(target=self._burn, daemon=True)
            self._hog.start()

    async def run(self) -> None:
        """Leak and exit as told, until cancelled."""
        began = time.monotonic()
        self.become(self.now)
        while True:
            await asyncio.sleep(0.1)
            if leak := int(self.now.leak_bytes_s * 0.1):
                # Written to, or the pages would never become resident.
                self._leaked.append(bytearray(os.urandom(64) * (leak // 64 + 1)))
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
