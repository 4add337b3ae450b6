"""How an MCP server is reached, and what is let in from it: nothing without an end.

The SDK reads a line of a process, and the body of an answer, to whatever length they have. A
server of others may send 100 MB, or never stop: here each message, and all that comes between two
answers, is counted, and the connection is cut at a limit.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import ToolFailed

if TYPE_CHECKING:
    from mcp.client import Transport
    from mcp.client._transport import TransportStreams
    from mcp.server import Server

_MB: Final = 1_000_000
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ")
"""Of our environment, what a server's process gets; all else, secrets first, is kept from it."""
_LAST_WORDS: Final = 400
_GRACE_S: Final = 1.0
_LOOK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Spawned:
    """A server that we start, and talk to over its standard input and output.

    Attributes:
        env: what it is given beside its path and language.
    """

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return " ".join(self.command)


@dataclass(frozen=True, slots=True)
class Remote:
    """A server that is there already, over streamable HTTP."""

    url: str
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class InProcess:
    """A server of this very process."""

    server: "Server[Any]"

    def __str__(self) -> str:
        return "in process"


Reach = Spawned | Remote | InProcess


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken from a server at most.

    Attributes:
        message_bytes: of one message.
        between_bytes: of all that comes between two answers: progress, logs, noise.
        connect_s: until it has said who it is.
    """

    message_bytes: int = 4 * _MB
    between_bytes: int = 16 * _MB
    connect_s: float = 10.0


class Watch:
    """What is known about why a connection ended; the SDK does not say."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def note(self, reason: str) -> None:
        """The first reason stands: those after it are its consequences."""
        self.reason = self.reason or reason


def target(reach: Reach, bounds: Bounds, watch: Watch) -> "Server[Any] | Transport":
    """What the SDK's client connects to."""
    # Its loggers print what a server sent, which may be anything, secrets included.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
    match reach:
        case InProcess(server):
            return server
        case Spawned():
            return _process(reach, bounds, watch)
        case Remote():
            return _http(reach, bounds, watch)


@asynccontextmanager
async def _process(
    reach: Spawned, bounds: Bounds, watch: Watch
) -> "AsyncIterator[TransportStreams]":
    import anyio
    from mcp.shared.message import SessionMessage

    process = await _started(reach, bounds)
    incoming_writer, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, outgoing_reader = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, process, incoming_writer, bounds, watch)
        tasks.start_soon(_write, process, outgoing_reader)
        tasks.start_soon(_listen, process, watch)
        try:
            yield incoming, outgoing
        finally:
            with anyio.CancelScope(shield=True):
                await _ended(process)
            tasks.cancel_scope.cancel()
            for stream in (incoming, outgoing, incoming_writer, outgoing_reader):
                stream.close()


async def _started(reach: Spawned, bounds: Bounds) -> asyncio.subprocess.Process:
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    try:
        return await asyncio.create_subprocess_exec(
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


async def _read(
    process: asyncio.subprocess.Process, into: Any, bounds: Bounds, watch: Watch
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
                watch.note(f"it sent a message of more than {bounds.message_bytes / _MB:g} MB")
                return
            if not line:
                watch.note("its process ended")
                return
            since += len(line)
            if since > bounds.between_bytes:
                watch.note(f"it sent {bounds.between_bytes / _MB:g} MB without an answer")
                return
            try:
                message = jsonrpc_message_adapter.validate_json(line, by_name=False)
            except ValueError as error:
                await into.send(error)
                continue
            if isinstance(message, JSONRPCResponse | JSONRPCError):
                since = 0
            await into.send(SessionMessage(message))


async def _write(process: asyncio.subprocess.Process, source: Any) -> None:
    assert process.stdin is not None  # noqa: S101 - it was started with a pipe
    with source, suppress(ConnectionError, RuntimeError):  # it is gone; the reader says so
        async for sent in source:
            text = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()


async def _listen(process: asyncio.subprocess.Process, watch: Watch) -> None:
    """Keeps its last words: why a server does not start is said there, and nowhere else."""
    assert process.stderr is not None  # noqa: S101 - it was started with a pipe
    words = b""
    while chunk := await process.stderr.read(4096):
        words = (words + chunk)[-_LAST_WORDS:]
    said = " ".join(words.decode("utf-8", "replace").split())
    if said:
        watch.note(f"its process ended; its last words: {said}")


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
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # What it sent and nobody read keeps its pipes open; nothing public of asyncio closes them.
        process._transport.close()  # type: ignore[attr-defined]
    await _has_ended(process)


async def _has_ended(process: asyncio.subprocess.Process) -> bool:
    """Whether it ends soon. ``process.wait`` would wait for the end of its output as well."""
    until = asyncio.get_running_loop().time() + _GRACE_S
    while process.returncode is None:
        if asyncio.get_running_loop().time() > until:
            return False
        await asyncio.sleep(_LOOK_S)
    return True


@asynccontextmanager
async def _http(reach: Remote, bounds: Bounds, watch: Watch) -> "AsyncIterator[TransportStreams]":
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    headers = {"Accept-Encoding": "identity"}  # a packed answer has no length that can be bounded
    if reach.token is not None:
        headers["Authorization"] = f"Bearer {reach.token}"
    async with (
        httpx2.AsyncClient(
            transport=_bounded(bounds, watch),
            headers=headers,
            timeout=httpx2.Timeout(bounds.connect_s, read=None),  # whoever calls has a limit
            trust_env=False,
        ) as client,
        streamable_http_client(
            reach.url, http_client=client, max_sse_event_size=bounds.message_bytes
        ) as streams,
    ):
        yield streams


def _bounded(bounds: Bounds, watch: Watch) -> Any:
    """A transport of httpx2 whose answers have an end."""
    import httpx2

    class Counted(httpx2.AsyncByteStream):
        def __init__(self, inner: Any, most: int) -> None:
            self._inner, self._most = inner, most

        async def __aiter__(self) -> AsyncIterator[bytes]:
            seen = 0
            async for chunk in self._inner:
                seen += len(chunk)
                if seen > self._most:
                    watch.note(f"it sent more than {self._most / _MB:g} MB in one answer")
                    raise httpx2.StreamError(watch.reason or "too long")
                yield chunk

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Bounded(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            response = await super().handle_async_request(request)
            if response.status_code in (401, 403):
                watch.note(f"it refused our token (HTTP {response.status_code})")
            elif response.status_code >= 500:
                watch.note(f"it answered HTTP {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                watch.note("it packed its answer though asked not to")
                await response.aclose()
                raise httpx2.ReadError(watch.reason or "", request=request)
            streams = response.headers.get("content-type", "").startswith("text/event-stream")
            most = bounds.between_bytes if streams else bounds.message_bytes
            response.stream = Counted(response.stream, most)
            return response

    return Bounded()
