"""One request to an endpoint, carried by the official client: where to, trusting whom."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import InvalidInput
from aiops.llm.replies import Unreadable

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_S: Final = 10.0
_MOST_BYTES: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is asked.

    Attributes:
        url: base address, mostly ending in /v1.
        key: None where none is needed.
        attempts: requests for one answer at most, 1 for no second one.
        longest_pause_s: that Retry-After is obeyed for; longer is a failure at once.
        ca_file: certificates that are trusted instead of the system's.
    """

    url: str
    key: str | None = field(default=None, repr=False)
    attempts: int = 3
    longest_pause_s: float = 20.0
    ca_file: Path | None = None
    proxy: str | None = field(default=None, repr=False)


class Connection:
    """What carries requests to ``endpoint``; keeps no connection open, and is of no event loop.

    Raises:
        InvalidInput: the certificates cannot be read.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._trusted = _trusting(endpoint.ca_file)

    @asynccontextmanager
    async def asking(self, body: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of the answer to ``body``, which come as long as the block lasts.

        Raises:
            openai.APIError: there is none.
            httpx2.HTTPError: it broke off.
            Unreadable: it has no end.
        """
        # A client for each answer: connections belong to one event loop, a model to none.
        async with self._client() as client:
            create: Any = client.chat.completions.with_streaming_response.create
            async with create(**body, extra_headers=self._unsent()) as response:
                yield _bounded(response.iter_bytes())

    def _client(self) -> "AsyncOpenAI":
        import httpx2
        from openai import AsyncOpenAI

        return AsyncOpenAI(
            base_url=self.endpoint.url,
            api_key=self.endpoint.key or "none",
            max_retries=0,
            http_client=httpx2.AsyncClient(
                timeout=httpx2.Timeout(None, connect=CONNECT_S),  # the whole has its own limit
                verify=self._trusted,
                proxy=self.endpoint.proxy,
                trust_env=False,
            ),
        )

    def _unsent(self) -> dict[str, Any]:
        """Headers that the client would fill from OPENAI_* of the environment."""
        from openai import Omit

        names = ["OpenAI-Organization", "OpenAI-Project"]
        names += ["Authorization"] if self.endpoint.key is None else []
        return {name: Omit() for name in names}


@cache
def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Shared by all models: reading the certificates of the system takes 0.1 s."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(f"setting 'model.ca_file': {ca_file}: {reason}") from error


async def _bounded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > _MOST_BYTES:
            raise Unreadable(f"more than {_MOST_BYTES} bytes")
        yield chunk
