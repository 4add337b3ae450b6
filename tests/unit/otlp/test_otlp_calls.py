"""Calls to what records no spans: remembered for a while, by their last time."""

from datetime import UTC, datetime

import pytest

from aiops.analyze.service_graph import SeenCall
from aiops.errors import InvalidWindow
from aiops.ingest.otlp.calls import PushedCalls
from aiops.model import Entity
from aiops.ports.telemetry import GraphSource

WEB, DB = Entity("service", "web"), Entity("component", "db")


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_a_call_is_part_of_the_graph_from_its_first_time_until_it_fades():
    calls = PushedCalls(window_s=10)
    calls.take([SeenCall(WEB, DB, 2, 0, 100, 110)])
    calls.take([SeenCall(WEB, DB, 3, 1, 130, 140)])
    assert isinstance(calls, GraphSource)
    assert calls.graph(at(99)).calls == ()
    (call,) = calls.graph(at(200)).calls
    assert (call.source, call.target, call.weight) == (WEB, DB, 5)
    assert calls.graph(at(140 + 12 * 10)).calls == (call,)
    assert calls.graph(at(140 + 12 * 10 + 1)).calls == ()


def test_only_so_many_are_remembered_the_latest_ones():
    calls = PushedCalls()
    calls.take([SeenCall(WEB, Entity("component", str(i)), 1, 0, i, i) for i in range(10_005)])
    graph = calls.graph(at(10_005))
    assert min(int(call.target.name) for call in graph.calls) >= 5


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(InvalidWindow):
        PushedCalls().graph(datetime(2026, 1, 1))  # noqa: DTZ001
