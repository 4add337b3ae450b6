"""The telemetry store on SQL; what is where is said in docs/design/telemetry-in-chunks.md."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, text

from aiops.errors import InvalidWindow
from aiops.model import LogTable, MetricTable, ServiceGraph, SpanTable, TelemetryWindow
from aiops.model.change import Change
from aiops.ports.telemetry import bounds
from aiops.store.sql import batch_reads, batch_writes, metric_reads, metric_writes, surroundings
from aiops.store.sql.engine import reading, writing

_LOCK = 0x74656C656D  # any number, the same in every process: "telem"


@contextmanager
def writing_telemetry(engine: Engine) -> Iterator[Connection]:
    """A transaction that nobody else writes telemetry beside; raises StoreUnavailable."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


class SqlTelemetry:
    """A TelemetryStore; see ``ports.telemetry`` for what each method promises and raises.

    For any number of threads and processes. All methods raise StoreUnavailable too. A span whose
    start was moved by more than an hour between two appends is kept twice.

    Args:
        engine: of a database with the current schema (``schema.upgrade``).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, window: TelemetryWindow, changes: Sequence[Change] = ()) -> None:
        """Keep what is not kept yet, all or nothing; raises AlreadyKept."""
        # What takes time is done before anybody has to wait for it.
        logs = [] if window.logs is None else batch_writes.logs_in_batches(window.logs)
        spans = [] if window.spans is None else batch_writes.spans_in_batches(window.spans)
        with writing_telemetry(self._engine) as connection:
            if window.metrics is not None:
                metric_writes.write(connection, window.metrics)
            batch_writes.write_logs(connection, logs)
            batch_writes.write_spans(connection, spans)
            if window.graph is not None:
                surroundings.write_graph(connection, window.start, window.graph)
            surroundings.write_changes(connection, changes)

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        """The samples of all series that have one in the window, on the union of their clocks."""
        low, high = bounds(start, end)
        with reading(self._engine) as connection:
            return metric_reads.read(connection, services, low, high)

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        """The lines in the window."""
        low, high = bounds(start, end)
        with reading(self._engine) as connection:
            return batch_reads.logs(connection, services, low, high)

    def logs_of_template(
        self, template: str, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> LogTable:
        """The lines in the window that one statement wrote: ``batch_writes.template_of``."""
        low, high = bounds(start, end)
        with reading(self._engine) as connection:
            return batch_reads.logs_of_template(connection, template, services, low, high)

    def logs_of_trace(self, trace_id: str) -> LogTable:
        """All lines of a trace, ascending in time."""
        with reading(self._engine) as connection:
            return batch_reads.logs_of_trace(connection, trace_id)

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """The spans that began in the window."""
        low, high = bounds(start, end)
        with reading(self._engine) as connection:
            return batch_reads.spans(connection, services, low, high)

    def spans_of_trace(self, trace_id: str) -> SpanTable:
        """All spans of a trace, ascending by their start."""
        with reading(self._engine) as connection:
            return batch_reads.spans_of_trace(connection, trace_id)

    def changes(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """The changes in the window."""
        bounds(start, end)
        with reading(self._engine) as connection:
            return surroundings.read_changes(connection, services, start, end)

    def graph(self, at: datetime) -> ServiceGraph:
        """The graph of the latest window that had begun."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        with reading(self._engine) as connection:
            return surroundings.read_graph(connection, at)
