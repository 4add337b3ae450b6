"""How fast telemetry is kept and read, and in how much room, on both engines (``make bench``).

Absolute figures are printed; asserted is what holds on any machine: that everything comes back
equal, and that packing beats a row a sample by far.
"""

import gzip
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, text

from aiops.model import Entity, LogTable, MetricTable, Series, SpanTable, TelemetryWindow
from aiops.store.sql import schema
from aiops.store.sql.engine import open_engine, reading, writing
from aiops.store.sql.telemetry import SqlTelemetry

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
ZERO = START.timestamp()
RECORDED = Path(__file__).parents[3] / "shared" / "datasets" / "rcd-sockshop"
ROWS = 1_000_000
SERVICES = tuple(f"service-{i}" for i in range(20))


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A new database that waits for the disk as one in use does."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'aiops.db'}"
    else:
        url = request.getfixturevalue("own_postgres")().url()
    opened = open_engine(url)
    schema.upgrade(opened)
    yield opened
    opened.dispose()


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def seconds(work: Callable[[], Any], times: int = 1) -> float:
    """The fastest of so many."""
    found = []
    for _ in range(times):
        before = time.perf_counter()
        work()
        found.append(time.perf_counter() - before)
    return min(found)


def say(engine: Engine, what: str) -> None:
    print(f"\n{engine.dialect.name:10s} {what}")  # noqa: T201


def size(engine: Engine, *tables: str) -> int:
    """Bytes: of the whole file, or of the tables with their indexes."""
    if engine.dialect.name == "sqlite":
        engine.dispose()  # the last connection writes the log into the file
        return Path(str(engine.url.database)).stat().st_size
    with reading(engine) as connection:
        ask = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
        return sum(int(connection.scalar(ask, {"name": name}) or 0) for name in tables)


def metrics(rows: int, columns: int) -> MetricTable:
    """A third noise, a third decimals, a third scraped five times as often as measured."""
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(50, 1, (rows, columns)), axis=0) * 0.01
    values[:, ::3] = np.round(values[:, ::3], 2)
    values[:, 1::3] = values[np.arange(rows) // 5 * 5, 1::3]
    series = tuple(
        Series(Entity("service", f"s{i // 20:03}"), f"m{i % 20:02}", f"s{i // 20:03}_m{i % 20:02}")
        for i in range(columns)
    )
    return MetricTable(ZERO + np.arange(float(rows)), values, series)


def test_samples(engine: Engine) -> None:
    store, table = SqlTelemetry(engine), metrics(7200, 1000)
    window = TelemetryWindow(at(0), at(120), metrics=table)
    wrote = seconds(lambda: store.append(window))
    again = seconds(lambda: store.append(window))
    read = seconds(lambda: store.metrics(None, at(45.1), at(75.1)), times=5)
    one = seconds(lambda: store.metrics(["s007"], at(45.1), at(75.1)), times=5)
    found = store.metrics(None, at(45.1), at(75.1))
    expected = table.between(at(45.1).timestamp(), at(75.1).timestamp())
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.series == table.series
    say(engine, f"samples written        {table.values.size / wrote / 1e6:8.1f} M/s")
    say(engine, f"the same once more     {table.values.size / again / 1e6:8.1f} M/s")
    say(engine, f"1,000 series x 30 min  {read * 1000:8.1f} ms")
    say(engine, f"20 series x 30 min     {one * 1000:8.1f} ms")
    say(
        engine,
        f"bytes a sample         {size(engine, 'telemetry_blocks') / table.values.size:8.2f}",
    )


def recorded() -> list[MetricTable]:
    """The recordings one after another, so that none overlaps another."""
    tables = []
    for case, file in enumerate(sorted(RECORDED.glob("*/metrics.csv.gz"))):
        with gzip.open(file, "rt") as stream:
            columns = stream.readline().strip().split(",")[1:]
            cells = np.genfromtxt(stream, delimiter=",")
        series = tuple(
            Series(Entity("service", one.rsplit("_", 1)[0]), one.rsplit("_", 1)[1], one)
            for one in columns
        )
        times = ZERO + 3600.0 * case + cells[:, 0] - cells[0, 0]
        tables.append(MetricTable(times, cells[:, 1:], series))
    return tables


@pytest.mark.skipif(not RECORDED.exists(), reason="no recordings on this machine")
def test_room_of_recorded_samples(engine: Engine) -> None:
    store, tables = SqlTelemetry(engine), recorded()
    empty = size(engine, "telemetry_blocks", "telemetry_series")
    for table in tables:
        store.append(TelemetryWindow(START, at(1), metrics=table))
    taken = size(engine, "telemetry_blocks", "telemetry_series")
    samples = sum(int((~np.isnan(table.values)).sum()) for table in tables)
    found = store.metrics(None, at(0), at(60 * len(tables)))
    assert int((~np.isnan(found.values)).sum()) == samples
    say(engine, f"{samples} recorded samples: {taken / samples:.2f} bytes a sample ({empty} empty)")
    assert taken / samples < 5


def test_packed_beats_a_row_a_sample(engine: Engine) -> None:
    store, table = SqlTelemetry(engine), metrics(600, 100)
    rows = [
        {"series": column, "time": time, "value": value}
        for column in range(100)
        for time, value in zip(table.times.tolist(), table.values[:, column].tolist(), strict=True)
    ]

    def one_by_one() -> None:
        with writing(engine) as connection:
            connection.execute(
                text(
                    "CREATE TABLE plain (series int, time double precision, "
                    "value double precision, PRIMARY KEY (series, time))"
                )
            )
            connection.execute(text("INSERT INTO plain VALUES (:series, :time, :value)"), rows)

    def read_rows() -> None:
        with reading(engine) as connection:
            connection.execute(text("SELECT series, time, value FROM plain")).all()

    packed = seconds(lambda: store.append(TelemetryWindow(at(0), at(10), metrics=table)))
    plain = seconds(one_by_one)
    packed_read = seconds(lambda: store.metrics(None, at(0), at(10)), times=3)
    plain_read = seconds(read_rows, times=3)
    say(engine, f"writing, packed against rows: {plain / packed:.0f} times as fast")
    say(engine, f"reading, packed against rows: {plain_read / packed_read:.0f} times as fast")
    assert packed * 3 < plain
    assert packed_read * 3 < plain_read


def texts(made: list[str]) -> Any:
    column = np.empty(len(made), dtype=np.object_)
    column[:] = made
    return column


def test_lines(engine: Engine) -> None:
    rng = np.random.default_rng(0)
    store = SqlTelemetry(engine)
    traces = [f"{i:032x}" for i in rng.integers(0, 2**62, ROWS // 10).tolist()]
    table = LogTable(
        ZERO + np.sort(rng.uniform(0, 1800, ROWS)),
        SERVICES,
        rng.integers(0, 20, ROWS).astype(np.int32),
        texts([f"order {i * 7919 % 100_003} of user {i} took {i % 997} ms" for i in range(ROWS)]),
        trace_ids=texts([traces[i // 10] for i in range(ROWS)]),
    )
    window = TelemetryWindow(at(0), at(30), logs=table)
    wrote = seconds(lambda: store.append(window))
    again = seconds(lambda: store.append(window))
    some = seconds(lambda: store.logs(["service-3"], at(10), at(15)), times=5)
    every = seconds(lambda: store.logs(["service-3"], at(0), at(30)), times=5)
    trace = seconds(lambda: store.logs_of_trace(traces[50_000]), times=5)
    assert len(store.logs(None, at(0), at(31)).times) == ROWS
    assert store.logs_of_trace(traces[50_000]).messages.tolist() == (
        table.messages[500_000:500_010].tolist()
    )
    say(engine, f"lines written          {ROWS / wrote / 1000:8.0f} k/s")
    say(engine, f"the same once more     {ROWS / again / 1000:8.0f} k/s")
    say(engine, f"1 service x 5 min      {some * 1000:8.1f} ms, 8 k lines")
    say(engine, f"1 service x 30 min     {every * 1000:8.1f} ms, 50 k lines")
    say(engine, f"by trace id            {trace * 1000:8.1f} ms, 10 lines")
    say(engine, f"bytes a line           {size(engine, 'telemetry_log_batches') / ROWS:8.1f}")


def test_spans(engine: Engine) -> None:
    rng = np.random.default_rng(0)
    store = SqlTelemetry(engine)
    random = secrets.token_hex(24 * ROWS // 10)  # ids are as random as in life
    edges = range(0, len(random) + 1, 48)
    parts = [random[a:b] for a, b in pairwise(edges)]
    traces = [part[:32] for part in parts]
    ids = [f"{i:06x}{parts[i % len(parts)][32:42]}" for i in range(ROWS)]
    table = SpanTable(
        texts([traces[i // 10] for i in range(ROWS)]),
        texts(ids),
        texts(["" if i % 10 == 0 else ids[i - 1] for i in range(ROWS)]),
        SERVICES,
        rng.integers(0, 20, ROWS).astype(np.int32),
        tuple(f"GET /{i}" for i in range(50)),
        rng.integers(0, 50, ROWS).astype(np.int32),
        ZERO + np.round(np.sort(rng.uniform(0, 1800, ROWS)), 6),
        np.round(rng.exponential(0.05, ROWS), 6),
    )
    window = TelemetryWindow(at(0), at(30), spans=table)
    wrote = seconds(lambda: store.append(window))
    again = seconds(lambda: store.append(window))
    some = seconds(lambda: store.spans(["service-3"], at(10), at(15)), times=5)
    every = seconds(lambda: store.spans(["service-3"], at(0), at(30)), times=5)
    trace = seconds(lambda: store.spans_of_trace(traces[50_000]), times=5)
    assert len(store.spans(None, at(0), at(31)).starts) == ROWS
    assert store.spans_of_trace(traces[50_000]).span_ids.tolist() == ids[500_000:500_010]
    say(engine, f"spans written          {ROWS / wrote / 1000:8.0f} k/s")
    say(engine, f"the same once more     {ROWS / again / 1000:8.0f} k/s")
    say(engine, f"1 service x 5 min      {some * 1000:8.1f} ms, 8 k spans")
    say(engine, f"1 service x 30 min     {every * 1000:8.1f} ms, 50 k spans")
    say(engine, f"by trace id            {trace * 1000:8.1f} ms, 10 spans")
    say(engine, f"bytes a span           {size(engine, 'telemetry_span_batches') / ROWS:8.1f}")
