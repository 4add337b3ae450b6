"""An MCP server as a process of ours: talked to over its standard input and output, and ended.

The SDK reads a line to whatever length it has, and lets a process take what it likes. Here each
message, all that comes between two answers, and what the process takes of the machine, is counted;
at a limit the process is ended, with all that it started.
"""

import asyncio
import os
import resource
import signal
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import ToolFailed
from aiops.toolbelt.apart import EXIT_KILLED
from aiops.toolbelt.family import family, kill, processor_s, resident_bytes
from aiops.toolbelt.mcp_reach import MB, MIB, Allowance, Bounds, Spawned, Watch
from aiops.toolbelt.undisturbed import undisturbed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio import Event
    from mcp.client._transport import TransportStreams

_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ")
"""Of our environment, what a server's process gets; all else, secrets first, is kept from it."""
_LAST_WORDS: Final = 400
_GRACE_S: Final = 1.0
_LOOK_S: Final = 0.01
_GONE_S: Final = 10.0
"""Until a killed process is given up: only one that waits for a broken disk takes so long."""
_ALLOWANCE_LOOK_S: Final = 0.1


@asynccontextmanager
async def spawned(
    reach: Spawned, bounds: Bounds, watch: Watch
) -> "AsyncIterator[TransportStreams]":
    """A connection as the SDK's client takes it; its process is over when the connection is."""
    import anyio
    from mcp.shared.message import SessionMessage

    process = await _started(reach, bounds)
    incoming_writer, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, outgoing_reader = anyio.create_memory_object_stream[SessionMessage](0)
    heard = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, process, incoming_writer, bounds, watch, heard)
        tasks.start_soon(_write, process, outgoing_reader)
        tasks.start_soon(_listen, process, watch, heard)
        if bounds.process is not None:
            tasks.start_soon(_bounded, process.pid, bounds.process, watch)
        try:
            yield incoming, outgoing
        finally:
            with anyio.CancelScope(shield=True):
                await undisturbed(_ended(process))
            tasks.cancel_scope.cancel()
            for stream in (incoming, outgoing, incoming_writer, outgoing_reader):
                stream.close()


async def _started(reach: Spawned, bounds: Bounds) -> asyncio.subprocess.Process:
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *reach.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**env, **reach.env},
            limit=bounds.message_bytes,
            start_new_session=True,  # so that its children end with it
        )
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise ToolFailed(
            "unreachable", f"cannot start {reach.command[0]!r}: {said}; correct its command"
        ) from error
    if bounds.process is not None and sys.platform == "linux":
        # Where it is faster than our looks at it; run-times reserve more than they fill.
        most = 4 * bounds.process.memory_bytes
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_DATA, (most, most))
    return process


async def _read(
    process: asyncio.subprocess.Process, into: Any, bounds: Bounds, watch: Watch, heard: "Event"
) -> None:
    from anyio import BrokenResourceError, ClosedResourceError
    from mcp.shared.message import SessionMessage
    from mcp_types import JSONRPCError, JSONRPCResponse, jsonrpc_message_adapter

    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    since = 0
    with into, suppress(BrokenResourceError, ClosedResourceError):
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:
                watch.note(f"it sent a message of more than {bounds.message_bytes / MB:g} MB")
                return
            if not line:
                await _explained(process, watch, heard)
                return
            since += len(line)
            if since > bounds.between_bytes:
                watch.note(f"it sent {bounds.between_bytes / MB:g} MB without an answer")
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError as error:
                await into.send(error)
                continue
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                since = 0
                watch.answers += 1
            await into.send(SessionMessage(message))


async def _write(process: asyncio.subprocess.Process, source: Any) -> None:
    assert process.stdin is not None  # noqa: S101 - it was started with a pipe
    with source, suppress(ConnectionError, RuntimeError):  # it is gone; the reader says so
        async for sent in source:
            text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()


async def _listen(process: asyncio.subprocess.Process, watch: Watch, heard: "Event") -> None:
    """Keeps its last words: why a server does not start is said there, and nowhere else."""
    assert process.stderr is not None  # noqa: S101 - it was started with a pipe
    words = b""
    while chunk := await process.stderr.read(4096):
        words = (words + chunk)[-_LAST_WORDS:]
    said = " ".join(words.decode("utf-8", "replace").split())
    if said:
        watch.note(f"its process ended; its last words: {said}")
    heard.set()


async def _explained(process: asyncio.subprocess.Process, watch: Watch, heard: "Event") -> None:
    """Why it ended, before whoever waits for an answer is told that it did."""
    import anyio

    if await _has_ended(process) and process.returncode in (-signal.SIGKILL, EXIT_KILLED):
        watch.kill("unknown", "the system ended it, most likely for memory")
    with anyio.move_on_after(_GRACE_S):
        await heard.wait()
    watch.note("its process ended")


async def _bounded(pid: int, allowance: Allowance, watch: Watch) -> None:
    """Look again and again at what it takes; at its end, or when that is too much, this ends."""
    answers, since = 0, 0.0
    while True:
        members = tuple(family(pid))
        used = processor_s(members)
        if answers != watch.answers:
            answers, since = watch.answers, used
        if resident_bytes(members) > allowance.memory_bytes:
            most = f"{allowance.memory_bytes / MIB:,.0f} MiB of memory ('memory_mb')"
            watch.kill("memory", f"it took more than {most}")
        elif used - since > allowance.cpu_s:
            most = f"{allowance.cpu_s:g} s of processor time without an answer ('cpu_s')"
            watch.kill("cpu", f"it used more than {most}")
        elif len(members) > allowance.processes + 1:
            watch.kill("processes", f"it started more than {allowance.processes} processes")
        if watch.killed:
            kill(pid)
            return
        await asyncio.sleep(_ALLOWANCE_LOOK_S)


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Closes its input, as MCP asks, then ends it and its children, however deaf they are."""
    try:
        if process.stdin is not None:
            process.stdin.close()
        if not await _has_ended(process):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            await _has_ended(process)
    finally:  # also where its last moments are cut short: no server outlives us
        kill(process.pid)
        # What it sent and nobody read keeps its pipes open; nothing public of asyncio closes them.
        process._transport.close()  # type: ignore[attr-defined]
        # Nobody else waits for it: an event loop that is closed first leaves it unburied.
        await _has_ended(process, _GONE_S)


async def _has_ended(process: asyncio.subprocess.Process, within_s: float = _GRACE_S) -> bool:
    """Whether it ends soon. ``process.wait`` would wait for the end of its output as well."""
    until = asyncio.get_running_loop().time() + within_s
    while process.returncode is None:
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(_LOOK_S)
    return True
