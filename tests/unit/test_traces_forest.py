"""Spans into trees, whatever the recorder did to them."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.traces.forest import Forest, children, forest, joined
from aiops.model import SpanTable
from aiops.model.rows import Span, span_table


def span(
    name: str, parent: str = "", *, trace: str = "t", start: float = 0.0, took: float = 1.0
) -> Span:
    return Span(trace, name, parent, "service", "operation", start, took)


def trees(*spans: Span) -> Forest:
    return forest(span_table(spans))


def test_a_request_becomes_one_tree_with_depths() -> None:
    found = trees(span("a"), span("b", "a"), span("c", "b"), span("d", "a"))
    assert found.parent.tolist() == [-1, 0, 1, 0]
    assert found.depth.tolist() == [0, 1, 2, 1]
    assert found.root.tolist() == [0, 0, 0, 0]
    assert found.oddities.notes() == ()


def test_equal_span_ids_of_two_traces_do_not_mix() -> None:
    found = trees(
        span("a", trace="x"),
        span("b", "a", trace="x"),
        span("a", trace="y"),
        span("b", "a", trace="y"),
    )
    assert found.parent.tolist() == [-1, 0, -1, 2]
    assert found.traces == 2


def test_a_missing_parent_makes_a_root_and_is_counted() -> None:
    found = trees(span("a", "lost"), span("b", "a"))
    assert found.parent.tolist() == [-1, 0]
    assert found.oddities.orphans == 1
    assert "1 spans name a parent that was not recorded" in found.oddities.notes()[0]


def test_a_repeated_span_is_left_out_and_counted() -> None:
    found = trees(span("a"), span("a", took=9.0), span("b", "a"))
    assert found.rows.tolist() == [0, 2]
    assert found.oddities.duplicates == 1


def test_a_negative_duration_counts_as_zero() -> None:
    found = trees(span("a", took=-3.0))
    assert found.spans.durations.tolist() == [0.0]
    assert found.oddities.negative == 1


def test_spans_without_a_start_are_left_out_and_their_children_are_orphans() -> None:
    found = trees(span("a", start=float("nan")), span("b", "a"), span("c", took=float("inf")))
    assert found.rows.tolist() == [1]
    assert found.oddities.unreadable == 2
    assert found.oddities.orphans == 1


def test_a_cycle_is_cut_at_the_span_that_began_first() -> None:
    found = trees(
        span("a", "c", start=2.0),
        span("b", "a", start=1.0),
        span("c", "b", start=3.0),
        span("d", "c"),
    )
    assert found.parent.tolist() == [2, -1, 1, 2]
    assert found.oddities.cycles == 3
    assert found.root.tolist() == [1, 1, 1, 1]


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    found = trees(span("a", "a"), span("b", "a"))
    assert found.parent.tolist() == [-1, 0]
    assert found.oddities.cycles == 1


def test_a_child_on_an_earlier_clock_is_counted() -> None:
    found = trees(span("a", start=10.0), span("b", "a", start=9.0))
    assert found.oddities.skewed == 1


def test_an_empty_table_is_an_empty_forest() -> None:
    found = trees()
    assert found.traces == 0
    assert found.parent.tolist() == []
    assert children(found).rows.tolist() == []


def test_children_come_in_the_order_of_their_starts() -> None:
    found = trees(span("a"), span("late", "a", start=0.5), span("early", "a", start=0.1))
    assert children(found).of(0).tolist() == [2, 1]
    assert children(found).of(1).tolist() == []


def test_two_tables_join_under_one_vocabulary() -> None:
    first = span_table([Span("t", "a", "", "web", "GET", 0.0, 1.0, instance="web-1")])
    second = span_table(
        [
            Span("u", "a", "", "db", "SELECT", 0.0, 1.0, instance="db-1", status="ERROR"),
            Span("u", "b", "a", "web", "GET", 0.0, 1.0, instance="web-2"),
        ]
    )
    both = joined(first, second)
    assert [both.services[i] for i in both.service_of] == ["web", "db", "web"]
    assert [both.operations[i] for i in both.operation_of] == ["GET", "SELECT", "GET"]
    assert both.instance_of is not None
    assert [both.instances[i] for i in both.instance_of] == ["web-1", "db-1", "web-2"]
    assert both.statuses is not None
    assert both.statuses.tolist() == ["", "ERROR", ""]


def test_tables_join_without_instances_where_one_has_none() -> None:
    known = span_table([Span("t", "a", "", "web", "GET", 0.0, 1.0, instance="web-1")])
    both = joined(known, replace(known, instances=(), instance_of=None))
    assert both.instance_of is None


def test_an_empty_table_joins() -> None:
    empty = span_table([])
    one = span_table([span("a")])
    assert len(joined(empty, one).starts) == 1
    assert len(joined(one, empty).starts) == 1


def test_a_chain_of_many_spans_has_its_full_depth() -> None:
    length = 50_000
    found = forest(
        span_table(span(str(i), str(i - 1) if i else "", start=float(i)) for i in range(length))
    )
    assert found.depth[-1] == length - 1
    assert (found.root == 0).all()


@st.composite
def tables(draw: st.DrawFn) -> SpanTable:
    """Any graph of parents at all: cycles, strangers, repeats, odd times."""
    times = st.one_of(st.floats(-5, 5), st.sampled_from([float("nan"), float("inf"), -1.0]))
    names = st.sampled_from(["", "a", "b", "c", "d", "e"])
    rows = draw(st.lists(st.tuples(st.sampled_from("xy"), names, names, times, times), max_size=24))
    return span_table(span(n, p, trace=t, start=s, took=d) for t, n, p, s, d in rows)


@given(tables())
def test_whatever_the_parents_every_chain_ends_at_a_root_of_its_trace(table: SpanTable) -> None:
    found = forest(table)
    for row in range(len(found.parent)):
        seen = 0
        at = row
        while found.parent[at] >= 0:
            at = int(found.parent[at])
            seen += 1
            assert seen <= len(found.parent)
        assert found.root[row] == at
        assert found.depth[row] == seen
        assert found.trace[row] == found.trace[at]
    assert (found.spans.durations >= 0).all()
    assert len(found.rows) + found.oddities.unreadable + found.oddities.duplicates == len(
        table.starts
    )


@given(tables())
def test_every_span_with_a_parent_is_one_child_of_it(table: SpanTable) -> None:
    found = forest(table)
    tree = children(found)
    listed = [child for row in range(len(found.parent)) for child in tree.of(row).tolist()]
    assert sorted(listed) == np.flatnonzero(found.parent >= 0).tolist()
