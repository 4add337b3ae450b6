"""Ranks a generated window of 50 services in a process of its own; prints seconds and memory.

Run as ``python window50.py``. Everything is drawn from one seed: 50 services in a call tree, 20
metrics each at 15 s over 30 min, 2 M log lines and 200 k spans. Half-way, the CPU of one service
in the middle of the tree rises, its own spans and so its callers' take longer, and it logs errors.
"""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from aiops import plugins
from aiops.model import (
    Call,
    CaseData,
    Entity,
    LogTable,
    MetricTable,
    Series,
    ServiceGraph,
    SpanTable,
    TelemetryWindow,
    Trigger,
)

SERVICES, METRICS, LINES, SPANS = 50, 20, 2_000_000, 200_000
SECONDS, SCRAPE = 1_800.0, 15.0
START = 1_700_000_000.0
ALERT = START + SECONDS / 2 + 60
CULPRIT = 7  # called by 2, which is called by the root 0; calls services of its own
BRANCHES = 3
KINDS = ("cpu", "memory", "latency_p95", "errors", "requests")
SENTENCES = 40


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def names(rng: np.random.Generator) -> tuple[str, ...]:
    """Names whose order says nothing about the tree."""
    return tuple(f"svc-{i:02d}" for i in rng.permutation(SERVICES))


def callers() -> list[int]:
    """The service itself and those above it in the tree."""
    chain = [CULPRIT]
    while chain[-1]:
        chain.append((chain[-1] - 1) // BRANCHES)
    return chain


def metrics(rng: np.random.Generator, services: tuple[str, ...]) -> MetricTable:
    """Gamma noise around a level; the culprit's CPU triples, latency above it rises."""
    times = START + np.arange(0.0, SECONDS, SCRAPE)
    series = [
        Series(Entity("service", name), f"{KINDS[m % len(KINDS)]}_{m}", f"{name}_{m}")
        for name in services
        for m in range(METRICS)
    ]
    values = rng.gamma(20.0, 0.05, (times.size, len(series)))
    faulty = times >= START + SECONDS / 2
    for m in range(METRICS):
        if KINDS[m % len(KINDS)] == "cpu":
            values[faulty, CULPRIT * METRICS + m] *= 3
        if KINDS[m % len(KINDS)] == "latency_p95":
            for service in callers():
                values[faulty, service * METRICS + m] *= 1.6
    return MetricTable(times, values, tuple(series))


def spans(rng: np.random.Generator, services: tuple[str, ...]) -> SpanTable:
    """Requests that pass every service once; below the root each takes a part of its caller's."""
    traces = SPANS // SERVICES
    number = np.tile(np.arange(SERVICES), traces)
    begin = np.sort(rng.uniform(START, START + SECONDS - 2, traces))
    own = rng.gamma(9.0, 0.001, (traces, SERVICES))  # seconds of its own work
    own[begin >= START + SECONDS / 2, CULPRIT] += 0.2
    total = own.copy()
    for child in range(SERVICES - 1, 0, -1):
        total[:, (child - 1) // BRANCHES] += total[:, child]
    offset = np.zeros_like(total)  # children run one after another
    for parent in range(SERVICES):
        used = offset[:, parent] + own[:, parent] / 2
        for child in range(parent * BRANCHES + 1, min(parent * BRANCHES + 1 + BRANCHES, SERVICES)):
            offset[:, child] = used
            used = used + total[:, child]
    ids = np.array([f"{i:016x}" for i in range(SPANS)], dtype=object)
    parent_of = (number - 1) // BRANCHES
    parent_ids = ids[np.arange(SPANS) - number + np.maximum(parent_of, 0)]
    parent_ids[number == 0] = ""
    return SpanTable(
        trace_ids=np.repeat(np.array([f"{i:032x}" for i in range(traces)], dtype=object), SERVICES),
        span_ids=ids,
        parent_ids=parent_ids,
        services=services,
        service_of=number.astype(np.int32),
        operations=tuple(f"operation-{i}" for i in range(SERVICES)),
        operation_of=number.astype(np.int32),
        starts=(begin[:, None] + offset).ravel(),
        durations=total.ravel(),
    )


def logs(rng: np.random.Generator, table: SpanTable) -> LogTable:
    """Ten lines a span: half of the services name their statements, half write JSON."""
    words = np.array(["".join(rng.choice(list("abcdefghij"), 6)) for _ in range(400)])
    said = [" ".join(rng.choice(words, 6)) for _ in range(SERVICES * SENTENCES)]
    span = np.repeat(np.arange(SPANS), LINES // SPANS)
    service = table.service_of[span]
    pick, number = rng.integers(0, SENTENCES, LINES), rng.integers(0, 10**9, LINES)
    times = table.starts[span] + rng.uniform(0, 0.01, LINES)
    failed = (service == CULPRIT) & (times > START + SECONDS / 2) & (rng.random(LINES) < 0.05)
    messages = np.empty(LINES, dtype=object)
    columns = (service, pick, number, span, failed)
    for i, (s, k, n, of, bad) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        text = said[s * SENTENCES + k]
        if bad:
            messages[i] = f"ERROR deadline of {n % 977} ms exceeded, request {n} given up"
        elif s % 2:
            ids = f"TraceID: {table.trace_ids[of]} SpanID: {table.span_ids[of]}"
            messages[i] = f"12:00:00.123 INFO  a.b.C{s}#{k} {ids} [{text}][{n}]"
        else:
            messages[i] = f'{{"severity":"info","time":{n},"message":"{text} took {n % 977} ms"}}'
    order = np.argsort(times, kind="stable")
    return LogTable(
        times[order],
        table.services,
        service[order],
        messages[order],
        trace_ids=table.trace_ids[span][order],
        span_ids=table.span_ids[span][order],
    )


def graph(services: tuple[str, ...]) -> ServiceGraph:
    nodes = tuple(Entity("service", name) for name in services)
    calls = (Call(nodes[(i - 1) // BRANCHES], nodes[i]) for i in range(1, SERVICES))
    return ServiceGraph(nodes, tuple(calls))


def window(seed: int = 0) -> tuple[CaseData, str]:
    """The case, and the name of the service at fault."""
    rng = np.random.default_rng(seed)
    services = names(rng)
    table = spans(rng, services)
    telemetry = TelemetryWindow(
        at(START),
        at(START + SECONDS),
        metrics=metrics(rng, services),
        logs=logs(rng, table),
        spans=table,
        graph=graph(services),
    )
    return CaseData("window50", telemetry, Trigger(at(ALERT))), services[CULPRIT]


def peak_mb() -> float:
    """Not ru_maxrss, which a child inherits from the process that forked it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    case, culprit = window()
    generated = peak_mb()
    analyzer = plugins.analyzer("aiops")
    wall, processor = time.perf_counter(), time.process_time()
    ranking = analyzer.rank(case)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    evidence = {item.id: item.kind for item in ranking.evidence}
    first = ranking.suspects[0]
    measured = {
        "wall_s": round(wall, 2),
        "cpu_s": round(processor, 2),
        "generated_mb": round(generated),
        "peak_mb": round(peak_mb()),
        "culprit": culprit,
        "first": first.entity.service_name,
        "verdict": ranking.verdict,
        "evidence": sorted({evidence[cited] for cited in first.evidence}),
    }
    json.dump(measured, sys.stdout)


if __name__ == "__main__":
    main()
