"""Spans a second, and how the cost grows: promised are 100,000 spans/s and bounded giant traces.

Absolute times are printed for publishing with the machine's name; what is asserted is a floor far
below what an idle core does, that ten times the spans cost no more than in proportion, and that
one trace of a million spans costs no more than a million spans in many.
"""

import resource
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiops.analyze.traces.reader import TraceReader
from aiops.model import CaseData, Episode, SpanTable, TelemetryWindow

SERVICES = 50
SECONDS = 600.0
FLOOR = 50_000  # spans a second on a busy machine; 100,000 are promised on an idle core


def table(traces: int, size: int, shape: str = "tree") -> SpanTable:
    """``traces`` requests of ``size`` spans: in threes, a chain, a star."""
    rng = np.random.default_rng(0)
    rows = traces * size
    inside, trace = np.tile(np.arange(size), traces), np.repeat(np.arange(traces), size)
    parents = {"tree": (inside - 1) // 3, "chain": inside - 1, "star": np.zeros(rows, int)}[shape]
    ids = np.array([f"{i:016x}" for i in range(rows)], dtype=object)
    parent_ids = ids[trace * size + np.maximum(parents, 0)]
    parent_ids[inside == 0] = ""
    level = np.log1p(inside) / np.log1p(size)
    begin = np.sort(rng.uniform(0, SECONDS, traces))[trace]
    return SpanTable(
        trace_ids=np.array([f"t{i}" for i in trace.tolist()], dtype=object),
        span_ids=ids,
        parent_ids=parent_ids,
        services=tuple(f"service-{i}" for i in range(SERVICES)),
        service_of=(inside * 7 % SERVICES).astype(np.int32),
        operations=tuple(f"operation-{i}" for i in range(200)),
        operation_of=(inside % 200).astype(np.int32),
        starts=begin + 0.01 * level,
        durations=(0.1 - 0.05 * level) * rng.lognormal(0, 0.1, rows),
    )


def seconds_to_read(spans: SpanTable) -> float:
    def at(second: float) -> datetime:
        return datetime.fromtimestamp(second, UTC)

    case = CaseData("c", TelemetryWindow(at(0), at(SECONDS), spans=spans))
    began = time.perf_counter()
    reading = TraceReader().read(case, Episode(at(SECONDS / 2), at(SECONDS)))
    took = time.perf_counter() - began
    assert not reading.missing
    return took


@pytest.mark.benchmark(group="200,000 spans read")
def test_two_hundred_thousand_spans_are_read_fast(benchmark: BenchmarkFixture) -> None:
    spans = table(10_000, 20)
    took = min(benchmark.pedantic(lambda: [seconds_to_read(spans) for _ in range(3)], rounds=1))
    benchmark.extra_info.update(asked="100,000 spans/s", reached=f"{200_000 / took:,.0f} spans/s")
    print(f"\n200,000 spans in {took:.2f} s: {200_000 / took:,.0f} spans/s")  # noqa: T201
    assert took < 200_000 / FLOOR


@pytest.mark.benchmark(group="400,000 spans read")
def test_ten_times_the_spans_cost_no_more_than_in_proportion(benchmark: BenchmarkFixture) -> None:
    small, large = table(2_000, 20), table(20_000, 20)
    few = min(seconds_to_read(small) for _ in range(3))
    many = min(benchmark.pedantic(lambda: [seconds_to_read(large) for _ in range(2)], rounds=1))
    benchmark.extra_info.update(
        asked="in proportion", reached=f"{many / few:.1f} times as long for ten times the spans"
    )
    print(f"\n40,000 spans in {few:.2f} s, 400,000 in {many:.2f} s")  # noqa: T201
    assert many < 40 * few  # caches make ten times cost up to twenty; quadratic is a hundred


@pytest.mark.benchmark(group="one trace of 1,000,000 spans")
@pytest.mark.parametrize("shape", ["tree", "chain", "star"])
def test_one_trace_of_a_million_spans_is_bounded(benchmark: BenchmarkFixture, shape: str) -> None:
    took = benchmark.pedantic(seconds_to_read, (table(1, 1_000_000, shape),), rounds=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    benchmark.extra_info["reached"] = f"{took:.1f} s"
    print(f"\none {shape} of 1,000,000 spans in {took:.1f} s, peak {peak:.2f} GiB of the process")  # noqa: T201
    assert took < 1_000_000 / FLOOR
