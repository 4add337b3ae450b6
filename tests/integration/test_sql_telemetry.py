"""The telemetry store beyond its port: finding by id, overlaps, and what breaks under it."""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from aiops.errors import StoreUnavailable
from aiops.model import Entity, MetricTable, Series, TelemetryWindow
from aiops.model.rows import LogLine, Span, log_lines, log_table, span_table, spans
from aiops.store.memory import MemoryTelemetry
from aiops.store.sql import schema
from aiops.store.sql.batch_writes import template_of
from aiops.store.sql.engine import open_engine
from aiops.store.sql.telemetry import SqlTelemetry

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
ZERO = START.timestamp()
CART = Entity("service", "cart")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def store(engine: Engine) -> SqlTelemetry:
    """A store that holds nothing."""
    return SqlTelemetry(engine)


def trace(number: int, seconds: float, service: str) -> Span:
    return Span(f"t{number}", f"s{number}-{service}", "", service, "GET", ZERO + seconds, 0.1)


def line(seconds: float | None, message: str, trace_id: str = "", service: str = "cart") -> LogLine:
    time = None if seconds is None else ZERO + seconds
    return LogLine(time, service, message, trace_id=trace_id)


def keep(store: SqlTelemetry | MemoryTelemetry, *found: LogLine | Span) -> None:
    lines = log_table([one for one in found if isinstance(one, LogLine)])
    some = span_table([one for one in found if isinstance(one, Span)])
    store.append(TelemetryWindow(START, at(1), logs=lines, spans=some))


# ---- by id


def test_a_trace_is_found_across_services_and_minutes(store: SqlTelemetry) -> None:
    own = [
        trace(7, 59, "cart"),
        trace(7, 61, "queue"),
        replace(trace(7, 4000, "cart"), span_id="last"),
    ]
    keep(store, *own, *(trace(n, n, "cart") for n in range(8, 90)))
    assert list(spans(store.spans_of_trace("t7"))) == own
    assert len(store.spans_of_trace("t99").starts) == 0
    assert len(store.spans_of_trace("").starts) == 0


def test_lines_of_a_trace_are_found_with_those_of_unknown_time(store: SqlTelemetry) -> None:
    own = [line(5, "a", "t1"), line(500, "b", "t1", "queue"), line(None, "c", "t1")]
    keep(store, *own, line(6, "other", "t2"), line(7, "none"))
    assert list(log_lines(store.logs_of_trace("t1"))) == own


def test_lines_of_one_statement_are_found_by_its_template(store: SqlTelemetry) -> None:
    keep(store, *(line(i * 30, f"order {i} took {i * 7} ms") for i in range(9)), line(1, "ready"))
    template = template_of("order 4711 took 3 ms")
    found = store.logs_of_template(template, None, at(60), at(181))
    assert found.messages.tolist() == [f"order {i} took {i * 7} ms" for i in range(2, 7)]
    assert len(store.logs_of_template(template, ["queue"], at(0), at(900)).times) == 0
    assert len(store.logs_of_template("unknown", None, at(0), at(900)).times) == 0


# ---- overlaps


def test_a_span_whose_start_a_source_corrected_is_kept_once(store: SqlTelemetry) -> None:
    first = trace(1, 59.9, "cart")
    keep(store, first)
    keep(store, replace(first, start=ZERO + 60.2), trace(1, 60.3, "queue"))
    kept = list(spans(store.spans(None, at(0), at(999))))
    assert kept == [first, trace(1, 60.3, "queue")]


def test_equal_spans_of_one_window_are_kept_once_the_first_of_them(store: SqlTelemetry) -> None:
    first = trace(1, 70, "cart")
    keep(store, first, replace(first, start=ZERO + 10, status="later"))
    assert list(spans(store.spans(None, at(0), at(999)))) == [first]


def test_a_window_in_the_middle_of_a_slot_is_completed_by_the_next(store: SqlTelemetry) -> None:
    every = [line(i, f"line {i}") for i in range(0, 200, 3)]
    keep(store, *every[:30])
    keep(store, *every[10:])
    keep(store, *every[25:40])
    assert list(log_lines(store.logs(None, at(0), at(300)))) == every


def test_names_that_no_database_likes_are_names(store: SqlTelemetry) -> None:
    odd = "x\x00\ud83e" + "long" * 5000
    entity = Entity("service", odd)
    series = (Series(entity, odd, odd),)
    table = MetricTable(np.array([ZERO]), np.array([[1.0]]), series)
    lines = log_table([LogLine(ZERO, odd, odd, odd, odd, odd)])
    some = span_table([Span(odd, odd, odd, odd, odd, ZERO, 1.0, odd, odd)])
    store.append(TelemetryWindow(START, at(1), metrics=table, logs=lines, spans=some))
    assert store.metrics([odd], START, at(1)).series == series
    assert list(log_lines(store.logs([odd], START, at(1)))) == list(log_lines(lines))
    assert list(spans(store.spans_of_trace(odd))) == list(spans(some))


times = st.one_of(st.none(), st.floats(-200, 200))
some_lines = st.lists(
    st.builds(
        line, times, st.sampled_from("ab"), st.sampled_from(["", "t"]), st.sampled_from("cq")
    ),
    max_size=6,
)
some_spans = st.lists(
    st.builds(trace, st.integers(0, 3), st.floats(-200, 200), st.sampled_from("cq")), max_size=6
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(batches=st.lists(st.tuples(some_lines, some_spans), max_size=4))
def test_whatever_is_appended_reads_as_it_does_in_memory(
    batches: list[tuple[list[LogLine], list[Span]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("one") / "aiops.db"
    engine = open_engine(f"sqlite:///{file}")
    schema.upgrade(engine)
    both = SqlTelemetry(engine), MemoryTelemetry()
    for store in both:
        for found, some in batches:
            keep(store, *found, *some)
    window = (None, at(-999), at(999))
    in_sql, in_memory = (sorted(log_lines(store.logs(*window)), key=repr) for store in both)
    assert in_sql == in_memory
    in_sql, in_memory = (sorted(spans(store.spans(*window)), key=repr) for store in both)
    assert in_sql == in_memory
    engine.dispose()


# ---- what breaks


def metrics(first: float, seconds: int = 600, columns: int = 50) -> TelemetryWindow:
    """Noise, so that it takes room."""
    values = np.random.default_rng(int(first)).normal(size=(seconds, columns))
    series = tuple(Series(CART, f"m{i}", f"cart_m{i}") for i in range(columns))
    table = MetricTable(ZERO + first + np.arange(float(seconds)), values, series)
    lines = log_table([line(first + i, f"line {i}") for i in range(9)])
    return TelemetryWindow(at(first), at(first + seconds), metrics=table, logs=lines)


def counts(store: SqlTelemetry) -> tuple[int, int]:
    """Samples and lines kept."""
    window = (None, at(-1e6), at(1e6))
    values = store.metrics(*window).values
    return int((~np.isnan(values)).sum()), len(store.logs(*window).times)


def test_a_full_disk_leaves_what_was_there_and_the_next_append_works(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    store = SqlTelemetry(engine)
    store.append(metrics(0))
    kept = counts(store)
    engine.dispose()

    def limit(pages: int) -> Callable[[Any, object], None]:
        def set_limit(connection: Any, record: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        return set_limit

    small, large = limit(1), limit(1_000_000)
    event.listen(engine, "connect", small)
    with pytest.raises(StoreUnavailable, match=r"aiops\.db: the disk is full; make room"):
        store.append(metrics(1200))
    assert counts(store) == kept
    engine.dispose()
    event.remove(engine, "connect", small)
    event.listen(engine, "connect", large)
    store.append(metrics(1200))
    assert counts(store) == (2 * kept[0], 2 * kept[1])
    engine.dispose()


def test_a_file_another_process_keeps_locked_is_said(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr("aiops.store.sql.engine.BUSY_S", 1)
    engine = open_engine(sqlite_url)
    store = SqlTelemetry(engine)
    other = sqlite3.connect(str(engine.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.append(metrics(0))
    other.execute("ROLLBACK")
    other.close()
    store.append(metrics(0))
    assert counts(store) == (30_000, 9)
    engine.dispose()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_restarts_loses_nothing_and_the_next_append_works(
    mode: str, own_postgres: Any
) -> None:
    server = own_postgres()
    engine = open_engine(server.url())
    schema.upgrade(engine)
    store = SqlTelemetry(engine)
    store.append(metrics(0))
    server.restart(mode)
    store.append(metrics(1200))  # its connections are gone, which nobody notices
    assert counts(store) == (60_000, 18)
    server.stop(mode)
    with pytest.raises(StoreUnavailable, match="is the server up"):
        store.append(metrics(2400))
    server.start()
    assert counts(store) == (60_000, 18)
    engine.dispose()


def test_a_server_lost_in_the_middle_of_an_append_leaves_nothing_of_it(own_postgres: Any) -> None:
    server = own_postgres()
    engine = open_engine(server.url())
    schema.upgrade(engine)
    store = SqlTelemetry(engine)
    store.append(metrics(0))
    stopped = threading.Event()

    def pull_the_plug(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        if "telemetry_log_batches" in statement and not stopped.is_set():  # metrics are in
            stopped.set()
            server.stop("immediate")

    event.listen(engine, "before_cursor_execute", pull_the_plug)
    with pytest.raises(StoreUnavailable):
        store.append(metrics(1200))
    assert stopped.is_set()
    server.start()
    assert counts(store) == (30_000, 9)
    store.append(metrics(1200))
    assert counts(store) == (60_000, 18)
    engine.dispose()


def test_a_server_lost_in_the_middle_of_a_copy_is_unavailable(
    own_postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    server = own_postgres()
    engine = open_engine(server.url())
    schema.upgrade(engine)
    store = SqlTelemetry(engine)
    plain = psycopg.Copy.write_row

    def write_row(copy: Any, row: Any) -> None:
        if server.running:
            server.stop("immediate")
        plain(copy, row)

    monkeypatch.setattr(psycopg.Copy, "write_row", write_row)
    with pytest.raises(StoreUnavailable):
        store.append(metrics(0))
    monkeypatch.undo()
    server.start()
    assert counts(store) == (0, 0)
    store.append(metrics(0))
    assert counts(store) == (30_000, 9)
    engine.dispose()


KILLED = """
import sys
import numpy as np
from datetime import datetime, timedelta, UTC
from aiops.model import Entity, MetricTable, Series, TelemetryWindow
from aiops.model.rows import LogLine, log_table
from aiops.store.sql.engine import open_engine
from aiops.store.sql.telemetry import SqlTelemetry

store = SqlTelemetry(open_engine(sys.argv[1]))
series = (Series(Entity("service", "cart"), "cpu", "cart_cpu"),)
for i in range(100_000):
    start = 1.8e9 + 600 * i
    table = MetricTable(start + np.arange(600.0), np.random.normal(size=(600, 1)), series)
    lines = log_table([LogLine(start + j, "cart", f"line {j}") for j in range(60)])
    at = datetime.fromtimestamp(start, UTC)
    store.append(TelemetryWindow(at, at + timedelta(minutes=10), metrics=table, logs=lines))
    print(i, flush=True)
"""


def test_a_process_killed_while_it_appends_leaves_whole_windows_only(database_url: str) -> None:
    line = [sys.executable, "-c", KILLED, database_url]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(5)]
        process.kill()
        told += process.stdout.readlines()
    engine = open_engine(database_url)
    window = (None, datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    store = SqlTelemetry(engine)
    rows, lines = len(store.metrics(*window).times), len(store.logs(*window).times)
    engine.dispose()
    assert rows // 600 in (len(told), len(told) + 1)  # the last one may be kept and not told yet
    assert (rows % 600, lines) == (0, rows // 10)


def test_many_threads_append_overlapping_windows_at_once(store: SqlTelemetry) -> None:
    failed: list[BaseException] = []

    def append(first: float) -> None:
        try:
            store.append(metrics(0))
            store.append(metrics(first, seconds=60))
        except BaseException as error:  # noqa: BLE001  whatever it is fails the test
            failed.append(error)

    threads = [threading.Thread(target=append, args=(1200 + 60 * i,)) for i in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert counts(store) == (30_000 + 6 * 60 * 50, 9 + 6 * 9)
