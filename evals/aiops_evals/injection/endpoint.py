"""A small HTTP server on loopback that answers JSON with JSON, ended with its block."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], Mapping[str, Any] | None]
"""From the body of a POST to the answer; None: accepted, and nothing to say."""


@contextmanager
def served(answer: Answer, path: str) -> Iterator[str]:
    """Its address, which ends in ``path``. Requests are answered one after another."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            with lock:
                said = answer(asked)
            self._send(202 if said is None else 200, b"" if said is None else _bytes(said))

        def do_GET(self) -> None:
            self._send(405, b"")

        do_DELETE = do_GET  # noqa: N815 - the name is http.server's

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def handle(self) -> None:
            with suppress(OSError):  # a client that went away
                super().handle()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        listener.block_on_close = False
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}{path}"
        finally:
            listener.shutdown()
            thread.join()


def _bytes(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()
