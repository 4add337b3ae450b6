"""The web application on a real port of loopback, in a thread of the test."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI

WAIT_S = 60.0


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test's process keeps its own."""


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serves ``app`` on a free port; gives its address."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=30,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + WAIT_S
    while not server.started:
        assert time.monotonic() < until, "the application did not start"
        assert thread.is_alive(), "the application ended"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        app.state.site.feed.end()
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive(), "the application did not end"


@contextmanager
def asking(app: FastAPI, **headers: str) -> Iterator[httpx.Client]:
    """A client of ``app``, served for as long as the block lasts."""
    with (
        serving(app) as address,
        httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=WAIT_S) as client,
    ):
        yield client
