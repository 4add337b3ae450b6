"""A small system to break: three services that call each other, with metrics and spans.

``python small_shop.py PORT PORT PORT`` serves web -> api -> store on these ports until killed.
``POST /fault`` on one makes that one slow and failing; ``POST /heal`` undoes it.
"""

import contextlib
import json
import os
import random
import secrets
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

NAMES = ("web", "api", "store")
SPANS_TO = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
"""Where spans go, once a second, if anywhere."""
RATE = 20.0
"""Requests a second that arrive at the first service."""


class Service:
    """One of them: does a little work, asks the next one, and counts."""

    def __init__(self, name: str, port: int, next_port: int | None) -> None:
        self.name, self.port, self.next_port, self.broken = name, port, next_port, False
        self.spans: list[dict[str, object]] = []
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

    def answer(self, caller: str = "") -> int:
        """Do the work; ``caller`` is "trace id-span id" of the request, "" where there is none."""
        trace, _, parent = caller.partition("-")
        trace, own = trace or secrets.token_hex(16), secrets.token_hex(8)
        began = time.time_ns()
        code = self._answered(f"{trace}-{own}")
        span = {"traceId": trace, "spanId": own, "parentSpanId": parent, "kind": 2, "name": "GET /"}
        span |= {"startTimeUnixNano": str(began), "endTimeUnixNano": str(time.time_ns())}
        self.spans.append({**span, "status": {"code": 2 if code >= 500 else 1}})
        return code

    def _answered(self, caller: str) -> int:
        with self.busy.track_inprogress(), self.seconds.time():
            time.sleep(random.uniform(0.001, 0.003))  # noqa: S311 - no secret
            if self.broken:
                time.sleep(0.3)
            failed = self.broken and random.random() < 0.7  # noqa: S311
            code = 500 if failed else self._ask_next(caller)
        self.requests.labels(str(code)).inc()
        return code

    def _ask_next(self, caller: str) -> int:
        if self.next_port is None:
            return 200
        url = f"http://127.0.0.1:{self.next_port}/"
        try:
            request = urllib.request.Request(url, headers={"X-Caller": caller})
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - loopback
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
                self._send(service.answer(self.headers.get("X-Caller", "")), b"")

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


def export(services: list[Service], endpoint: str) -> None:
    """Sends the spans of all services once a second, as OTLP/HTTP in JSON; lost ones are lost."""
    while True:
        time.sleep(1)
        resources = []
        for service in services:
            spans, service.spans = service.spans, []
            name = {"key": "service.name", "value": {"stringValue": service.name}}
            scope = {"scope": {"name": "shop"}, "spans": spans}
            resources.append({"resource": {"attributes": [name]}, "scopeSpans": [scope]})
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{endpoint}/v1/traces",
            json.dumps({"resourceSpans": resources}).encode(),
            {"Content-Type": "application/json"},
        )
        with contextlib.suppress(OSError):
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310


def load(first: Service) -> None:
    """Requests at a steady rate, each in a thread of its own, as users would."""
    while True:
        threading.Thread(target=first.answer, daemon=True).start()
        time.sleep(1 / RATE)


if __name__ == "__main__":
    ports = [int(port) for port in sys.argv[1:]]
    services = [
        Service(name, port, following)
        for name, port, following in zip(NAMES, ports, [*ports[1:], None], strict=True)
    ]
    for one in services:
        serve(one)
    if SPANS_TO:
        threading.Thread(target=export, args=(services, SPANS_TO), daemon=True).start()
    load(services[0])
