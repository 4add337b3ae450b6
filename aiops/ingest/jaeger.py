"""Spans and calls from Jaeger's query service (the JSON API of its user interface)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import time
from typing import Any

from pydantic import Field

from aiops.errors import InvalidWindow
from aiops.ingest import options
from aiops.ingest.http import Backend, Budget
from aiops.ingest.slices import SLICES, slices
from aiops.model import Call, Entity, ServiceGraph, SpanTable
from aiops.model.rows import Span, span_table
from aiops.ports.telemetry import bounds

_INSTANCES = ("k8s.pod.name", "service.instance.id", "host.name", "hostname", "ip")


class Options(options.HttpOptions):
    """Options of the kind; those of HTTP besides."""

    max_traces: int = Field(default=1200, ge=SLICES, description="of one service")
    lookback_s: float = Field(default=86400, gt=0, description="calls as old as this count")


@dataclass(frozen=True, slots=True)
class _Found:
    """What one question gave: the spans of its traces, and whether there are more traces."""

    spans: tuple[Span, ...]
    more: bool


class Jaeger:
    """A TraceSource, GraphSource and Ingestor."""

    def __init__(self, name: str, chosen: Options, backend: Backend) -> None:
        self.name, self._chosen, self._backend = name, chosen, backend

    def __repr__(self) -> str:
        return f"Jaeger({self.name!r}, {self._chosen.url!r})"

    @classmethod
    def connect(cls, name: str, options_: Mapping[str, object]) -> "Jaeger":
        """See Ingestor."""
        chosen = options.read(Options, name, options_)
        return cls(name, chosen, Backend(name, chosen))

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """See TraceSource.

        A service with more than ``max_traces`` gives some of each twelfth of the window, and
        ``notes`` say so.
        """
        first, last = bounds(start, end)
        budget = self._backend.budget()
        known = self._services(budget)
        wanted = [one for one in known if services is None or one in set(services)]
        reads = [partial(self._of_service, one, first, last, budget) for one in wanted]
        found: dict[tuple[str, str, str], Span] = {}
        cut = []
        for service, answer in zip(wanted, self._backend.every(reads), strict=True):
            for span in answer.spans:
                if span.service in wanted and first <= span.start < last:
                    found.setdefault((span.trace_id, span.span_id, span.service), span)
            if answer.more:
                cut.append(service)
        notes: tuple[str, ...] = ()
        if cut:
            some = ", ".join(cut[:5]) + (" and others" if cut[5:] else "")
            advice = "ask for a shorter window or raise 'max_traces'"
            notes = (f"not every trace of {some} was read; {advice}",)
        ordered = sorted(found.values(), key=lambda span: span.start)
        return replace(span_table(ordered, self.name), notes=notes)

    def graph(self, at: datetime) -> ServiceGraph:
        """See GraphSource: who called whom in the last ``lookback_s``, weighted by calls."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        path = "/api/dependencies"
        params = {
            "endTs": str(int(at.timestamp() * 1e3)),
            "lookback": str(int(self._chosen.lookback_s * 1e3)),
        }
        try:
            calls = tuple(
                Call(
                    Entity("service", str(one["parent"])),
                    Entity("service", str(one["child"])),
                    float(one.get("callCount", 1)),
                )
                for one in self._list(path, params, self._backend.budget())
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._backend.broken(f"answered {path} with no calls") from error
        ends = dict.fromkeys(end for call in calls for end in (call.source, call.target))
        return ServiceGraph(tuple(ends), calls)

    def check(self) -> str:
        """See Ingestor."""
        now, budget = time(), self._backend.budget()
        services = self._services(budget)
        if not services:
            return "0 services, so no traces"
        found = self._traces(services[0], now - 3600, now, 5, budget)
        return f"{len(services)} services; {len(found.spans)} spans of {services[0]!r} read"

    def close(self) -> None:
        """See Ingestor."""
        self._backend.close()

    def _services(self, budget: Budget) -> list[str]:
        return [str(one) for one in self._list("/api/services", {}, budget)]

    def _of_service(self, service: str, start: float, end: float, budget: Budget) -> _Found:
        """A share of the traces at once; where that was not all, as many of each stretch."""
        parts = slices(start, end, self._chosen.max_traces)
        whole = self._traces(service, start, end, parts[0].most, budget)
        if not whole.more:
            return whole
        each = [
            self._traces(service, part.start / 1e9, part.end / 1e9, part.most, budget)
            for part in parts
        ]
        spans = tuple(span for one in each for span in one.spans)
        return _Found(spans, any(one.more for one in each))

    def _traces(self, service: str, start: float, end: float, limit: int, budget: Budget) -> _Found:
        path = "/api/traces"
        params = {
            "service": service,
            "start": str(int(start * 1e6)),
            "end": str(int(end * 1e6)),
            "limit": str(limit),
        }
        traces = self._list(path, params, budget)
        try:
            spans = tuple(span for trace in traces for span in _spans(trace))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._backend.broken(f"answered {path} with no spans") from error
        return _Found(spans, len(traces) >= limit)

    def _list(self, path: str, params: Mapping[str, str], budget: Budget) -> list[Any]:
        whole = self._backend.json(path, params, budget)
        if not isinstance(whole, dict) or not isinstance(whole.get("data") or [], list):
            raise self._backend.broken(f"answered {path} with JSON that Jaeger does not send")
        return whole.get("data") or []


def _spans(trace: Mapping[str, Any]) -> Iterator[Span]:
    processes = {key: _Process.read(one) for key, one in trace["processes"].items()}
    for one in trace["spans"]:
        process = processes[one["processID"]]
        yield Span(
            str(one["traceID"]),
            str(one["spanID"]),
            _parent(one),
            process.service,
            str(one["operationName"]),
            one["startTime"] / 1e6,
            one["duration"] / 1e6,
            process.instance,
            _status(_tags(one)),
        )


@dataclass(frozen=True, slots=True)
class _Process:
    service: str
    instance: str

    @classmethod
    def read(cls, one: Mapping[str, Any]) -> "_Process":
        tags = _tags(one)
        instance = next((tags[key] for key in _INSTANCES if tags.get(key)), "")
        return cls(str(one["serviceName"]), str(instance))


def _tags(one: Mapping[str, Any]) -> dict[str, Any]:
    return {tag["key"]: tag.get("value") for tag in one.get("tags") or []}


def _parent(one: Mapping[str, Any]) -> str:
    for reference in one.get("references") or []:
        own = reference.get("traceID") == one["traceID"]
        if own and reference.get("refType") == "CHILD_OF":
            return str(reference["spanID"])
    return str(one.get("parentSpanID") or "")


def _status(tags: Mapping[str, Any]) -> str:
    """OpenTelemetry's status; OpenTracing's "error" where there is none."""
    stated = str(tags.get("otel.status_code") or "").upper()
    if stated in ("OK", "ERROR"):
        return stated
    return "ERROR" if str(tags.get("error", "")).lower() == "true" else ""
