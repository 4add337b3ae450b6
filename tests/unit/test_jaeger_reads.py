"""How Jaeger is asked: for each trace as seldom as its API allows."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Any

import pytest
import telemetry_servers as servers
from hypothesis import given
from hypothesis import strategies as st
from telemetry_servers import START, ZERO, Asked, Reply, Server, serving

from aiops.ingest.jaeger import PEEK, Jaeger, callers_first


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_chain_of(
    services: Sequence[str], own: int = 0, *, graph: bool = True
) -> Callable[[Asked], Any]:
    """Forty traces that pass all services in turn, and ``own`` older ones of the last alone."""

    def trace(number: int, passed: Sequence[str]) -> Any:
        spans = [
            {
                "traceID": f"t{number}",
                "spanID": one,
                "operationName": "work",
                "processID": one,
                "startTime": (ZERO + number) * 10**6,
                "duration": 5,
            }
            for one in passed
        ]
        return {
            "traceID": f"t{number}",
            "spans": spans,
            "processes": {one: {"serviceName": one} for one in passed},
        }

    traces = [trace(n, services[-1:]) for n in range(own)]
    traces += [trace(n, services) for n in range(own, own + 40)]

    def speak(asked: Asked) -> Any:
        match asked.path:
            case "/api/services":
                return {"data": sorted(services)}
            case "/api/dependencies":
                pairs = pairwise(services) if graph else ()
                return {"data": [{"parent": one, "child": other} for one, other in pairs]}
        first, last = (int(asked.params[key]) for key in ("start", "end"))
        found = [
            one
            for one in traces
            if asked.params["service"] in one["processes"]
            and first <= one["spans"][0]["startTime"] <= last
        ]
        return {"data": found[::-1][: int(asked.params["limit"])]}

    return speak


def asked_for_more_than_a_peek(server: Server) -> list[str]:
    return [
        one.params["service"]
        for one in server.asked
        if one.path == "/api/traces" and int(one.params["limit"]) > PEEK
    ]


@pytest.mark.parametrize("graph", [True, False])
def test_jaeger_is_asked_once_for_traces_that_pass_many_services(graph: bool):
    # "a" is the root where calls are known; without them the first by name is asked first.
    with serving(a_chain_of("abcde", graph=graph)) as running:
        source = Jaeger.connect("mine", {"url": running.url})
        table = source.spans(None, START, at(40))
        source.close()
    assert len(table.starts) == 5 * 40
    assert asked_for_more_than_a_peek(running) == ["a"]


def test_jaeger_asks_the_callers_first_whatever_their_names():
    with serving(a_chain_of("ebcda")) as running:
        source = Jaeger.connect("mine", {"url": running.url})
        source.spans(None, START, at(40))
        source.close()
    assert asked_for_more_than_a_peek(running) == ["e"]


def test_traces_of_its_own_that_ended_half_way_are_read_too():
    with serving(a_chain_of("ab", own=40)) as running:
        source = Jaeger.connect("mine", {"url": running.url})
        table = source.spans(None, START, at(80))
        source.close()
    assert len(table.starts) == 2 * 40 + 40


def test_an_answer_of_jaeger_too_large_is_read_in_stretches():
    speak = servers.jaeger

    def mood(asked: Asked) -> Reply | None:
        large = int(asked.params.get("limit", 0)) > 100
        return Reply(b"x" * 200_000) if large else None

    with serving(speak) as running:
        running.mood = mood
        source = Jaeger.connect("mine", {"url": running.url, "max_bytes": 100_000})
        table = source.spans(None, START, at(60))
        source.close()
    assert len(table.starts) == 120
    assert table.notes == ()


NAMES = st.sampled_from("abcdef")


@given(st.lists(NAMES, unique=True), st.lists(st.tuples(NAMES, NAMES)))
def test_each_service_is_in_one_level_and_those_nobody_calls_in_the_first(services, calls):
    levels = callers_first(services, calls)
    assert sorted(chain.from_iterable(levels)) == sorted(services)
    assert all(levels)
    known = [(one, other) for one, other in calls if one != other and {one, other} <= set(services)]
    uncalled = set(services) - {callee for _, callee in known}
    if known and uncalled:
        assert set(levels[0]) == uncalled
