"""What every source and store of telemetry promises; a new adapter joins by one more param."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import AlreadyKept, InvalidWindow, SourceUnavailable
from aiops.model import (
    Call,
    CaseData,
    Entity,
    MetricTable,
    Series,
    ServiceGraph,
    TelemetryWindow,
)
from aiops.model.change import Change
from aiops.model.rows import LogLine, Span, log_lines, log_table, span_table, spans
from aiops.ports.telemetry import (
    ChangeSource,
    GraphSource,
    LogSource,
    MetricSource,
    TelemetryStore,
    TraceSource,
)
from aiops.store.memory import MemoryTelemetry
from aiops.store.recorded import RecordedTelemetry
from aiops.store.sql.engine import open_engine
from aiops.store.sql.telemetry import SqlTelemetry

START = datetime(2026, 11, 20, 3, tzinfo=UTC)
ZERO = START.timestamp()
CART, QUEUE = Entity("service", "cart"), Entity("instance", "queue-1", service="queue")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


LINES = [
    LogLine(ZERO + 5, "cart", "late"),
    LogLine(ZERO + 1, "cart", "early", instance="cart-1", trace_id="t1", span_id="s1"),
    LogLine(ZERO + 1, "cart", "early", instance="cart-1", trace_id="t1", span_id="s1"),
    LogLine(None, "queue", "when?"),
    LogLine(ZERO + 3, "queue", "middle"),
]
SPANS = [
    Span("t1", "s2", "s1", "queue", "push", ZERO + 2, 0.25, status="ERROR"),
    Span("t1", "s1", "", "cart", "GET /", ZERO + 1, 1.5, instance="cart-1"),
]
CHANGES = (Change(at(4), CART, "image 2 rolled out"), Change(at(2), QUEUE, "scaled to 3"))
GRAPH = ServiceGraph((CART, QUEUE), (Call(CART, QUEUE),))


def metrics(first: float = 0.0, *, rows: int = 6, times: float = 1.0) -> MetricTable:
    """``rows`` a second apart: cart's cpu counts up, queue's depth is known at even rows only."""
    seconds = first + np.arange(rows, dtype=np.float64)
    depth = np.where(seconds % 2 == 0, 10 * seconds, np.nan)
    return MetricTable(
        ZERO + seconds,
        np.column_stack([seconds, depth]) * times,
        (Series(CART, "cpu", "cart_cpu", unit="percent"), Series(QUEUE, "depth", "queue_depth")),
    )


WINDOW = TelemetryWindow(
    START,
    at(6),
    metrics=metrics(),
    logs=log_table(LINES),
    spans=span_table(SPANS),
    graph=GRAPH,
)


class Reader(MetricSource, LogSource, TraceSource, ChangeSource, GraphSource, Protocol):
    """Whatever reads all five."""


SQL = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}


def in_sql(request: pytest.FixtureRequest, url: str) -> Iterator[TelemetryStore]:
    """A store on a new database that ``url`` names, a fixture."""
    engine = open_engine(request.getfixturevalue(url))
    yield SqlTelemetry(engine)
    engine.dispose()


@pytest.fixture(params=["recorded", "memory", "sqlite", "postgresql"])
def source(request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader that holds ``WINDOW`` and ``CHANGES``."""
    match request.param:
        case "recorded":
            yield RecordedTelemetry(CaseData("c1", WINDOW), CHANGES)
        case "memory":
            kept = MemoryTelemetry()
            kept.append(WINDOW, CHANGES)
            yield kept
        case _:
            for sql in in_sql(request, SQL[request.param]):
                sql.append(WINDOW, CHANGES)
                yield sql


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[TelemetryStore]:
    """A store that holds nothing."""
    if request.param == "memory":
        yield MemoryTelemetry()
    else:
        yield from in_sql(request, SQL[request.param])


def samples(table: MetricTable) -> dict[tuple[str, float], float]:
    """(column, seconds from START) -> value; tables that say the same compare equal."""
    return {
        (series.column, time - ZERO): value
        for column, series in enumerate(table.series)
        for time, value in zip(table.times.tolist(), table.values[:, column].tolist(), strict=True)
        if not np.isnan(value)
    }


def read(source: MetricSource, first: float = -1e6, last: float = 1e6) -> MetricTable:
    return source.metrics(None, at(first), at(last))


# ---- reading


def test_metrics_come_with_their_units_and_in_the_order_of_time(source: Reader) -> None:
    table = read(source)
    assert samples(table) == samples(metrics())
    assert (np.diff(table.times) > 0).all()
    assert {one.column: one.unit for one in table.series} == {
        "cart_cpu": "percent",
        "queue_depth": None,
    }


def test_a_window_holds_its_start_and_not_its_end(source: Reader) -> None:
    assert {second for _, second in samples(read(source, 2, 4))} == {2.0, 3.0}
    lines = source.logs(["cart"], at(1), at(5))
    assert [line.message for line in log_lines(lines)] == ["early", "early"]
    assert [span.span_id for span in spans(source.spans(None, at(1), at(2)))] == ["s1"]
    assert source.changes(None, at(2), at(4)) == CHANGES[1:]


def test_a_window_in_another_time_zone_is_the_same_window(source: Reader) -> None:
    tokyo = timezone(timedelta(hours=9))
    there = source.metrics(None, at(1).astimezone(tokyo), at(3).astimezone(tokyo))
    assert samples(there) == samples(read(source, 1, 3))


def test_services_are_picked_by_the_service_an_entity_belongs_to(source: Reader) -> None:
    window = (START, at(6))
    assert {one.entity for one in source.metrics(["queue"], *window).series} == {QUEUE}
    assert source.logs(["queue"], *window).services == ("queue",)
    assert source.spans(["queue"], *window).services == ("queue",)
    assert source.changes(["queue"], *window) == CHANGES[1:]


@pytest.mark.parametrize("services", [[], ["nobody"]])
def test_services_nobody_knows_give_empty_tables(source: Reader, services: list[str]) -> None:
    window = (START, at(6))
    assert samples(source.metrics(services, *window)) == {}
    assert source.logs(services, *window).services == ()
    assert len(source.spans(services, *window).starts) == 0
    assert source.changes(services, *window) == ()


def test_a_window_beside_the_data_is_empty_and_no_error(source: Reader) -> None:
    table = read(source, 100, 200)
    assert table.times.shape == (0,)
    assert table.values.shape == (0, len(table.series))
    assert len(source.spans(None, at(100), at(200)).starts) == 0


def test_lines_ascend_in_time_stand_as_often_as_written_and_undated_ones_come_last(
    source: Reader,
) -> None:
    found = list(log_lines(source.logs(None, START, at(6))))
    assert [line.message for line in found] == ["early", "early", "middle", "late", "when?"]
    assert sorted(found, key=repr) == sorted(LINES, key=repr)


def test_spans_ascend_by_their_start_and_keep_every_field(source: Reader) -> None:
    assert list(spans(source.spans(None, START, at(6)))) == sorted(SPANS, key=lambda s: s.start)


def test_changes_ascend_in_time(source: Reader) -> None:
    assert source.changes(None, START, at(6)) == (CHANGES[1], CHANGES[0])


def test_a_graph_holds_from_when_it_was_seen(source: Reader) -> None:
    assert source.graph(at(-1)) == ServiceGraph((), ())
    assert source.graph(START) == source.graph(at(1e6)) == GRAPH


@pytest.mark.parametrize(
    ("first", "last"),
    [(START, START), (at(1), START), (START.replace(tzinfo=None), at(1).replace(tzinfo=None))],
    ids=["empty", "backwards", "no-zone"],
)
def test_a_window_that_cannot_be_read_is_refused_in_one_line(
    source: Reader, first: datetime, last: datetime
) -> None:
    for ask in (source.metrics, source.logs, source.spans, source.changes):
        with pytest.raises(InvalidWindow, match="time zones") as refused:
            ask(None, first, last)
        assert "\n" not in str(refused.value)


def test_a_graph_at_a_time_without_a_zone_is_refused(source: Reader) -> None:
    with pytest.raises(InvalidWindow):
        source.graph(START.replace(tzinfo=None))


def test_reading_twice_gives_the_same(source: Reader) -> None:
    assert samples(read(source)) == samples(read(source))
    first, second = (list(log_lines(source.logs(None, START, at(9)))) for _ in range(2))
    assert first == second


# ---- a recorded case


def test_what_was_never_recorded_is_unavailable_and_the_error_names_case_and_kind() -> None:
    source = RecordedTelemetry(CaseData("c42", TelemetryWindow(START, at(6))))
    window = (None, START, at(6))
    for ask, kind in (
        (source.metrics, "metrics"),
        (source.logs, "logs"),
        (source.spans, "traces"),
        (source.changes, "changes"),
    ):
        with pytest.raises(SourceUnavailable, match=f"c42: no {kind} were recorded"):
            ask(*window)
    with pytest.raises(SourceUnavailable, match="c42: no calls"):
        source.graph(START)


def test_a_planted_world_is_read_back_whole() -> None:
    from aiops_datasets.synthetic import plant, specified

    data = plant(specified("synthetic:7")).data
    assert data.window.metrics is not None
    source = RecordedTelemetry(data)
    after_the_end = data.window.end + timedelta(seconds=1)
    table = source.metrics(None, data.window.start, after_the_end)
    np.testing.assert_array_equal(table.values, data.window.metrics.values)
    assert table.source == data.window.metrics.source  # evidence names it
    assert source.graph(data.window.start) == data.window.graph


# ---- a store


def test_an_empty_store_has_looked_and_found_nothing(store: TelemetryStore) -> None:
    assert samples(read(store)) == {}
    assert len(store.logs(None, START, at(6)).times) == 0
    assert len(store.spans(None, START, at(6)).starts) == 0
    assert store.changes(None, START, at(6)) == ()
    assert store.graph(START) == ServiceGraph((), ())


def test_appending_the_same_again_changes_nothing(store: TelemetryStore) -> None:
    for _ in range(3):
        store.append(WINDOW, CHANGES)
    assert samples(read(store)) == samples(metrics())
    assert len(store.logs(None, START, at(6)).times) == len(LINES)
    assert len(store.spans(None, START, at(6)).starts) == len(SPANS)
    assert len(store.changes(None, START, at(6))) == len(CHANGES)


def test_windows_that_overlap_are_one_and_the_first_sample_of_a_time_stays(
    store: TelemetryStore,
) -> None:
    store.append(TelemetryWindow(at(4), at(10), metrics=metrics(4)))
    store.append(TelemetryWindow(START, at(6), metrics=metrics(0, times=-1)))
    expected = samples(metrics(0, times=-1)) | samples(metrics(4))
    assert samples(read(store)) == expected
    assert (np.diff(read(store).times) > 0).all()


def test_a_gap_is_filled_by_a_later_window(store: TelemetryStore) -> None:
    gap = replace(metrics(), values=metrics().values.copy())
    gap.values[3, 0] = np.nan
    store.append(TelemetryWindow(START, at(6), metrics=gap))
    assert ("cart_cpu", 3.0) not in samples(read(store))
    store.append(WINDOW)
    assert samples(read(store))["cart_cpu", 3.0] == 3.0


def test_a_column_of_another_entity_is_refused_and_nothing_is_written(
    store: TelemetryStore,
) -> None:
    store.append(WINDOW)
    table = metrics(50)
    stranger = replace(table.series[1], entity=Entity("service", "elsewhere"))
    other = replace(table, series=(table.series[0], stranger))
    with pytest.raises(AlreadyKept, match="queue_depth"):
        store.append(replace(WINDOW, metrics=other, logs=log_table(LINES * 2)))
    assert samples(read(store)) == samples(metrics())
    assert len(store.logs(None, START, at(6)).times) == len(LINES)


def test_what_was_given_can_be_changed_without_changing_what_is_kept(
    store: TelemetryStore,
) -> None:
    table = metrics()
    store.append(TelemetryWindow(START, at(6), metrics=table))
    table.values[:] = -1
    assert samples(read(store)) == samples(metrics())


def test_each_window_has_its_graph_and_the_latest_that_had_begun_is_read(
    store: TelemetryStore,
) -> None:
    later = ServiceGraph((CART,), ())
    store.append(TelemetryWindow(at(100), at(200), graph=later))
    store.append(WINDOW)
    assert store.graph(at(-1)) == ServiceGraph((), ())
    assert store.graph(at(99)) == GRAPH
    assert store.graph(at(100)) == later


times = st.one_of(st.none(), st.floats(0, 2e9))
text = st.text(max_size=5)
lines = st.lists(st.builds(LogLine, times, text, text, text, text, text), max_size=8)
found_spans = st.lists(
    st.builds(Span, text, text, text, text, text, st.floats(0, 2e9), st.floats(0, 10), text, text),
    max_size=8,
)


@given(lines)
def test_lines_survive_the_way_into_a_table_and_back(written: list[LogLine]) -> None:
    assert list(log_lines(log_table(written))) == written


@given(found_spans)
def test_spans_survive_the_way_into_a_table_and_back(written: list[Span]) -> None:
    assert list(spans(span_table(written))) == written


@given(st.lists(lines, max_size=4))
def test_neither_order_nor_repetition_of_appending_matters_to_the_lines(
    batches: list[list[LogLine]],
) -> None:
    kept = []
    for order in (batches, batches[::-1] + batches):
        store = MemoryTelemetry()
        for batch in order:
            store.append(TelemetryWindow(START, at(1), logs=log_table(batch)))
        found = store.logs(None, datetime.fromtimestamp(0, UTC), at(1e9))
        kept.append(sorted(log_lines(found), key=repr))
    assert kept[0] == kept[1]
