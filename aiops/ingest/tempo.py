"""Spans from Tempo: found by TraceQL, each trace read as OTLP (Grafana Tempo docs, "HTTP API").

Answers are asked for as protobuf; servers that send JSON instead are read too.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import time
from typing import Any

from pydantic import Field

from aiops.errors import BadPayload
from aiops.ingest import options
from aiops.ingest.http import Backend, Budget, Refused
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.traces import decode_traces
from aiops.ingest.service_labels import pattern, quoted
from aiops.ingest.slices import SLICES, Slice, slices
from aiops.model import SpanTable
from aiops.model.rows import Span, span_table, spans
from aiops.ports.telemetry import bounds

_PROTOBUF = {"Accept": "application/protobuf"}
_IDS = ("traceId", "spanId", "parentSpanId")


class Options(options.HttpOptions):
    """Options of the kind; those of HTTP besides."""

    max_traces: int = Field(default=1200, ge=SLICES, description="of one whole read")


class Tempo:
    """A TraceSource and Ingestor."""

    def __init__(self, name: str, chosen: Options, backend: Backend) -> None:
        self.name, self._chosen, self._backend = name, chosen, backend

    def __repr__(self) -> str:
        return f"Tempo({self.name!r}, {self._chosen.url!r})"

    @classmethod
    def connect(cls, name: str, options_: Mapping[str, object]) -> "Tempo":
        """See Ingestor."""
        chosen = options.read(Options, name, options_)
        return cls(name, chosen, Backend(name, chosen))

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """See TraceSource.

        Beyond ``max_traces`` each twelfth of the window gives as many, and ``notes`` say so.
        """
        first, last = bounds(start, end)
        if services is not None and not services:
            return span_table((), self.name)
        budget = self._backend.budget()
        parts = slices(first, last, self._chosen.max_traces)
        searches = [partial(self._search, services, part, budget) for part in parts]
        ids: dict[str, None] = {}
        cut = 0
        for part, answer in zip(parts, self._backend.every(searches), strict=True):
            cut += len(answer) >= part.most
            ids.update(dict.fromkeys(answer))
        found: dict[tuple[str, str, str], Span] = {}
        for trace in self._backend.every([partial(self._trace, one, budget) for one in ids]):
            for span in trace:
                if first <= span.start < last and (services is None or span.service in services):
                    found.setdefault((span.trace_id, span.span_id, span.service), span)
        notes: tuple[str, ...] = ()
        if cut:
            what = f"not every trace of {cut} of {len(parts)} stretches of the window was read"
            advice = "ask for a shorter window or raise 'max_traces'"
            notes = (f"{what}, {len(ids)} in all; {advice}",)
        ordered = sorted(found.values(), key=lambda span: span.start)
        return replace(span_table(ordered, self.name), notes=notes)

    def check(self) -> str:
        """See Ingestor."""
        now, budget = time(), self._backend.budget()
        hour = Slice(int((now - 3600) * 1e9), int(now * 1e9), 20)
        ids = self._search(None, hour, budget)
        read = self._trace(ids[0], budget) if ids else ()
        return f"{len(ids)} traces found in the last hour, {len(read)} spans of one read"

    def close(self) -> None:
        """See Ingestor."""
        self._backend.close()

    def _search(
        self, services: Sequence[str] | None, part: Slice, budget: Budget
    ) -> tuple[str, ...]:
        """Ids of traces with a span of the services."""
        condition = ""
        if services is not None:
            condition = f"resource.service.name =~ {quoted(pattern('service', services))}"
        path = "/api/search"
        params = {
            "q": f"{{ {condition} }}",
            "start": str(part.start // 10**9),
            "end": str(-(-part.end // 10**9)),
            "limit": str(part.most),
            "spss": "1",
        }
        whole = self._backend.json(path, params, budget)
        try:
            return tuple(str(one["traceID"]) for one in whole.get("traces") or ())
        except (KeyError, TypeError, AttributeError) as error:
            raise self._backend.broken(f"answered {path} with no traces") from error

    def _trace(self, trace_id: str, budget: Budget) -> tuple[Span, ...]:
        path = f"/api/traces/{trace_id}"
        try:
            body = self._backend.fetch(path, {}, budget, headers=_PROTOBUF)
        except Refused as refused:
            if refused.status == 404:  # forgotten between the search and now
                return ()
            raise
        try:
            return _decoded(body)
        except (BadPayload, AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._backend.broken(f"answered {path} with no trace of OTLP") from error


def _decoded(body: bytes) -> tuple[Span, ...]:
    """The spans of a trace; a trace of Tempo is an export request of OTLP on the wire."""
    as_json = body.lstrip()[:1] == b"{"
    if as_json:
        body = json.dumps(_as_otlp(json.loads(body))).encode()
    kind = "application/json" if as_json else "application/x-protobuf"
    read = decode_traces(body, kind, limits=Limits(body_bytes=max(1, 2 * len(body))))
    return tuple(
        span for window in read.windows if window.spans is not None for span in spans(window.spans)
    )


def _as_otlp(trace: dict[str, Any]) -> dict[str, Any]:
    """Tempo's JSON in OTLP's names; its ids are base64, those of OTLP/JSON hex."""
    batches = trace.get("trace", trace).get("batches") or trace.get("resourceSpans") or []
    for batch in batches:
        scopes = batch.pop("instrumentationLibrarySpans", None) or batch.get("scopeSpans") or []
        for scope in scopes:
            scope.pop("instrumentationLibrary", None)
            for span in scope.get("spans") or []:
                span.update({key: _hex(span[key]) for key in _IDS if span.get(key)})
        batch["scopeSpans"] = scopes
    return {"resourceSpans": batches}


def _hex(coded: str) -> str:
    """8 or 16 bytes of base64 are told from hex by their length."""
    if len(coded) in (16, 32):
        return coded
    try:
        return base64.b64decode(coded, validate=True).hex()
    except binascii.Error as error:
        raise ValueError(f"{coded[:40]!r} is no id") from error
