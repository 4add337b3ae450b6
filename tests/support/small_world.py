"""Three services that call each other, one of which breaks ten minutes before noon; kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator

from aiops.bootstrap.service import Service, in_memory
from aiops.model import Call, Entity, MetricTable, Series, ServiceGraph, TelemetryWindow
from aiops.model.canonical import parsed
from aiops.model.incident import Incident, TimelineEntry
from aiops.model.rows import LogLine, Span, log_table, span_table
from aiops.model.tool import Caller, ToolResult
from aiops.ports.tools import Reading, ToolContext, Toolset
from aiops.settings import Settings
from aiops.store.clock import ManualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BROKEN = NOON - timedelta(minutes=10)
NAMES = ("web", "api", "store")
WEB, API, STORE = (Entity("service", name) for name in NAMES)


def world(**settings: Any) -> Service:
    """The service at noon, an hour of telemetry kept."""
    service = in_memory(Settings(**settings), ManualClock(NOON))
    service.telemetry.append(
        TelemetryWindow(
            NOON - timedelta(hours=1),
            NOON,
            metrics=_metrics(),
            logs=log_table(_lines()),
            spans=span_table(_spans()),
            graph=ServiceGraph((WEB, API, STORE), (Call(WEB, API), Call(API, STORE))),
        )
    )
    return service


def with_incident(service: Service, number: int = 1, **changed: Any) -> Incident:
    """An incident about ``api``, kept."""
    incident = replace(
        Incident(
            id=f"inc-{number:03d}",
            title="api answers slowly",
            group=f"api-{number}",
            severity="SEV2",
            status="triggered",
            opened_at=BROKEN + timedelta(minutes=1),
            last_alert_at=BROKEN + timedelta(minutes=1),
            services=("api",),
        ),
        **changed,
    )
    with service.incidents.work() as work:
        kept = work.put_incident(incident)
        work.note(TimelineEntry(kept.id, kept.opened_at, "opened", "alerts", "TooSlow on api"))
    return kept


def tool(toolset: Toolset, verb: str) -> Any:
    """One of its tools."""
    return next(one for one in toolset.tools() if one.spec.name == f"{toolset.name}.{verb}")


def context(key: str = "key-1", name: str = "agent") -> ToolContext:
    return ToolContext("call-1", key, Caller(name, "executor", "run-1"), lambda _: None)


def ask(toolset: Toolset, verb: str, **arguments: object) -> ToolResult:
    """What one of its tools answers; both sides are as its schemas say."""
    one = tool(toolset, verb)
    return answer(one, arguments)


def answer(one: Reading, arguments: Mapping[str, Any]) -> ToolResult:
    Draft202012Validator(parsed(one.spec.arguments)).validate(arguments)
    result = asyncio.run(one.read(arguments, context()))
    Draft202012Validator(parsed(one.spec.result)).validate(parsed(result.content))
    return result


def told(toolset: Toolset, verb: str, **arguments: object) -> Mapping[str, Any]:
    """The content of an answer."""
    return parsed(ask(toolset, verb, **arguments).content)


def _metrics() -> MetricTable:
    chance = np.random.default_rng(7)
    times = np.arange((NOON - timedelta(hours=1)).timestamp(), NOON.timestamp(), 10.0)
    after = times >= BROKEN.timestamp()
    levels = {
        ("web", "cpu_usage"): (20, 20),
        ("api", "cpu_usage"): (30, 30),
        ("store", "cpu_usage"): (10, 95),
        ("web", "latency_p95"): (0.05, 0.4),
        ("api", "latency_p95"): (0.04, 0.5),
        ("store", "latency_p95"): (0.02, 0.6),
    }
    columns, series = [], []
    for (name, metric), (before, since) in levels.items():
        level = np.where(after, since, before)
        columns.append(level * (1 + 0.02 * chance.standard_normal(len(times))))
        series.append(Series(Entity("service", name), metric, f"{name}_{metric}"))
    return MetricTable(times, np.column_stack(columns), tuple(series))


def _lines() -> list[LogLine]:
    start = (NOON - timedelta(minutes=30)).timestamp()
    usual = [
        LogLine(start + 5 * i, "api", f"INFO request {i} answered in {20 + i % 7} ms")
        for i in range(360)
    ]
    broken = [
        LogLine(BROKEN.timestamp() + 6 * i, "store", f"ERROR disk full: cannot write block {i}")
        for i in range(100)
    ]
    return usual + broken


def _spans() -> list[Span]:
    found = []
    for i in range(60):
        start = (NOON - timedelta(minutes=30)).timestamp() + 30 * i
        slow = start >= BROKEN.timestamp()
        inner = 0.6 if slow else 0.01
        failed = "ERROR" if slow and i % 2 else "OK"
        trace = f"trace{i:03d}"
        found += [
            Span(trace, "a", "", "web", "GET /", start, inner + 0.03, status=failed),
            Span(trace, "b", "a", "api", "GET /items", start + 0.01, inner + 0.01, status=failed),
            Span(trace, "c", "b", "store", "query", start + 0.015, inner, status=failed),
        ]
    return found
