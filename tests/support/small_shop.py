"""A small system to break: three services that call each other over HTTP, with metrics.

``python small_shop.py PORT PORT PORT`` serves web -> api -> store on these ports until it is killed.
``POST /fault`` on one makes that one slow and failing; ``POST /heal`` undoes it.
"""

import random
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

NAMES = ("web", "api", "store")
RATE = 20.0
"""Requests a second that arrive at the first service."""


class Service:
    """One of them: does a little work, asks the next one, and counts."""

    def __init__(self, port: int, next_port: int | None) -> None:
        self.port, self.next_port, self.broken = port, next_port, False
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total", "Requests answered.", ["code"], registry=self.registry
        )
        self.seconds = Histogram(
            "http_request_duration_seconds",
            "Time to answer.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
            registry=self.registry,
        )
        self.busy = Gauge("workers_busy", "Workers at work.", registry=self.registry)

    def answer(self) -> int:
        with self.busy.track_inprogress(), self.seconds.time():
            time.sleep(random.uniform(0.001, 0.003))  # noqa: S311 - no secret
            if self.broken:
                time.sleep(0.3)
            failed = self.broken and random.random() < 0.7  # noqa: S311
            code = 500 if failed else self._ask_next()
        self.requests.labels(str(code)).inc()
        return code

    def _ask_next(self) -> int:
        if self.next_port is None:
            return 200
        try:
            url = f"http://127.0.0.1:{self.next_port}/"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError:
            return 502
        except OSError:
            return 504


def serve(service: Service) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._send(200, generate_latest(service.registry))
            else:
                self._send(service.answer(), b"")

        def do_POST(self) -> None:
            service.broken = self.path == "/fault"
            self._send(200, b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def _send(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", service.port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def load(first: Service) -> None:
    """Requests at a steady rate, each in a thread of its own, as users would."""
    while True:
        threading.Thread(target=first.answer, daemon=True).start()
        time.sleep(1 / RATE)


if __name__ == "__main__":
    ports = [int(port) for port in sys.argv[1:]]
    services = [
        Service(port, following) for port, following in zip(ports, [*ports[1:], None], strict=True)
    ]
    for one in services:
        serve(one)
    load(services[0])
