"""A lab's spans and logs reach a collector as OTLP, and its traces hang together."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from small_lab import PATIENCE_S, eventually, fetch, small_lab

from aiops_lab.pods.traces import Exporter, Trace


class Collector(ThreadingHTTPServer):
    """Keeps what is posted to it, by path."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Keep)

    def spans(self) -> dict[str, list[dict[str, Any]]]:
        """Spans by the service that sent them."""
        found: dict[str, list[dict[str, Any]]] = {}
        for path, document in self.received:
            if path == "/v1/traces":
                for sent in document["resourceSpans"]:
                    name = sent["resource"]["attributes"][0]["value"]["stringValue"]
                    found.setdefault(name, []).extend(sent["scopeSpans"][0]["spans"])
        return found


class _Keep(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.received.append((self.path, json.loads(self.rfile.read(length))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Quiet."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_request_is_one_trace_from_the_door_to_the_database(
    tmp_path: Path, collector: Collector
) -> None:
    otlp = f"http://127.0.0.1:{collector.server_port}"
    with small_lab(tmp_path, otlp=otlp) as lab:
        assert fetch(f"{lab.front_end}/things/3")[0] == 200
        eventually(lambda: {"door", "shelf", "shelf-db"} <= set(collector.spans()))
        eventually(lambda: any(path == "/v1/logs" for path, _ in collector.received))
    spans = collector.spans()
    (root,) = [one for one in spans["door"] if not one["parentSpanId"]]
    by_id = {one["spanId"]: one for sent in spans.values() for one in sent}
    (query,) = [one for one in spans["shelf-db"] if one["kind"] == 2]
    depth = 0
    while query["parentSpanId"]:
        assert query["traceId"] == root["traceId"]
        query, depth = by_id[query["parentSpanId"]], depth + 1
    assert query is root
    assert depth == 4  # two services' own spans and the two calls between


def test_what_is_sent_is_what_the_protocol_says(tmp_path: Path, collector: Collector) -> None:
    exporter = Exporter(f"http://127.0.0.1:{collector.server_port}", (("service.name", "x"),))
    trace = Trace("ab" * 16, "cd" * 8, "", sampled=True)
    exporter.span(trace, "GET /", 2, 1, 2, (("http.route", "/"),), "it broke")
    exporter.log("error", "it broke", trace)

    async def send() -> None:
        sending = asyncio.create_task(exporter.run())
        async with asyncio.timeout(PATIENCE_S):
            while {path for path, _ in collector.received} != {"/v1/traces", "/v1/logs"}:
                await asyncio.sleep(0.02)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    asyncio.run(send())
    documents = dict(collector.received)
    # OTLP's JSON writes ids in hex where protobuf's own mapping has base64: only their form
    # differs, and a wrong field name is refused all the same.
    ParseDict(documents["/v1/traces"], ExportTraceServiceRequest())
    ParseDict(documents["/v1/logs"], ExportLogsServiceRequest())
    assert exporter.dropped == 0
