"""The lab's side of the zygote: asks it to fork, hears how children ended."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any

from aiops.errors import AiopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

READY_S = 15.0
_MESSAGE = 1 << 18


class ZygoteFailed(AiopsError):
    """The process that starts all others did not come up, or is gone."""


class Zygote:
    """Forks children; lives in one event loop.

    Args:
        topology: the file that every child reads its behaviour from.
        log: where its own output goes, and a child's that has no other place.
    """

    def __init__(self, topology: Path, log: IO[bytes]) -> None:
        self._topology, self._log = topology, log
        self._numbers = itertools.count(1)
        self._forked: dict[int, asyncio.Future[int]] = {}
        self._ended: dict[int, Callable[[int], None]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._door: socket.socket | None = None
        self.lost: Callable[[], None] = lambda: None

    @property
    def pid(self) -> int:
        """Its process; 0 before it was started."""
        return self._process.pid if self._process else 0

    async def open(self) -> None:
        """Start it and wait until it can fork.

        Raises:
            ZygoteFailed: it ended, or was not ready in time.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MESSAGE)
        fd = str(theirs.fileno())
        # Popen from the thread that runs the loop and lives as long as the lab: the kernel's
        # death signal follows the thread that forked.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "aiops_lab.pods.zygote", fd, str(os.getpid()), self._topology],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        theirs.close()
        ours.setblocking(False)
        self._door = ours
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(READY_S):
                ready = await loop.sock_recv(ours, _MESSAGE)
        except TimeoutError:
            ready = b""
        if not ready:
            self.close()
            raise ZygoteFailed(f"the lab's processes do not start; see {self._log.name}")
        loop.add_reader(ours, self._hear)

    async def fork(
        self,
        request: Mapping[str, Any],
        output: int,
        control: int,
        ended: Callable[[int], None],
    ) -> int:
        """A child's process id.

        Args:
            request: its kind and what that kind takes.
            output, control: descriptors that become its standard output and its control socket.
            ended: called with the exit code, 128 + signal where one ended it.

        Raises:
            ZygoteFailed: the zygote is gone.
        """
        if self._door is None:
            raise ZygoteFailed("the process that starts all others is gone")
        number = next(self._numbers)
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._forked[number] = waiter
        message = json.dumps({**request, "id": number, "zygote": self.pid}).encode()
        try:
            socket.send_fds(self._door, [message], [output, control])
        except OSError as error:
            self._forked.pop(number, None)
            raise ZygoteFailed(f"cannot start a process: {error.strerror}") from None
        pid = await waiter
        self._ended[pid] = ended
        return pid

    def _hear(self) -> None:
        assert self._door is not None  # noqa: S101 - a reader is registered while it is open
        try:
            message = self._door.recv(_MESSAGE)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._gone()
            return
        said = json.loads(message)
        if "exited" in said:
            # Its own fork's waiter may not have run yet; callbacks keep their order.
            asyncio.get_running_loop().call_soon(self._tell_end, said["exited"], said["code"])
        else:
            waiter = self._forked.pop(said["id"])
            if not waiter.done():  # who asked may have given up meanwhile
                waiter.set_result(said["pid"])

    def _tell_end(self, pid: int, code: int) -> None:
        if (tell := self._ended.pop(pid, None)) is not None:
            tell(code)

    def _gone(self) -> None:
        self.close()
        self.lost()

    def close(self) -> None:
        """Kill it, and every child with it; whoever waits for one of them is told."""
        if self._door is not None:
            asyncio.get_running_loop().remove_reader(self._door)
            self._door.close()
            self._door = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        waiting, self._forked = self._forked, {}
        for waiter in waiting.values():
            if not waiter.done():
                waiter.set_exception(ZygoteFailed("the process that starts all others is gone"))
        left, self._ended = self._ended, {}
        for tell in left.values():
            tell(128 + signal.SIGKILL)
