"""Log lines a second and memory: promised are 200,000 lines/s mined on one idle core, and 2 M lines
with 200 k spans read in 12 s and 2 GB.

Processor time is measured, for the machine is shared; floors are far below what an idle core does.
Text that never repeats must cost seconds, not hours.
"""

import resource
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiops.analyze.logs import templates
from aiops.analyze.logs.reader import LogReader
from aiops.analyze.logs.templates import Miner
from aiops.model import CaseData, Episode, LogTable, SpanTable, TelemetryWindow

FLOOR = 100_000  # lines a second of processor time on a busy machine
SECONDS = 1_800.0
SERVICES = 50


def sentences(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(400)]
    return [" ".join(rng.choice(words, 6)) for _ in range(count)]


def json_lines(count: int) -> list[str]:
    said = sentences(2_000)
    rng = np.random.default_rng(1)
    return [
        f'{{"severity":"info","time":{n},"session":"61e9324d-501d-4360-815e-{n}",'
        f'"message":"{said[n % 2_000]} took {n % 977} ms"}}'
        for n in rng.integers(0, 10**9, count).tolist()
    ]


def processor_seconds(messages: list[str]) -> tuple[float, Miner]:
    miner = Miner()
    began = time.process_time()
    miner.add(messages)
    return time.process_time() - began, miner


@pytest.mark.benchmark(group="log lines mined")
def test_lines_are_mined_fast(benchmark: BenchmarkFixture) -> None:
    lines = json_lines(200_000)
    took, miner = min((processor_seconds(lines) for _ in range(2)), key=lambda pair: pair[0])
    benchmark(miner.add, lines[:20_000])
    benchmark.extra_info.update(
        asked="200,000 lines/s", reached=f"{len(lines) / took:,.0f} lines/s of the processor"
    )
    print(f"\nmined {len(lines) / took:,.0f} lines/s into {len(miner.templates)} templates")  # noqa: T201
    assert len(lines) / took >= FLOOR
    assert 1_500 < len(miner.templates) < 2_500  # 2,000 sentences in one frame


@pytest.mark.benchmark(group="100,000 log lines that never repeat")
def test_text_that_never_repeats_costs_seconds_and_bounded_memory(
    benchmark: BenchmarkFixture,
) -> None:
    rng = np.random.default_rng(2)
    letters = rng.integers(97, 123, (100_000, 48)).astype(np.uint8)
    letters[:, 6::7] = 32
    lines = [row.tobytes().decode() for row in letters]
    took, miner = benchmark.pedantic(processor_seconds, (lines,), rounds=1)
    benchmark.extra_info["reached"] = f"{len(lines) / took:,.0f} lines/s of the processor"
    print(f"\nunrepeated text: {len(lines) / took:,.0f} lines/s")  # noqa: T201
    assert took < 20
    assert len(miner.templates) <= templates.MAX_TEMPLATES


@pytest.mark.benchmark(group="2 M log lines with 200 k spans, read")
def test_two_million_lines_are_read_in_seconds(benchmark: BenchmarkFixture) -> None:
    case = large(2_000_000, 200_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, wall = time.process_time(), time.perf_counter()
    reading = benchmark.pedantic(
        LogReader().read, (case, Episode(at(SECONDS / 2), at(SECONDS))), rounds=1
    )
    took, waited = time.process_time() - began, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    benchmark.extra_info.update(
        asked="12 s and 2 GB",
        reached=f"{waited:.1f} s, {took:.1f} s of the processor, peak {peak / 1024:,.0f} MB",
    )
    print(f"\n2 M lines: {benchmark.extra_info['reached']}")  # noqa: T201
    assert not reading.missing
    assert took < 24  # 12 s are promised on an idle core
    assert (peak - before) / 1024 < 1_200


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def large(count: int, spans: int) -> CaseData:
    """Half of the services name their statements, half write JSON."""
    rng = np.random.default_rng(0)
    services = tuple(f"service-{i}" for i in range(SERVICES))
    span_service = rng.integers(0, SERVICES, spans).astype(np.int32)
    starts = np.sort(rng.uniform(1, SECONDS - 1, spans))
    ids = np.array([f"{i:016x}" for i in range(spans)], dtype=object)
    traces = np.array([f"{i:032x}" for i in rng.integers(0, spans // 10, spans)], dtype=object)
    said = np.array(sentences(2_000), dtype=object)
    span = np.sort(rng.integers(0, spans, count))
    service, pick = span_service[span], rng.integers(0, 40, count)
    number = rng.integers(0, 10**9, count)
    messages = np.empty(count, dtype=object)
    rows = zip(service.tolist(), pick.tolist(), number.tolist(), span.tolist(), strict=True)
    for i, (s, k, n, of) in enumerate(rows):
        text = said[s * 40 + k]
        messages[i] = (
            f"12:00:00.123 INFO  a.b.C{s}#{k} TraceID: {traces[of]} SpanID: {ids[of]} [{text}][{n}]"
            if s % 2
            else f'{{"severity":"info","time":{n},"message":"{text} took {n % 977} ms for {n}"}}'
        )
    log = LogTable(
        starts[span] + rng.uniform(0, 0.5, count),
        services,
        service,
        messages,
        trace_ids=traces[span],
        span_ids=ids[span],
    )
    table = SpanTable(
        trace_ids=traces,
        span_ids=ids,
        parent_ids=np.where(rng.random(spans) < 0.3, "", np.roll(ids, 1)),
        services=services,
        service_of=span_service,
        operations=tuple(f"operation-{i}" for i in range(200)),
        operation_of=(span_service * 4 % 200).astype(np.int32),
        starts=starts,
        durations=np.full(spans, 0.5),
    )
    return CaseData("x", TelemetryWindow(at(0), at(SECONDS), logs=log, spans=table))
