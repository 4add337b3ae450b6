"""Work that may go wrong, done in a process of its own with bounds on all that it takes.

Memory, processor time, wall time, output, files and processes are limited; nothing of the service's
environment is inherited; whatever was started is gone when the call ends, or when the service does.
Linux only: it rests on prctl and /proc.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aiops.errors import ToolFailed
from aiops.toolbelt.family import family, kill, resident_bytes
from aiops.toolbelt.undisturbed import undisturbed

Bound = Literal["memory", "cpu", "wall", "output", "processes", "unknown"]
EXIT_KILLED = 137
"""128 + SIGKILL, as a shell and Kubernetes tell of it."""
_LOOK_S = 0.05
_LAST_S = 5.0
"""Until a killed process is given up: somebody who escaped may still hold its pipes."""
_TOLD = 500
_PATH = "/usr/local/bin:/usr/bin:/bin"
_OUT_OF_MEMORY = (b"MemoryError", b"Cannot allocate memory", b"bad_alloc", b"out of memory")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one piece of work may take.

    Attributes:
        memory_bytes: of the process and all that it starts, resident; of each, allocated.
        cpu_s: of each process, whole seconds.
        wall_s: from start to end.
        output_bytes: of standard output and of standard error, each; of any file it writes.
        processes: that it may start beside itself, threads included.
    """

    memory_bytes: int = 512 * 2**20
    cpu_s: int = 20
    wall_s: float = 30.0
    output_bytes: int = 10 * 2**20
    processes: int = 32


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that ended by itself."""

    code: int
    stdout: bytes
    stderr: bytes


class Killed(ToolFailed):
    """Work was ended because it took more than it may.

    Args:
        what: the command's name.
        bound: which of the limits it was.
        limit: that limit, in words.
    """

    def __init__(self, what: str, bound: Bound, limit: str) -> None:
        self.bound, self.exit_code = bound, EXIT_KILLED
        super().__init__(
            "killed",
            f"{what} was killed (exit {EXIT_KILLED}): {limit}; ask it for less, or allow more",
        )


async def run(
    command: Sequence[str],
    limits: Limits,
    *,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Ran:
    """Run ``command``, an argument list for no shell, within ``limits``.

    Args:
        environment: all that it gets beside PATH and LANG.

    Raises:
        Killed: it took more than it may.
        ToolFailed: it cannot be started.
    """
    what = Path(command[0]).name
    starter = str(Path(__file__).with_name("apart_start.py"))
    bounds = (limits.memory_bytes, limits.cpu_s, limits.output_bytes, limits.processes)
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", starter, str(os.getpid()), *map(str, bounds), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": _PATH, "LANG": "C.UTF-8", **(environment or {})},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise ToolFailed("failed", f"{what} cannot be started: {error}") from error
    try:
        return await _watched(process, what, limits, stdin)
    finally:
        kill(process.pid)
        await undisturbed(_over(process))


async def call(function: Callable[..., Any], *arguments: Any, limits: Limits) -> Any:
    """What an importable ``function`` answers to ``arguments``, both JSON, computed apart.

    Raises:
        Killed: it took more than it may.
        ToolFailed: it raised; the reason holds the last line of what it printed.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    command = (sys.executable, "-I", "-m", "aiops.toolbelt.apart_call", name)
    ran = await run(command, limits, stdin=json.dumps(arguments).encode())
    if ran.code:
        told = ran.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing was printed"]
        raise ToolFailed("failed", f"{name} failed (exit {ran.code}): {told[-1][:_TOLD]}")
    return json.loads(ran.stdout)


async def _watched(
    process: asyncio.subprocess.Process, what: str, limits: Limits, stdin: bytes
) -> Ran:
    """Feed it, read it, look at its memory, until it ends or has to be ended."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ToolFailed("failed", f"{what} was started without its pipes")
    pipes = (
        asyncio.create_task(_fed(process.stdin, stdin)),
        asyncio.create_task(_read(process.stdout, what, limits)),
        asyncio.create_task(_read(process.stderr, what, limits)),
    )
    work: asyncio.Future[tuple[None, bytes, bytes]] = asyncio.gather(*pipes)
    watch = asyncio.ensure_future(_bounded(process.pid, what, limits))
    try:
        async with asyncio.timeout(limits.wall_s):
            either: set[asyncio.Future[Any]] = {work, watch}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if watch.done():
                watch.result()
            _, stdout, stderr = await work
            code = await process.wait()
    except TimeoutError:
        raise Killed(what, "wall", f"it ran longer than {limits.wall_s:g} s") from None
    finally:
        for task in (watch, *pipes):
            task.cancel()
        await asyncio.gather(watch, *pipes, work, return_exceptions=True)
    if code == -signal.SIGXCPU:
        raise Killed(what, "cpu", f"it used more than {limits.cpu_s} s of processor time")
    if code and any(sign in stderr for sign in _OUT_OF_MEMORY):
        raise _too_much_memory(what, limits)
    if code == -signal.SIGKILL:
        raise Killed(what, "unknown", "the system ended it, most likely for memory")
    return Ran(code, stdout, stderr)


async def _over(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a killed process; what it had written is read and dropped.

    asyncio calls no process over while one of its pipes holds what nobody reads.
    """
    with contextlib.suppress(TimeoutError, ProcessLookupError):
        async with asyncio.timeout(_LAST_S):
            for pipe in (process.stdout, process.stderr):
                while pipe is not None and await pipe.read(65_536):
                    pass
            await process.wait()


async def _fed(pipe: asyncio.StreamWriter, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it need not listen
        pipe.write(data)
        await pipe.drain()
        pipe.close()


async def _read(pipe: asyncio.StreamReader, what: str, limits: Limits) -> bytes:
    parts, size = [], 0
    while part := await pipe.read(65_536):
        parts.append(part)
        size += len(part)
        if size > limits.output_bytes:
            raise Killed(what, "output", f"it wrote more than {limits.output_bytes:,} bytes")
    return b"".join(parts)


async def _bounded(pid: int, what: str, limits: Limits) -> None:
    """Look again and again at what the kernel bounds for each process only, or not for root."""
    while True:
        members = tuple(family(pid))
        if len(members) > limits.processes + 1:
            raise Killed(what, "processes", f"it started more than {limits.processes} processes")
        if resident_bytes(members) > limits.memory_bytes:
            raise _too_much_memory(what, limits)
        await asyncio.sleep(_LOOK_S)


def _too_much_memory(what: str, limits: Limits) -> Killed:
    return Killed(what, "memory", f"it took more than {limits.memory_bytes / 2**20:,.0f} MiB")
