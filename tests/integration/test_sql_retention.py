"""Telemetry is forgotten by age; what an open incident looks at stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from aiops.errors import InvalidWindow
from aiops.model import Entity, MetricTable, Series, ServiceGraph, TelemetryWindow
from aiops.model.change import Change
from aiops.model.rows import LogLine, Span, log_table, span_table
from aiops.store.sql import retention
from aiops.store.sql.engine import open_engine
from aiops.store.sql.retention import Forgotten, prune
from aiops.store.sql.telemetry import SqlTelemetry

DAY = timedelta(days=1)
START = datetime(2026, 11, 1, tzinfo=UTC)
CART = Entity("service", "cart")


def at(day: int) -> datetime:
    return START + day * DAY


def one_day(day: int) -> tuple[TelemetryWindow, tuple[Change, ...]]:
    """A minute of everything; a graph that names the day; a series of its own beside a common."""
    zero = at(day).timestamp()
    own = Entity("service", f"job-{day}")
    series = (Series(CART, "cpu", "cart_cpu"), Series(own, "cpu", f"job_{day}"))
    window = TelemetryWindow(
        at(day),
        at(day) + timedelta(minutes=1),
        metrics=MetricTable(zero + np.arange(60.0), np.full((60, 2), float(day)), series),
        logs=log_table([LogLine(zero + 1, "cart", f"day {day}", "", f"t{day}")]),
        spans=span_table([Span(f"t{day}", "s", "", "cart", "GET", zero + 1, 0.5)]),
        graph=ServiceGraph((own,), ()),
    )
    return window, (Change(at(day), CART, f"release {day}"),)


@pytest.fixture
def store(engine: Engine) -> SqlTelemetry:
    """Five days of telemetry."""
    kept = SqlTelemetry(engine)
    for day in range(5):
        kept.append(*one_day(day))
    return kept


def days(store: SqlTelemetry) -> dict[str, set[int]]:
    """Which days each kind of telemetry is still kept of."""
    ask = (None, at(-9), at(9))
    metrics, lines, spans = store.metrics(*ask), store.logs(*ask), store.spans(*ask)
    return {
        "metrics": {round((t - START.timestamp()) // 86400) for t in metrics.times},
        "logs": {int(message.split()[1]) for message in lines.messages},
        "spans": {int(trace[1:]) for trace in spans.trace_ids},
        "changes": {int(one.description.split()[1]) for one in store.changes(*ask)},
        "traces": {d for d in range(5) if len(store.spans_of_trace(f"t{d}").starts)},
    }


def all_of(these: set[int]) -> dict[str, set[int]]:
    return dict.fromkeys(("metrics", "logs", "spans", "changes", "traces"), these)


def test_what_is_older_goes_and_is_counted(store: SqlTelemetry, engine: Engine) -> None:
    gone = prune(engine, at(3))
    assert gone == Forgotten(3, 0, 3, 3, 3, 3)
    assert days(store) == all_of({3, 4})
    assert prune(engine, at(3)) == Forgotten(0, 0, 0, 0, 0, 0)


def test_what_an_open_incident_looks_at_stays(store: SqlTelemetry, engine: Engine) -> None:
    prune(engine, at(4), [(at(1), at(1) + timedelta(hours=1))])
    assert days(store) == all_of({1, 4})
    assert store.graph(at(1)).nodes[0].name == "job-1"


def test_the_graph_that_still_holds_stays(store: SqlTelemetry, engine: Engine) -> None:
    prune(engine, at(9))
    assert days(store)["metrics"] == set()
    assert store.graph(at(9)).nodes[0].name == "job-4"


def test_forgotten_series_free_their_names_and_can_come_back(
    store: SqlTelemetry, engine: Engine
) -> None:
    assert prune(engine, at(9)).series == 6
    store.append(*one_day(2))
    assert days(store)["metrics"] == {2}


def test_lines_of_unknown_time_stay(store: SqlTelemetry, engine: Engine) -> None:
    lines = log_table([LogLine(None, "cart", "day 7")])
    store.append(TelemetryWindow(at(0), at(1), logs=lines))
    prune(engine, at(9))
    assert days(store)["logs"] == {7}


def test_a_moment_without_a_time_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidWindow):
        prune(engine, datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidWindow):
        prune(engine, at(1), [(datetime(2026, 1, 1), at(1))])  # noqa: DTZ001


def test_no_open_incident_looks_at_nothing(engine: Engine) -> None:
    assert retention.looked_at(engine, DAY, at(1)) == ()


def test_a_file_gets_smaller(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    file = Path(str(engine.url.database))
    noise = np.random.default_rng(0).normal(size=(6000, 20))
    series = tuple(Series(CART, f"m{i}", f"cart_m{i}") for i in range(20))
    table = MetricTable(START.timestamp() + np.arange(6000.0), noise, series)
    SqlTelemetry(engine).append(TelemetryWindow(at(0), at(1), metrics=table))
    engine.dispose()
    before = file.stat().st_size
    prune(engine, at(9))
    engine.dispose()
    assert file.stat().st_size < before / 3
