"""Receives what pods send as OTLP over HTTP: spans are kept while a case is recorded."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from aiops.errors import BadPayload
from aiops.model.rows import Span, spans

if TYPE_CHECKING:
    from typing import Self

MOST_SPANS = 40_000
MOST_BYTES = 16 << 20


class Collector:
    """An OTLP/HTTP receiver on a free port of loopback.

    Logs are taken and dropped: those come from the containers' files, which survive a crash.

    Args:
        sent: share of traces that pods send.
    """

    def __init__(self, sent: float) -> None:
        self._sent = sent
        self._lock = threading.Lock()
        self._kept: list[Span] | None = None
        self._share, self._seed = 1.0, 0
        self.dropped = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _receiver(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="otlp", daemon=True)

    @property
    def url(self) -> str:
        """Where to send to."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def begin(self, sample: float, seed: int) -> None:
        """Keep spans from now on.

        Args:
            sample: share of all traces that are kept, whole; no more than pods send.
            seed: which ones.
        """
        with self._lock:
            self._kept, self.dropped = [], 0
            self._share, self._seed = sample / self._sent if self._sent else 0.0, seed

    def end(self) -> tuple[Span, ...]:
        """What was kept; nothing more is."""
        with self._lock:
            kept, self._kept = self._kept, None
            return tuple(kept or ())

    def take(self, body: bytes, content_type: str) -> bytes:
        """A request to /v1/traces; its answer.

        Raises:
            BadPayload: it cannot be read.
        """
        from aiops.ingest.otlp.traces import decode_traces

        with self._lock:
            if self._kept is None:
                return b"{}"
        decoded = decode_traces(body, content_type)
        found = [s for w in decoded.windows if w.spans is not None for s in spans(w.spans)]
        with self._lock:
            if self._kept is not None:
                chosen = [s for s in found if is_kept(s.trace_id, self._share, self._seed)]
                room = max(MOST_SPANS - len(self._kept), 0)
                self._kept += chosen[:room]
                self.dropped += max(len(chosen) - room, 0)
        return decoded.response


def is_kept(trace_id: str, share: float, seed: int) -> bool:
    """Whether a trace is in the sample: the same answer for every span of it."""
    drawn = (int(trace_id[-13:], 16) ^ (seed * 0x9E3779B97F4A7)) & ((1 << 52) - 1)
    return drawn < share * (1 << 52)


def _receiver(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > MOST_BYTES:
                self.send_error(413)
                return
            body, status, answer = self.rfile.read(length), 200, b"{}"
            if self.path == "/v1/traces":
                try:
                    answer = collector.take(body, self.headers.get("Content-Type", ""))
                except BadPayload:
                    status = 400
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nobody reads them."""

    return Receiver
