"""Telemetry of a window from all that has it: what is kept, and the configured sources."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Literal

from aiops.analyze.service_graph import joined, seen_at, unfaded
from aiops.errors import AlreadyKept, SourceUnavailable
from aiops.model import ServiceGraph, TelemetryWindow, Window
from aiops.model.tool import Unread
from aiops.ports.incidents import IncidentRepo
from aiops.ports.ingestor import Ingestor
from aiops.ports.telemetry import (
    GraphSource,
    LogSource,
    MetricSource,
    TelemetryStore,
    TraceSource,
)
from aiops.store.memory import MemoryTelemetry

KEPT: Final = "kept"
"""How answers call what is kept here, as opposed to a source's name."""
PARALLEL: Final = 4
Modality = Literal["metrics", "logs", "spans"]
MODALITIES: Final[tuple[Modality, ...]] = ("metrics", "logs", "spans")
Services = Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Readers:
    """Who is asked.

    Attributes:
        kept: telemetry of windows around incidents, and what was pushed.
        sources: asked as well, by name.
    """

    kept: TelemetryStore
    sources: Sequence[tuple[str, Ingestor]]
    incidents: IncidentRepo
    now: Callable[[], datetime]

    @property
    def all(self) -> tuple[tuple[str, object], ...]:
        """What is kept first, then the sources."""
        return ((KEPT, self.kept), *self.sources)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was found.

    Attributes:
        found: the modality asked for; None where nobody has any.
        sources: who was asked and answered.
        unread: who was asked and did not, or not all.
    """

    found: TelemetryWindow
    sources: tuple[str, ...]
    unread: tuple[Unread, ...]


def gather(readers: Readers, what: Modality, services: Services, window: Window) -> Gathered:
    """One kind of telemetry in one window; where several have it, every row counts once."""
    asked = [(name, read) for name, one in readers.all if (read := _read(one, what)) is not None]
    answers: list[TelemetryWindow] = []
    sources, unread = [], []
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="read") as pool:
        pending = [(name, pool.submit(read, services, window)) for name, read in asked]
        for name, answer in pending:
            try:
                answers.append(answer.result())
                sources.append(name)
            except SourceUnavailable as failure:
                unread.append(Unread(f"{what} of {name}", str(failure)))
    for name, answered in zip(sources, answers, strict=True):
        unread += [Unread(f"{what} of {name}", note) for note in _notes(answered)]
    filled = [one for one in answers if _rows(one)]
    if len(filled) < 2:
        whole = filled[0] if filled else TelemetryWindow(window.start, window.end)
        return Gathered(whole, tuple(sources), tuple(unread))
    return Gathered(_merged(filled, what, window, unread), tuple(sources), tuple(unread))


def graph_at(readers: Readers, at: datetime) -> tuple[ServiceGraph, tuple[Unread, ...]]:
    """Who calls whom, by all that know; and who could not say."""
    graphs, unread = [unfaded(readers.kept.graph(at), at.timestamp())], []
    for name, source in readers.sources:
        if isinstance(source, GraphSource):
            try:
                graphs.append(seen_at(source.graph(at), at.timestamp()))
            except SourceUnavailable as failure:
                unread.append(Unread(f"calls known to {name}", str(failure)))
    return joined(graphs), tuple(unread)


_Read = Callable[[Services, Window], TelemetryWindow]


def _read(source: object, what: Modality) -> _Read | None:
    """How ``source`` is asked for it; None where it has none."""
    match what:
        case "metrics" if isinstance(source, MetricSource):
            return partial(_metrics, source)
        case "logs" if isinstance(source, LogSource):
            return partial(_logs, source)
        case "spans" if isinstance(source, TraceSource):
            return partial(_spans, source)
    return None


def _metrics(source: MetricSource, services: Services, window: Window) -> TelemetryWindow:
    found = source.metrics(services, window.start, window.end)
    return TelemetryWindow(window.start, window.end, metrics=found)


def _logs(source: LogSource, services: Services, window: Window) -> TelemetryWindow:
    found = source.logs(services, window.start, window.end)
    return TelemetryWindow(window.start, window.end, logs=found)


def _spans(source: TraceSource, services: Services, window: Window) -> TelemetryWindow:
    found = source.spans(services, window.start, window.end)
    return TelemetryWindow(window.start, window.end, spans=found)


def _rows(window: TelemetryWindow) -> int:
    if window.metrics is not None:
        return len(window.metrics.times) * len(window.metrics.series)
    if window.logs is not None:
        return len(window.logs.times)
    return len(window.spans.starts) if window.spans is not None else 0


def _notes(window: TelemetryWindow) -> tuple[str, ...]:
    tables = (window.metrics, window.logs, window.spans)
    return tuple(note for table in tables if table is not None for note in table.notes)


def _merged(
    windows: Sequence[TelemetryWindow], what: Modality, window: Window, unread: list[Unread]
) -> TelemetryWindow:
    """All rows together, equal ones once: what the store promises, in a store of its own."""
    together = MemoryTelemetry()
    for one in windows:
        try:
            together.append(one)
        except AlreadyKept as failure:
            unread.append(Unread(what, f"two sources call different things by one name: {failure}"))
    match what:
        case "metrics":
            return _metrics(together, None, window)
        case "logs":
            return _logs(together, None, window)
        case "spans":
            return _spans(together, None, window)
