"""Log lines from Loki (Grafana Loki documentation, "HTTP API", "LogQL")."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import time
from typing import Any

from pydantic import Field

from aiops.ingest import options
from aiops.ingest.http import Backend, Budget
from aiops.ingest.service_labels import SERVICE_LABELS, place, selects
from aiops.ingest.slices import Slice, slices
from aiops.model import LogTable
from aiops.model.rows import LogLine, log_table
from aiops.ports.telemetry import bounds

_LONGEST_ADDRESS = 1500
"""Characters of a selector; longer ones are posted."""
_INSTANCES = ("pod", "instance", "k8s_pod_name", "service_instance_id", "hostname", "host")
_UNNAMED = "unknown_service"  # what Loki 3 calls streams that say no service
_SEPARATE = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
"""Keeps structured metadata apart from the labels of the stream; older servers ignore it."""
_TRACE_KEYS = ("trace_id", "traceID", "traceid", "traceId", "trace.id", "dd.trace_id")
_SPAN_KEYS = ("span_id", "spanID", "spanid", "spanId", "span.id", "dd.span_id")
_TRACE = re.compile(r"""\btrace[._-]?id["']?\s*[=:]\s*["']?([0-9a-f]{16,32})\b""", re.IGNORECASE)
_SPAN = re.compile(r"""\bspan[._-]?id["']?\s*[=:]\s*["']?([0-9a-f]{16})\b""", re.IGNORECASE)


class Options(options.HttpOptions):
    """Options of the kind; those of HTTP besides."""

    service_labels: tuple[str, ...] = Field(default=SERVICE_LABELS, min_length=1)
    page: int = Field(default=5000, ge=2, le=100_000, description="lines of one answer")
    max_lines: int = Field(default=100_000, ge=12, description="of one whole read")


@dataclass(frozen=True, slots=True)
class _Stream:
    """What all lines of one stream share: read once, since streams are few and lines many."""

    labels: Mapping[str, str]
    sorted: tuple[tuple[str, str], ...]
    ids: "_Ids"

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> "_Stream":
        return cls(labels, tuple(sorted(labels.items())), _Ids.stated(labels))


@dataclass(frozen=True, slots=True)
class _Ids:
    """What labels say of a line's origin; "" where they do not."""

    instance: str
    trace: str
    span: str

    @classmethod
    def stated(cls, labels: Mapping[str, str]) -> "_Ids":
        def first(keys: Sequence[str]) -> str:
            return next((labels[key] for key in keys if labels.get(key)), "")

        return cls(first(_INSTANCES), first(_TRACE_KEYS).lower(), first(_SPAN_KEYS).lower())


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line as it came: its time in nanoseconds, its stream and its own labels."""

    at: int
    stream: _Stream
    own: Mapping[str, str]
    text: str

    @property
    def identity(self) -> tuple[int, str, tuple[tuple[str, str], ...]]:
        return self.at, self.text, self.stream.sorted


@dataclass(frozen=True, slots=True)
class _Read:
    """The lines of one slice, and whether there are more."""

    entries: tuple[_Entry, ...]
    more: bool


class Loki:
    """A LogSource and Ingestor."""

    def __init__(self, name: str, chosen: Options, backend: Backend) -> None:
        self.name, self._chosen, self._backend = name, chosen, backend

    def __repr__(self) -> str:
        return f"Loki({self.name!r}, {self._chosen.url!r})"

    @classmethod
    def connect(cls, name: str, options_: Mapping[str, object]) -> "Loki":
        """See Ingestor."""
        chosen = options.read(Options, name, options_)
        return cls(name, chosen, Backend(name, chosen))

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        """See LogSource. Lines stand as they are, JSON too; ids of traces are found in them.

        Beyond ``max_lines`` each twelfth of the window gives its first ones, and ``notes`` say so.
        """
        first, last = bounds(start, end)
        budget = self._backend.budget()
        selectors = tuple(self._selectors(services, first, last, budget))
        parts = slices(first, last, self._chosen.max_lines // max(1, len(selectors)))
        reads = [
            partial(self._slice, selector, part, budget) for selector in selectors for part in parts
        ]
        lines: list[LogLine] = []
        cut = 0
        for answer in self._backend.every(reads):
            cut += answer.more
            lines += self._lines(answer.entries, services)
        lines.sort(key=lambda line: line.time or 0.0)
        notes: tuple[str, ...] = ()
        if cut:
            what = (
                f"only the first lines of {cut} of {len(reads)} stretches of the window were read"
            )
            advice = "ask for fewer services or raise 'max_lines'"
            notes = (f"{what}, {len(lines)} lines in all; {advice}",)
        return replace(log_table(lines, self.name), notes=notes)

    def check(self) -> str:
        """See Ingestor."""
        now, budget = time(), self._backend.budget()
        labels = self._names("/loki/api/v1/labels", now - 3600, now, budget)
        known = next((one for one in self._chosen.service_labels if one in labels), None)
        if known is None:
            return f"{len(labels)} labels in the last hour, none of a service"
        services = self._values(known, now - 3600, now, budget)
        return f"{len(labels)} labels in the last hour, {len(services)} services by {known!r}"

    def close(self) -> None:
        """See Ingestor."""
        self._backend.close()

    def _selectors(
        self, services: Sequence[str] | None, start: float, end: float, budget: Budget
    ) -> Iterator[str]:
        """Selectors of streams that together match each stream of the services once."""
        labels = self._names("/loki/api/v1/labels", start, end, budget)
        order = [one for one in self._chosen.service_labels if one in labels]
        if services is None:
            for label in order:
                yield "{" + ",".join(selects(label, None, order)) + "}"
            return
        for label in order:
            values = self._values(label, start, end, budget)
            placed = {place({label: value}, [label], services) for value in values}
            if placed - {None}:
                yield "{" + ",".join(selects(label, services, order)) + "}"

    def _slice(self, selector: str, part: Slice, budget: Budget) -> _Read:
        """The first lines of a slice, page by page.

        Pages meet at a time: the next begins with the last one's last nanosecond, and what was
        seen of that is left out.
        """
        kept: list[_Entry] = []
        at = part.start
        while at < part.end:
            seen = Counter(one.identity for one in reversed(kept) if one.at == at)
            limit = min(self._chosen.page, part.most - len(kept) + 1 + seen.total())
            page = self._page(selector, at, part.end, limit, budget)
            new = [one for one in page if not _take(seen, one)]
            kept += new
            if len(kept) > part.most:
                return _Read(tuple(kept[: part.most]), more=True)
            if len(page) < limit:
                break
            # A page full of one nanosecond cannot be passed by asking again.
            at = kept[-1].at if new and kept[-1].at > at else at + 1
        return _Read(tuple(kept), more=False)

    def _page(
        self, selector: str, start: int, end: int, limit: int, budget: Budget
    ) -> list[_Entry]:
        params = {
            "query": selector,
            "start": str(start),
            "end": str(end),
            "limit": str(limit),
            "direction": "forward",
        }
        path = "/loki/api/v1/query_range"
        post = len(selector) > _LONGEST_ADDRESS
        whole = self._backend.json(path, params, budget, post=post, headers=_SEPARATE)
        try:
            entries = [
                _Entry(int(value[0]), shared, _own(value), str(value[1]))
                for stream in whole["data"]["result"]
                for shared in [_Stream.of(_texts(stream["stream"]))]
                for value in stream["values"]
            ]
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._backend.broken(f"answered {path} with no streams of lines") from error
        return sorted(entries, key=lambda one: one.at)

    def _lines(
        self, entries: Sequence[_Entry], services: Sequence[str] | None
    ) -> Iterator[LogLine]:
        services_of: dict[tuple[tuple[str, str], ...], str | None] = {}
        for one in entries:
            stream = one.stream
            if stream.sorted not in services_of:
                placed = place(stream.labels, self._chosen.service_labels, services)
                services_of[stream.sorted] = None if placed is None else placed[1]
            service = services_of[stream.sorted]
            if service is None:
                continue
            ids = _Ids.stated({**stream.labels, **one.own}) if one.own else stream.ids
            yield LogLine(
                one.at / 1e9,
                service,
                one.text,
                ids.instance,
                ids.trace or _written(_TRACE, "race", one.text),
                ids.span or _written(_SPAN, "pan", one.text),
            )

    def _values(self, label: str, start: float, end: float, budget: Budget) -> list[str]:
        found = self._names(f"/loki/api/v1/label/{label}/values", start, end, budget)
        return [value for value in found if value != _UNNAMED]

    def _names(self, path: str, start: float, end: float, budget: Budget) -> list[str]:
        params = {"start": str(int(start * 1e9)), "end": str(int(end * 1e9))}
        whole = self._backend.json(path, params, budget)
        found = whole.get("data", []) if isinstance(whole, dict) else None
        # Loki leaves "data" out, or null, where there is nothing.
        if found is None and isinstance(whole, dict) and whole.get("status") == "success":
            return []
        if not isinstance(found, list):
            raise self._backend.broken(f"answered {path} with no list of names")
        return [str(one) for one in found]


def _take(seen: Counter[Any], one: _Entry) -> bool:
    """Whether an entry was read before; each of equal ones is counted once."""
    if seen[one.identity] <= 0:
        return False
    seen[one.identity] -= 1
    return True


def _own(value: Sequence[Any]) -> dict[str, str]:
    """The structured metadata and parsed labels of one line."""
    own = value[2] if len(value) > 2 else None
    if not own:
        return {}
    return _texts(own.get("structuredMetadata") or {}) | _texts(own.get("parsed") or {})


def _texts(labels: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in labels.items()}


def _written(pattern: re.Pattern[str], part: str, text: str) -> str:
    """The id that ``pattern`` finds in a line; most lines lack even ``part`` of its words, and to
    see that takes a tenth of the time."""
    if part not in text and part.upper() not in text:
        return ""
    found = pattern.search(text)
    return found[1].lower() if found else ""
