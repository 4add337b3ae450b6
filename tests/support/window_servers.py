"""The APIs of Prometheus, Loki and Jaeger over a window's tables, for services that read them."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from telemetry_servers import Asked, Reply, Server, serving

from aiops.model import LogTable, MetricTable, SpanTable


def prometheus(table: MetricTable) -> Callable[[Asked], Any]:
    by_name: dict[str, list[int]] = {}
    for column, one in enumerate(table.series):
        by_name.setdefault(one.metric, []).append(column)

    def data(asked: Asked) -> Any:
        match asked.path:
            case "/api/v1/series":
                return [
                    {"__name__": one.metric, "service": one.entity.name, "instance": "1"}
                    for one in table.series
                ]
            case "/api/v1/metadata":
                return {name: [{"type": "gauge", "unit": "", "help": ""}] for name in by_name}
            case "/api/v1/query":
                return {"resultType": "vector", "result": []}
        (name,) = {word for word in re.findall(r"\w+", asked.params["query"]) if word in by_name}
        first, last, step = (float(asked.params[key]) for key in ("start", "end", "step"))
        times = np.arange(first, last + step / 2, step)
        rows = np.clip(np.searchsorted(table.times, times), 0, len(table.times) - 1)
        matrix = [
            {
                "metric": {"service": table.series[column].entity.name},
                "values": [
                    [at, str(value)]
                    for at, value in zip(times, table.values[rows, column], strict=True)
                ],
            }
            for column in by_name[name]
        ]
        return {"resultType": "matrix", "result": matrix}

    return lambda asked: {"status": "success", "data": data(asked)}


def loki(table: LogTable) -> Callable[[Asked], Any]:
    stamps = (table.times * 1e9).astype(np.int64)

    def speak(asked: Asked) -> Any:
        data: Any = []
        match asked.path:
            case "/loki/api/v1/labels":
                data = ["app"]
            case "/loki/api/v1/label/app/values":
                data = list(table.services)
            case "/loki/api/v1/query_range":
                result = [] if 'app=""' in asked.params["query"] else streams(asked)
                data = {"resultType": "streams", "result": result}
        return {"status": "success", "data": data}

    def streams(asked: Asked) -> Iterable[Any]:
        first, last, limit = (int(asked.params[key]) for key in ("start", "end", "limit"))
        low, high = np.searchsorted(stamps, [first, last])
        lines: dict[str, list[list[str]]] = {}
        for row in range(low, min(high, low + limit)):
            name = table.services[table.service_of[row]]
            lines.setdefault(name, []).append([str(stamps[row]), table.messages[row]])
        return [{"stream": {"app": name}, "values": found} for name, found in lines.items()]

    return speak


def jaeger(table: SpanTable) -> Callable[[Asked], Any]:
    starts = (table.starts * 1e6).astype(np.int64)
    of_trace = np.arange(len(starts)).reshape(-1, len(table.services))

    def trace(rows: Any) -> Any:
        number = table.trace_ids[rows[0]]
        spans = [
            {
                "traceID": number,
                "spanID": table.span_ids[row],
                "operationName": table.operations[table.operation_of[row]],
                "processID": f"p{table.service_of[row]}",
                "startTime": int(starts[row]),
                "duration": int(table.durations[row] * 1e6),
                "tags": [],
                "references": [
                    {"refType": "CHILD_OF", "traceID": number, "spanID": table.parent_ids[row]}
                ]
                if table.parent_ids[row]
                else [],
            }
            for row in rows
        ]
        processes = {f"p{i}": {"serviceName": s, "tags": []} for i, s in enumerate(table.services)}
        return {"traceID": number, "spans": spans, "processes": processes}

    def speak(asked: Asked) -> Any:
        match asked.path:
            case "/api/services":
                return {"data": list(table.services)}
            case "/api/dependencies":
                return {"data": []}
            case "/api/traces":
                first, last = (int(asked.params[key]) for key in ("start", "end"))
                found = [rows for rows in of_trace if first <= starts[rows[0]] <= last]
                return {"data": [trace(rows) for rows in found[: int(asked.params["limit"])]]}
        return None

    return speak


@contextmanager
def answering(reply: Callable[[Asked], Reply]) -> Iterator[Server]:
    with serving(lambda _: None) as server:
        server.mood = reply
        yield server
