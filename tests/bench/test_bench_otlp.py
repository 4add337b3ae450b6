"""Spans decoded from OTLP: 100,000 a second and core, with seven attributes each."""

import os
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pytest_benchmark.fixture import BenchmarkFixture

from aiops.ingest.otlp.traces import decode_traces

SPANS = 20_000
SPANS_A_SECOND = 100_000
SLACK = 2.0  # the machine is shared; what is promised holds for an idle core
AT = 1_779_288_000_000_000_000


def request() -> bytes:
    made = ExportTraceServiceRequest()
    for service in range(20):
        resource = made.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = f"s{service}"
        scope = resource.scope_spans.add()
        for i in range(SPANS // 20):
            span = scope.spans.add(
                trace_id=os.urandom(16),
                span_id=os.urandom(8),
                parent_span_id=os.urandom(8),
                name=f"GET /{i % 30}",
                kind=2 + i % 2,
                start_time_unix_nano=AT + i,
                end_time_unix_nano=AT + i + 5_000_000,
            )
            for k in range(6):
                span.attributes.add(key=f"http.a{k}").value.string_value = f"value{k}"
            if i % 4 == 1:
                span.attributes.add(key="db.system").value.string_value = "postgresql"
    return made.SerializeToString()


@pytest.mark.benchmark(group="20,000 spans decoded from protobuf")
def test_a_hundred_thousand_spans_are_decoded_a_second(benchmark: BenchmarkFixture) -> None:
    body = request()
    benchmark(decode_traces, body, "application/x-protobuf")
    took = []
    for _ in range(5):
        began = time.process_time()
        assert decode_traces(body, "application/x-protobuf").taken == SPANS
        took.append(time.process_time() - began)
    assert SPANS / min(took) * SLACK >= SPANS_A_SECOND
