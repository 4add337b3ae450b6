"""The body of an answer over HTTP has an end.

The SDK reads it to whatever length it has. A server of others may send 100 MB, or never stop: here
each answer is counted, and the connection is cut at a limit.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiops.toolbelt.mcp_reach import MB, Bounds, Remote, Watch

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams


@asynccontextmanager
async def remote(reach: Remote, bounds: Bounds, watch: Watch) -> "AsyncIterator[TransportStreams]":
    """A connection as the SDK's client takes it."""
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
                    watch.note(f"it sent more than {self._most / MB:g} MB in one answer")
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
