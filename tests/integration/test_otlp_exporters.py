"""OpenTelemetry's own exporters post to a listener on loopback, and what they sent is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
from loopback import Quiet, listening
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from aiops.analyze.service_graph import seen_in_spans
from aiops.ingest.otlp.decoded import Decoded
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.logs import decode_logs
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.ingest.otlp.traces import decode_traces
from aiops.model.rows import Span, log_lines, span_table, spans


@dataclass
class Listener:
    """A receiver, and what came in."""

    url: str = ""
    received: list[Decoded] = field(default_factory=list)
    accumulated: Accumulated = field(default_factory=Accumulated)

    def take(self, path: str, body: bytes, headers: dict[str, str]) -> Decoded:
        given = (body, headers.get("content-type", ""), headers.get("content-encoding", ""))
        if path == "/v1/traces":
            decoded = decode_traces(*given)
        elif path == "/v1/logs":
            decoded = decode_logs(*given)
        else:
            decoded = decode_metrics(*given, accumulated=self.accumulated)
        self.received.append(decoded)
        return decoded


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            decoded = found.take(self.path, body, headers)
            self.send_response(200)
            self.send_header("Content-Type", decoded.content_type)
            self.send_header("Content-Length", str(len(decoded.response)))
            self.end_headers()
            self.wfile.write(decoded.response)

    with listening(Handler) as found.url:
        yield found


def resource(service: str) -> Resource:
    return Resource.create({"service.name": service, "service.instance.id": f"{service}-1"})


def test_spans_of_two_services_become_a_call_between_them(listener):
    providers = {}
    for name in ("web", "cart"):
        providers[name] = TracerProvider(resource=resource(name))
        exporter = OTLPSpanExporter(f"{listener.url}/v1/traces", compression=Compression.Gzip)
        providers[name].add_span_processor(SimpleSpanProcessor(exporter))
    web, cart = (providers[name].get_tracer("t") for name in ("web", "cart"))
    with web.start_as_current_span("GET cart", kind=SpanKind.CLIENT):  # noqa: SIM117
        with pytest.raises(TimeoutError), cart.start_as_current_span("cart", kind=SpanKind.SERVER):
            raise TimeoutError("no stock")
    for provider in providers.values():
        provider.shutdown()
    windows = [window for one in listener.received for window in one.windows]
    found: list[Span] = [one for window in windows for one in spans(window.spans)]
    server = next(one for one in found if one.service == "cart")
    assert (server.instance, server.status) == ("cart-1", "ERROR")
    (call,) = seen_in_spans(span_table(found))
    assert (call.source.name, call.target.name, call.calls) == ("web", "cart", 1)
    (line,) = [one for w in windows if w.logs is not None for one in log_lines(w.logs)]
    assert line.message.startswith("ERROR TimeoutError: no stock\nTraceback")


def test_instruments_of_every_kind_become_series(listener):
    exponential = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(f"{listener.url}/v1/metrics"), export_interval_millis=3_600_000
    )
    provider = MeterProvider([reader], resource("web"), views=[exponential])
    meter = provider.get_meter("t")
    requests = meter.create_counter("requests", unit="{request}")
    waiting = meter.create_up_down_counter("waiting")
    durations = meter.create_histogram("http.server.request.duration", unit="s")
    sizes = meter.create_histogram("size", unit="By")
    for _ in range(2):
        requests.add(5, {"route": "/"})
        waiting.add(1)
        for value in (0.1, 0.2, 0.3):
            durations.record(value)
            sizes.record(1000 * value)
        assert reader.force_flush()
    provider.shutdown()
    tables = [w.metrics for one in listener.received for w in one.windows]
    last = {
        one.metric: (one, table.values[-1, i])
        for table in tables[:2]
        for i, one in enumerate(table.series)
    }
    assert last['requests{route="/"}'][0].type == "counter"
    assert last['requests{route="/"}'][1] == 10
    assert last["waiting"][1] == 2
    assert last["http.server.request.duration_mean"][1] == pytest.approx(0.2)
    assert last["size_p50"][1] == pytest.approx(200, rel=0.01)
    assert last["size_p50"][0].unit == "bytes"
    assert last["size.calls"][1] > 0
    assert {one.entity.service_name for one, _ in last.values()} == {"web"}
    assert [one.rejected for one in listener.received] == [0] * len(listener.received)


def test_a_record_of_the_logging_library_is_a_line(listener):
    provider = LoggerProvider(resource("web"))
    exporter = OTLPLogExporter(f"{listener.url}/v1/logs", compression=Compression.Gzip)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    logger = provider.get_logger("t")
    from opentelemetry._logs import LogRecord, SeverityNumber

    logger.emit(
        LogRecord(
            timestamp=1_779_288_000_000_000_000,
            severity_number=SeverityNumber.ERROR,
            severity_text="ERROR",
            body={"order": 7},
        )
    )
    provider.shutdown()
    (decoded,) = listener.received
    (line,) = log_lines(decoded.windows[0].logs)
    assert (line.message, line.service, line.instance) == ('ERROR {"order": 7}', "web", "web-1")
    assert line.time == 1_779_288_000
