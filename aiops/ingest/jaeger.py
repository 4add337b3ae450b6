"""Spans and calls from Jaeger's query service (the JSON API of its user interface).

It finds traces by one service at a time and answers with whole ones, so a trace would come once
for every service that it passes. Callers are therefore asked first, and whoever's newest traces
all came with theirs is asked no further.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from time import time
from typing import Any, Literal

from pydantic import Field

from aiops.errors import InvalidWindow, SourceUnavailable
from aiops.ingest import options
from aiops.ingest.http import Backend, Budget, TooLarge
from aiops.ingest.slices import SLICES, slices
from aiops.model import Call, Entity, ServiceGraph, SpanTable
from aiops.model.rows import Span, span_table
from aiops.ports.telemetry import bounds

PEEK = 5
"""Traces of each half of the window by which it is told whether a service has any besides those
that came with others'."""
_TRACES = "/api/traces"
_INSTANCES = ("k8s.pod.name", "service.instance.id", "host.name", "hostname", "ip")


class Options(options.HttpOptions):
    """Options of the kind; those of HTTP besides."""

    max_traces: int = Field(default=1200, ge=SLICES, description="of one service")
    lookback_s: float = Field(default=86400, gt=0, description="calls as old as this count")


_Extent = Literal["all", "some", "seen"]
"""What was read of a service's traces; "seen": as much as of those services that call it."""
_Traces = dict[str, tuple[Span, ...]]
"""The spans of each trace by its id."""


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
        ``notes`` say so. Of one that is called by others, traces that it began itself may be
        missed where in each half of the window five newer ones came from its callers.
        """
        first, last = bounds(start, end)
        budget = self._backend.budget()
        known = dict.fromkeys(self._services(budget))
        wanted = known if services is None else {one: None for one in known if one in set(services)}
        traces: _Traces = {}
        extents: dict[str, _Extent] = {}
        for level in callers_first(tuple(wanted), self._calls(end, budget) if wanted else ()):
            reads = [partial(self._read, one, first, last, budget, traces) for one in level]
            extents.update(zip(level, self._backend.every(reads), strict=True))
        found: dict[tuple[str, str, str], Span] = {}
        for span in chain.from_iterable(traces.values()):
            if span.service in wanted and first <= span.start < last:
                found.setdefault((span.trace_id, span.span_id, span.service), span)
        ordered = sorted(found.values(), key=lambda span: span.start)
        return replace(span_table(ordered, self.name), notes=_notes(extents))

    def graph(self, at: datetime) -> ServiceGraph:
        """See GraphSource: who called whom in the last ``lookback_s``, weighted by calls."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        return self._graph(at, self._backend.budget())

    def check(self) -> str:
        """See Ingestor."""
        now, budget = time(), self._backend.budget()
        services = self._services(budget)
        if not services:
            return "0 services, so no traces"
        traces: _Traces = {}
        self._take(self._traces(services[0], now - 3600, now, 5, budget), traces)
        spans = sum(map(len, traces.values()))
        return f"{len(services)} services; {spans} spans of {services[0]!r} read"

    def close(self) -> None:
        """See Ingestor."""
        self._backend.close()

    def _graph(self, at: datetime, budget: Budget) -> ServiceGraph:
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
                for one in self._list(path, params, budget)
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._backend.broken(f"answered {path} with no calls") from error
        ends = dict.fromkeys(end for call in calls for end in (call.source, call.target))
        return ServiceGraph(tuple(ends), calls)

    def _services(self, budget: Budget) -> list[str]:
        return [str(one) for one in self._list("/api/services", {}, budget)]

    def _calls(self, at: datetime, budget: Budget) -> tuple[tuple[str, str], ...]:
        """Callers and callees, which only say whom to ask first: none where they cannot be read."""
        try:
            graph = self._graph(at, budget)
        except SourceUnavailable:
            return ()
        return tuple((call.source.name, call.target.name) for call in graph.calls)

    def _read(
        self, service: str, start: float, end: float, budget: Budget, traces: _Traces
    ) -> _Extent:
        """Add the service's traces to ``traces``, those of the whole window or of each stretch."""
        # Jaeger answers with the newest: without the earlier half, traces that ended with the
        # incident would be missed.
        middle = (start + end) / 2
        halves = ((start, middle), (middle, end))
        newest = [self._traces(service, *half, PEEK, budget) for half in halves]
        if all(len(found) < PEEK for found in newest):
            self._take(chain.from_iterable(newest), traces)
            return "all"
        if all(one.get("traceID") in traces for one in chain.from_iterable(newest)):
            return "seen"
        most = self._chosen.max_traces
        try:
            found = self._traces(service, start, end, most, budget)
        except TooLarge:
            pass
        else:
            if len(found) < most:
                self._take(found, traces)
                return "all"
        more = False
        for part in slices(start, end, most):
            found = self._traces(service, part.start / 1e9, part.end / 1e9, part.most, budget)
            self._take(found, traces)
            more = more or len(found) >= part.most
        return "some" if more else "all"

    def _traces(
        self, service: str, start: float, end: float, limit: int, budget: Budget
    ) -> list[Any]:
        params = {
            "service": service,
            "start": str(int(start * 1e6)),
            "end": str(int(end * 1e6)),
            "limit": str(limit),
        }
        found = self._list(_TRACES, params, budget)
        if not all(isinstance(one, dict) for one in found):
            raise self._backend.broken(f"answered {_TRACES} with no traces")
        return found

    def _take(self, found: Iterable[Mapping[str, Any]], traces: _Traces) -> None:
        """Decode those that are not there yet."""
        try:
            for one in found:
                if one["traceID"] not in traces:
                    traces[one["traceID"]] = tuple(_spans(one))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._backend.broken(f"answered {_TRACES} with no spans") from error

    def _list(self, path: str, params: Mapping[str, str], budget: Budget) -> list[Any]:
        whole = self._backend.json(path, params, budget)
        if not isinstance(whole, dict) or not isinstance(whole.get("data") or [], list):
            raise self._backend.broken(f"answered {path} with JSON that Jaeger does not send")
        return whole.get("data") or []


def callers_first(
    services: Sequence[str], calls: Iterable[tuple[str, str]]
) -> tuple[tuple[str, ...], ...]:
    """The services, those first whom none of them calls, then level by level whom these call.

    Where no calls are known the first is a level of its own, so that others may learn from it.

    Args:
        calls: (caller, callee); those of other services count for nothing.
    """
    callees: dict[str, list[str]] = {one: [] for one in services}
    called = set()
    for caller, callee in calls:
        if caller in callees and callee in callees and caller != callee:
            callees[caller].append(callee)
            called.add(callee)
    level = [one for one in services if one not in called] if called else list(services[:1])
    levels, left = [], dict.fromkeys(services)
    while left:
        # Services that call each other in a ring have nobody above them.
        levels.append(tuple(level or left))
        for one in levels[-1]:
            del left[one]
        below = chain.from_iterable(callees[one] for one in levels[-1])
        level = [one for one in dict.fromkeys(below) if one in left]
    return tuple(levels)


def _notes(extents: Mapping[str, _Extent]) -> tuple[str, ...]:
    """Whose traces were not all read; who was seen with others' may be one of them."""
    if "some" not in extents.values():
        return ()
    cut = [service for service, extent in extents.items() if extent != "all"]
    some = ", ".join(cut[:5]) + (" and others" if cut[5:] else "")
    advice = "ask for a shorter window or raise 'max_traces'"
    return (f"not every trace of {some} was read; {advice}",)


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
