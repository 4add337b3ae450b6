"""What is particular to one ingestor, and to the HTTP client they share."""

import json
import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import telemetry_servers as servers
from telemetry_servers import START, ZERO, Asked, Reply, Server, serving

from aiops.errors import SourceUnavailable
from aiops.ingest import options
from aiops.ingest.http import Backend
from aiops.ingest.jaeger import Jaeger
from aiops.ingest.loki import Loki
from aiops.ingest.prometheus.source import Prometheus, Thanos, usual_step_s
from aiops.ingest.tempo import Tempo
from aiops.model import Call, Entity, ServiceGraph
from aiops.model.rows import log_lines, spans


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


# ---- HTTP


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda _: {"fine": True}) as running:
        yield running


def backend(server: Server, clock: Clock, **more: object) -> Backend:
    chosen = options.read(options.HttpOptions, "mine", {"url": server.url, **more})
    return Backend(
        "mine",
        chosen,
        sleep=clock.sleep,
        clock=lambda: clock.now,
        chance=random.Random(7),  # noqa: S311
    )


def test_pauses_grow_are_drawn_by_chance_and_have_a_longest(server, clock, monkeypatch):
    monkeypatch.setattr("aiops.ingest.http.ATTEMPTS", 12)
    server.mood = lambda _: Reply(b"", 503)
    asked = backend(server, clock)
    with pytest.raises(SourceUnavailable, match="answered 503"):
        asked.json("/", {}, asked.budget())
    asked.close()
    longest = [min(5.0, 0.25 * 2**n) for n in range(11)]
    assert len(server.asked) == 12
    assert all(0 <= pause <= most for pause, most in zip(clock.slept, longest, strict=True))
    assert len(set(clock.slept)) == 11


def test_a_retry_after_is_waited_for_as_seconds_or_as_a_date(server, clock):
    server.mood = servers.at_first(1, Reply(b"", 429, {"Retry-After": "7"}))
    asked = backend(server, clock)
    asked.json("/", {}, asked.budget())
    assert clock.slept == [7]
    past = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.mood = servers.at_first(1, Reply(b"", 429, past))
    asked.json("/", {}, asked.budget())
    asked.close()
    assert clock.slept == [7, 0]


def test_nothing_is_waited_for_beyond_the_deadline_of_the_read(server, clock):
    server.mood = lambda _: Reply(b"busy", 429, {"Retry-After": "7"})
    asked = backend(server, clock, deadline_s=10)
    with pytest.raises(SourceUnavailable, match="answered 429: busy"):
        asked.json("/", {}, asked.budget())
    asked.close()
    assert clock.slept == [7]


def test_once_nobody_is_there_the_rest_of_the_read_fails_at_once(clock):
    with serving(lambda _: None) as gone:
        pass
    asked = backend(gone, clock)
    budget = asked.budget()
    for _ in range(2):
        with pytest.raises(SourceUnavailable, match="cannot be reached"):
            asked.json("/", {}, budget)
    asked.close()
    assert len(clock.slept) == 3


# ---- Prometheus


def metrics(mood: servers.Mood, **more: object) -> tuple[Any, Server]:
    with serving(servers.prometheus) as running:
        running.mood = mood
        source = Prometheus.connect("mine", {"url": running.url, "step_s": 1, **more})
        try:
            return source.metrics(None, START, at(60)), running
        finally:
            source.close()


def refuse_bytes(asked: Asked) -> Reply | None:
    bad = {"status": "error", "errorType": "execution", "error": "expanding series: disk"}
    refused = "queue_bytes" in asked.params.get("query", "")
    return Reply(json.dumps(bad).encode(), 422) if refused else None


def test_a_metric_that_cannot_be_read_is_named_and_the_others_are_kept():
    table, _ = metrics(refuse_bytes)
    assert {one.metric for one in table.series} == {"up", "requests_total"}
    (note,) = table.notes
    assert note == "1 metrics are missing (queue_bytes): answered 422: expanding series: disk"


def test_a_metric_with_a_missing_part_of_the_window_is_not_there_at_all():
    def mood(asked: Asked) -> Reply | None:
        late = float(asked.params.get("start", 0)) >= ZERO + 30
        return refuse_bytes(asked) if late else None

    table, _ = metrics(mood, max_points=30)
    assert "queue_bytes" not in {one.metric for one in table.series}
    assert np.isfinite(table.values).all()


def test_queries_keep_to_the_points_and_lengths_of_the_server():
    whole, _ = metrics(lambda _: None)
    for limits in ({"max_points": 7}, {"max_query_s": 6.5}):
        parts, server = metrics(lambda _: None, **limits)
        ranges = [one.params for one in server.asked if one.path.endswith("query_range")]
        assert max(float(one["end"]) - float(one["start"]) for one in ranges) <= 6.5
        np.testing.assert_array_equal(parts.values, whole.values)


def test_a_query_that_the_server_finds_too_large_is_halved():
    def mood(asked: Asked) -> Reply | None:
        if not asked.path.endswith("query_range"):
            return None
        if float(asked.params["end"]) - float(asked.params["start"]) <= 20:
            return None
        error = "query processing would load too many samples into memory"
        return Reply(json.dumps({"status": "error", "error": error}).encode(), 422)

    halved, _ = metrics(mood)
    np.testing.assert_array_equal(halved.values, metrics(lambda _: None)[0].values)
    assert halved.notes == ()


def test_what_the_server_warns_of_is_told():
    def mood(asked: Asked) -> Reply | None:
        if not asked.path.endswith("query_range"):
            return None
        answer = servers.prometheus(asked) | {"warnings": ["store 2 is down"]}
        return Reply(json.dumps(answer).encode())

    assert metrics(mood)[0].notes == ("the server warns: store 2 is down",)


def test_a_server_without_metadata_is_read_by_names():
    table, _ = metrics(lambda asked: Reply(b"", 404) if "metadata" in asked.path else None)
    assert {one.metric for one in table.series} == {"up", "requests_total", "queue_bytes"}
    (note,) = table.notes
    assert note.startswith("types and units are told from names alone")


def test_odd_numbers_are_gaps_and_disorder_does_no_harm():
    odd = [[ZERO + 3, "NaN"], [ZERO + 2, "+Inf"], [ZERO + 1, "7"], [ZERO + 900, "1"], [ZERO, "5"]]

    def mood(asked: Asked) -> Reply | None:
        if not asked.path.endswith("query_range"):
            return None
        series = {"metric": {"service": "cart"}, "values": odd}
        native = {"metric": {"service": "queue"}, "histograms": [[ZERO, {"count": "1"}]]}
        data = {"resultType": "matrix", "result": [series, native]}
        return Reply(json.dumps({"status": "success", "data": data}).encode())

    table, _ = metrics(mood)
    assert table.values[:4, 0].tolist()[:2] == [5, 7]
    assert np.isnan(table.values[2:]).all()
    assert {one.entity.name for one in table.series} == {"cart"}


def crowd(asked: Asked) -> Any:
    """A server of 200 metrics that knows no limits; those of a known kind come last by name."""
    names = [f"a_{n}" for n in range(100)] + [f"cpu_cores_{n}" for n in range(100)]
    match asked.path:
        case "/api/v1/series":
            wanted = re.findall(r'__name__=~"([^"]*)"', asked.params["match[]"])[-1]
            data: Any = [
                {"__name__": name, "service": "cart", "pod": f"cart-{pod}"}
                for name in names
                if re.fullmatch(wanted, name)
                for pod in range(3)
            ]
        case "/api/v1/label/__name__/values":
            data = [*names, "a_info"]
        case _:
            return servers.prometheus(asked)
    return {"status": "success", "data": data}


@pytest.mark.parametrize("limit", [{"max_series": 40}, {"max_series": 40, "max_bytes": 30_000}])
def test_of_too_many_series_those_of_a_known_kind_are_read_and_the_rest_is_counted(limit):
    with serving(crowd) as running:
        source = Prometheus.connect("mine", {"url": running.url, "step_s": 1, **limit})
        table = source.metrics(None, START, at(60))
        source.close()
    metrics = {one.metric for one in table.series}
    assert len(metrics) == 40
    assert all(one.startswith("cpu_cores") for one in metrics)
    looked, read = table.notes
    assert looked.startswith("140 of 200 metrics were not looked at, to keep to 200 series")
    assert read.startswith("20 metrics were not read, to keep to 40 series: cpu_cores_")


def test_rows_are_no_finer_than_scrapes_and_not_too_many():
    assert usual_step_s(1800, 1.0) == 10
    assert usual_step_s(1800, 30.0) == 30
    assert usual_step_s(120, 1.0) == 1
    assert usual_step_s(30 * 86400, 15.0) == 3600


def test_thanos_is_asked_to_merge_replicas():
    with serving(servers.prometheus) as running:
        source = Thanos.connect("mine", {"url": running.url})
        source.metrics(None, START, at(60))
        source.close()
    assert {one.params["dedup"] for one in running.asked} == {"true"}


# ---- Loki


def lines(speak: servers.Speak, **more: object) -> tuple[Any, Server]:
    with serving(speak) as running:
        source = Loki.connect("mine", {"url": running.url, **more})
        try:
            return source.logs(None, START, at(60)), running
        finally:
            source.close()


def crowded(asked: Asked) -> Any:
    """Forty lines within one nanosecond, and one every second."""
    if not asked.path.endswith("query_range"):
        return servers.loki(asked)
    if 'app=""' in asked.params["query"]:
        return {"status": "success", "data": {"result": []}}
    first, last, limit = (int(asked.params[key]) for key in ("start", "end", "limit"))
    every = [(ZERO * 10**9 + n * 10**9, f"tick {n}") for n in range(60)]
    every = sorted(every + [((ZERO + 2) * 10**9, f"line {n}") for n in range(40)])
    page = [[str(at_), text] for at_, text in every if first <= at_ < last][:limit]
    return {"status": "success", "data": {"result": [{"stream": {"app": "a"}, "values": page}]}}


@pytest.mark.parametrize("page", [2, 3, 41, 1000])
def test_a_page_border_within_one_nanosecond_neither_repeats_nor_loops(page):
    table, _ = lines(crowded, page=page)
    found = [line.message for line in log_lines(table)]
    assert len(set(found)) == len(found)
    assert {f"tick {n}" for n in range(3, 60)} <= set(found)
    if page > 41:
        assert len(found) == 100


def test_over_the_cap_each_stretch_of_the_window_keeps_its_first_lines():
    table, _ = lines(servers.loki, max_lines=48)
    seconds = {int(line.time) - ZERO for line in log_lines(table) if line.time}
    assert len(table.times) <= 48
    assert {5 * n for n in range(12)} <= seconds
    (note,) = table.notes
    assert "'max_lines'" in note


def test_traces_are_found_in_metadata_and_in_lines_and_json_stands_as_it_is():
    own = {"structuredMetadata": {"trace_id": "A" * 32, "span_id": "b" * 16}, "parsed": {}}
    as_json = '{"level": "error", "trace_id": "' + "c" * 32 + '"}'
    values = [
        [str(ZERO * 10**9), "one", own],
        [str(ZERO * 10**9 + 1), as_json],
        [str(ZERO * 10**9 + 2), f"traceID={'d' * 16} failed"],
        [str(ZERO * 10**9 + 3), "a trace idle=1"],
    ]

    def speak(asked: Asked) -> Any:
        if not asked.path.endswith("query_range"):
            return servers.loki(asked)
        first = int(asked.params["start"]) == ZERO * 10**9 and 'app=""' not in asked.params["query"]
        streams = [{"stream": {"app": "a", "pod": "a-1"}, "values": values}] if first else []
        return {"status": "success", "data": {"result": streams}}

    found = list(log_lines(lines(speak)[0]))
    assert [one.trace_id for one in found] == ["a" * 32, "c" * 32, "d" * 16, ""]
    assert found[0].span_id == "b" * 16
    assert found[1].message == as_json
    assert {one.instance for one in found} == {"a-1"}


# ---- traces


def test_jaeger_gives_parents_pods_statuses_and_seconds():
    with serving(servers.jaeger) as running:
        source = Jaeger.connect("mine", {"url": running.url})
        first, second = list(spans(source.spans(None, START, at(1))))
        source.close()
    assert (first.span_id, first.parent_id, first.status, first.instance) == ("a", "", "", "cart-1")
    assert (second.parent_id, second.status, second.service) == ("a", "ERROR", "queue")
    assert second.duration == pytest.approx(0.0015)


def test_jaeger_says_who_calls_whom():
    with serving(servers.jaeger) as running:
        source = Jaeger.connect("mine", {"url": running.url, "lookback_s": 60})
        graph = source.graph(START)
        source.close()
    cart, queue = Entity("service", "cart"), Entity("service", "queue")
    assert graph == ServiceGraph((cart, queue), (Call(cart, queue, 60.0),))
    assert running.asked[0].params == {"endTs": str(ZERO * 1000), "lookback": "60000"}


@pytest.mark.parametrize(("kind", "speak"), [(Jaeger, servers.jaeger), (Tempo, servers.tempo)])
def test_over_the_cap_traces_of_the_whole_window_are_kept_and_that_is_said(kind, speak):
    with serving(speak) as running:
        source = kind.connect("mine", {"url": running.url, "max_traces": 24})
        table = source.spans(None, START, at(60))
        source.close()
    assert table.starts.min() < ZERO + 5
    assert table.starts.max() > ZERO + 54
    (note,) = table.notes
    assert "'max_traces'" in note


@pytest.mark.parametrize("speak", [servers.tempo, servers.tempo_in_json])
def test_tempo_gives_ids_in_hex_whatever_the_encoding(speak):
    with serving(speak) as running:
        source = Tempo.connect("mine", {"url": running.url})
        found = {one.service: one for one in spans(source.spans(None, START, at(1)))}
        source.close()
    assert found["cart"].span_id == found["queue"].parent_id == b"a".hex() * 8
    assert found["queue"].trace_id == f"{2**64:032x}"
    assert found["queue"].status == "ERROR"
    assert found["queue"].duration == pytest.approx(0.0015)
