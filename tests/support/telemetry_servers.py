"""Small servers that speak the APIs of Prometheus, Loki, Jaeger and Tempo, and can misbehave.

Each knows two services, "cart" and "queue", and one sample, line or span of each every second
from ``START`` on for a minute.
"""

import base64
import gzip
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
ZERO = int(START.timestamp())
SERVICES = ("cart", "queue")
SECONDS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send. ``said`` bytes are promised where the body breaks off before."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    said: int | None = None


Speak = Callable[[Asked], Any]
"""The well-behaved answer as JSON, or bytes; None for 404."""
Mood = Callable[[Asked], Reply | None]
"""What is sent instead; None where the server behaves."""


@dataclass(slots=True)
class Server:
    """A running server: set ``mood`` to have it misbehave, read ``asked`` afterwards."""

    url: str
    speak: Speak
    mood: Mood = lambda _: None
    asked: list[Asked] = field(default_factory=list)

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        odd = self.mood(asked)
        if odd is not None:
            return odd
        answer = self.speak(asked)
        if answer is None:
            return Reply(b"404 page not found", 404)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Reply(gzip.compress(body, 1), headers={"Content-Encoding": "gzip"})


@contextmanager
def serving(speak: Speak) -> Iterator[Server]:
    """A server on a free port, ended with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keeps connections, as the real ones do
        wbufsize = -1  # head and body leave together, or the client's ACK is waited for

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            query = parts.query + "&" + self.rfile.read(length).decode()
            params = {key: "\n".join(values) for key, values in parse_qs(query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.reply(Asked(parts.path, params, headers))
            self.close_connection = reply.said is not None
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(reply.said or len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_POST = do_GET  # noqa: N815

        def handle(self) -> None:
            with suppress(ConnectionError):  # a client that has had enough
                super().handle()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server = Server(f"http://127.0.0.1:{listener.server_port}", speak)
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def lasts(seconds: float) -> Mood:
    """Every answer takes this long."""

    def mood(asked: Asked) -> None:
        time.sleep(seconds)

    return mood


def at_first(times: int, reply: Reply) -> Mood:
    """The first ``times`` requests are answered by ``reply``."""
    left = [times]

    def mood(asked: Asked) -> Reply | None:
        left[0] -= 1
        return reply if left[0] >= 0 else None

    return mood


# ---- Prometheus

_METADATA = {
    "requests_total": [{"type": "counter", "unit": "", "help": ""}],
    "queue_bytes": [{"type": "gauge", "unit": "bytes", "help": ""}],
}


def prometheus(asked: Asked) -> Any:
    services = _chosen(asked.params.get("match[]", "") + asked.params.get("query", ""))
    match asked.path:
        case "/api/v1/series":
            names = ("requests_total", "queue_bytes", "up")
            data: Any = [
                {"__name__": name, "service": one, "job": "shop", "instance": "1"}
                for one in services
                for name in names
            ]
        case "/api/v1/metadata":
            data = _METADATA
        case "/api/v1/query":
            result = [{"metric": {}, "value": [ZERO, "1"]}]
            data = {"resultType": "vector", "result": result}
        case "/api/v1/query_range":
            data = {"resultType": "matrix", "result": [_matrix(asked, one) for one in services]}
        case "/api/v1/label/service/values":
            data = list(SERVICES)
        case path if path.startswith("/api/v1/label/"):
            data = ["up"] if "__name__" in path else []
        case _:
            return None
    return {"status": "success", "data": data}


def _matrix(asked: Asked, service: str) -> Any:
    first, last, step = (float(asked.params[key]) for key in ("start", "end", "step"))
    rows = round((last - first) / step) + 1
    times = [first + row * step for row in range(rows)]
    values = [[at, str(at - ZERO)] for at in times if ZERO <= at < ZERO + SECONDS]
    return {"metric": {"service": service}, "values": values}


def _chosen(query: str) -> tuple[str, ...]:
    """The services that a query is about: those it names, or all where it names none."""
    text = r'"((?:[^"\\]|\\.)*)"'
    others = re.sub(rf"__name__!?[=~]+{text}", "", query)
    named = [re.sub(r"\\(.)", r"\1", one) for one in re.findall(rf"=~\s*{text}", others)]
    if not named:
        return SERVICES
    return tuple(one for one in SERVICES if any(re.fullmatch(each, one) for each in named))


# ---- Loki


def loki(asked: Asked) -> Any:
    match asked.path:
        case "/loki/api/v1/labels":
            return {"status": "success", "data": ["app", "pod"]}
        case "/loki/api/v1/label/app/values":
            return {"status": "success", "data": list(SERVICES)}
        case "/loki/api/v1/label/pod/values":
            return {"status": "success"}
        case "/loki/api/v1/query_range":
            return {"status": "success", "data": {"resultType": "streams", "result": _page(asked)}}
    return None


def _page(asked: Asked) -> list[Any]:
    first, last, limit = (int(asked.params[key]) for key in ("start", "end", "limit"))
    if 'app=""' in asked.params["query"]:
        return []
    services = _chosen(asked.params["query"])
    lines = [
        ((ZERO + second) * 10**9, one, f"{one} did {second} trace_id={second:032x}")
        for second in range(SECONDS)
        for one in services
    ]
    page = [line for line in lines if first <= line[0] < last][:limit]
    return [
        {
            "stream": {"app": one, "pod": f"{one}-1"},
            "values": [[str(at), text] for at, service, text in page if service == one],
        }
        for one in services
    ]


# ---- Jaeger


def jaeger(asked: Asked) -> Any:
    match asked.path:
        case "/api/services":
            return {"data": list(SERVICES)}
        case "/api/dependencies":
            return {"data": [{"parent": "cart", "child": "queue", "callCount": 60}]}
        case "/api/traces":
            first, last = (int(asked.params[key]) / 1e6 for key in ("start", "end"))
            found = [n for n in range(SECONDS) if first <= ZERO + n <= last]
            return {"data": [_jaeger_trace(n) for n in found[: int(asked.params["limit"])]]}
    return None


def _jaeger_trace(second: int) -> Any:
    trace = f"{second:032x}"
    start = (ZERO + second) * 10**6
    parent = [{"refType": "CHILD_OF", "traceID": trace, "spanID": "a"}]
    spans = [
        {"spanID": "a", "operationName": "buy", "processID": "p1", "tags": [], "references": []},
        {
            "spanID": "b",
            "operationName": "push",
            "processID": "p2",
            "tags": [{"key": "error", "value": True}],
            "references": parent,
        },
    ]
    for one in spans:
        one |= {"traceID": trace, "startTime": start, "duration": 1500}
    pod = [{"key": "k8s.pod.name", "value": "cart-1"}]
    processes = {
        "p1": {"serviceName": "cart", "tags": pod},
        "p2": {"serviceName": "queue", "tags": []},
    }
    return {"traceID": trace, "spans": spans, "processes": processes}


# ---- Tempo


def tempo(asked: Asked) -> Any:
    if asked.path == "/api/search":
        if not _chosen(asked.params["q"]):
            return {"traces": []}
        first, last = (int(asked.params[key]) for key in ("start", "end"))
        found = [n for n in range(SECONDS) if first <= ZERO + n <= last]
        limit = int(asked.params["limit"])
        return {"traces": [{"traceID": f"{n:032x}"} for n in found[:limit]]}
    if asked.path.startswith("/api/traces/"):
        trace = _otlp_trace(int(asked.path.rpartition("/")[2], 16))
        return _as_protobuf(trace) if "protobuf" in asked.headers["accept"] else trace
    return None


def tempo_in_json(asked: Asked) -> Any:
    """A Tempo behind a gateway that passes no wish for protobuf on."""
    headers = {**asked.headers, "accept": "application/json"}
    return tempo(Asked(asked.path, asked.params, headers))


def _otlp_trace(second: int) -> Any:
    return {"batches": [_batch("cart", second), _batch("queue", second)]}


def _batch(service: str, second: int) -> Any:
    start = (ZERO + second) * 10**9
    own, parent = ("a", "") if service == "cart" else ("b", "a")
    span = {
        "traceId": base64.b64encode((second + 2**64).to_bytes(16)).decode(),
        "spanId": base64.b64encode(own.encode() * 8).decode(),
        "parentSpanId": base64.b64encode(parent.encode() * 8).decode(),
        "name": "buy",
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 1_500_000),
        "status": {"code": "STATUS_CODE_ERROR"} if service == "queue" else {},
    }
    name = {"key": "service.name", "value": {"stringValue": service}}
    return {"resource": {"attributes": [name]}, "scopeSpans": [{"spans": [span]}]}


def _as_protobuf(trace: Any) -> bytes:
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    message = ParseDict({"resourceSpans": trace["batches"]}, TracesData())
    return bytes(message.SerializeToString())
