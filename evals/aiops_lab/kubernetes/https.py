"""The HTTPS server of the lab's Kubernetes API."""

import asyncio
import socket
import threading
from typing import Final

import uvicorn

_TURNS: Final = 10
"""Of the event loop, in which an aborted connection closes its socket; three do."""


class HttpsServer(uvicorn.Server):
    """Says when it listens, and leaves no connection open at its end.

    Attributes:
        listening: set once clients may come.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn; then cut whoever is still there.

        TLS waits half a minute for a client to say goodbye, and uvicorn one second: what is left
        open when the loop ends would never be closed.
        """
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for _ in range(_TURNS):
            if not self.server_state.connections:
                break
            await asyncio.sleep(0)
