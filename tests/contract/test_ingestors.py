"""What every pull ingestor promises, against a small real server; one more param for a new one."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
import telemetry_servers as servers
from hypothesis import given, settings
from hypothesis import strategies as st
from telemetry_servers import SECONDS, SERVICES, START, ZERO, Asked, Reply, Server, serving

from aiops.errors import InvalidInput, InvalidWindow, SourceUnavailable
from aiops.ingest.http import Backend
from aiops.ingest.jaeger import Jaeger
from aiops.ingest.loki import Loki
from aiops.ingest.prometheus.api import Api
from aiops.ingest.prometheus.source import Mimir, Prometheus, Thanos
from aiops.ingest.tempo import Tempo

SECRET = "s3cret-token"


@dataclass(frozen=True, slots=True)
class Kind:
    """An ingestor, a server for it, and the read that its telemetry is asked for by."""

    ingestor: Any
    speak: servers.Speak
    read: str
    options: Mapping[str, object]


METRICS = {"step_s": 1}
KINDS = {
    "prometheus": Kind(Prometheus, servers.prometheus, "metrics", METRICS),
    "mimir": Kind(Mimir, servers.prometheus, "metrics", METRICS),
    "thanos": Kind(Thanos, servers.prometheus, "metrics", METRICS),
    "loki": Kind(Loki, servers.loki, "logs", {"page": 7}),
    "jaeger": Kind(Jaeger, servers.jaeger, "spans", {}),
    "tempo": Kind(Tempo, servers.tempo, "spans", {}),
    "tempo-json": Kind(Tempo, servers.tempo_in_json, "spans", {}),
}
Connect = Callable[..., Any]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def server(kind: Kind) -> Iterator[Server]:
    with serving(kind.speak) as running:
        yield running


@pytest.fixture
def connect(kind: Kind) -> Iterator[Connect]:
    made = []

    def connected(url: str, **options: object) -> Any:
        made.append(kind.ingestor.connect("mine", {"url": url, **kind.options, **options}))
        return made[-1]

    yield connected
    for one in made:
        one.close()


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rows(table: Any) -> list[tuple[str, float]]:
    """(service, seconds from START) of each sample, line or span, as they stand."""
    if hasattr(table, "values"):
        return [
            (series.entity.service_name, time - ZERO)
            for time, row in zip(table.times.tolist(), table.values, strict=True)
            for series, value in zip(table.series, row.tolist(), strict=True)
            if series.metric == "up" and not np.isnan(value)
        ]
    times = table.times if hasattr(table, "messages") else table.starts
    return [
        (table.services[code], time - ZERO)
        for code, time in zip(table.service_of.tolist(), times.tolist(), strict=True)
    ]


def ask(kind: Kind, source: Any, services: Any = None, first: float = 0, last: float = 60) -> Any:
    return getattr(source, kind.read)(services, at(first), at(last))


def failure(kind: Kind, source: Any, services: Any = None) -> str:
    with pytest.raises(SourceUnavailable) as caught:
        ask(kind, source, services)
    assert caught.value.source == "mine"
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


# ---- reading


def test_every_row_of_the_window_is_read_once_and_in_the_order_of_time(kind, server, connect):
    found = rows(ask(kind, connect(server.url)))
    assert sorted(found) == sorted((one, float(n)) for n in range(SECONDS) for one in SERVICES)
    assert [second for _, second in found] == sorted(second for _, second in found)


def test_a_window_holds_its_start_and_not_its_end(kind, server, connect):
    found = rows(ask(kind, connect(server.url), None, 10, 13))
    assert {second for _, second in found} == {10, 11, 12}


def test_only_the_services_asked_for_are_in_the_answer(kind, server, connect):
    assert {one for one, _ in rows(ask(kind, connect(server.url), ["queue"]))} == {"queue"}


@pytest.mark.parametrize("services", [[], ["nobody"], ["car"], [".*"], ['"}|']])
def test_services_nobody_knows_give_an_empty_answer(kind, server, connect, services):
    assert rows(ask(kind, connect(server.url), services)) == []


def test_a_window_beside_the_data_is_empty_and_no_error(kind, server, connect):
    assert rows(ask(kind, connect(server.url), None, 1000, 1010)) == []


def test_a_window_that_cannot_be_read_is_refused(kind, server, connect):
    for first, last in ((START, START), (START.replace(tzinfo=None), at(1))):
        with pytest.raises(InvalidWindow):
            getattr(connect(server.url), kind.read)(None, first, last)


def test_a_check_says_what_was_seen_in_numbers(kind, server, connect):
    assert any(letter.isdigit() for letter in connect(server.url).check())


# ---- servers that misbehave


def test_nobody_there_says_where_and_what_to_check(kind, connect):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        text = failure(kind, connect(url))
    assert f"{url} cannot be reached" in text
    assert "check that it runs" in text


BROKEN = {
    "html": (Reply(b"<html><title>Sign in</title></html>"), "Sign in"),
    "truncated": (Reply(b'{"status": "success", "data": {"resu'), "breaks off"),
    "text": (Reply(b"Hello"), "no JSON"),
    "empty": (Reply(b""), "nothing"),
    "other": (Reply(b'{"status": "success", "data": {"result": 7}, "traces": [7]}'), "address"),
    "list": (Reply(b"[1, 2]"), "address"),
    "login": (Reply(b"", 302, {"Location": "/login"}), "login page"),
    "forbidden": (Reply(b"no", 403), "'bearer'"),
    "missing": (Reply(b"404 page not found", 404), "'url'"),
    "cut": (Reply(b'{"status"', said=1000), "broke off"),
    "failing": (Reply(b'{"error": "disk full"}', 500), "disk full"),
}


@pytest.mark.parametrize("reply", BROKEN)
def test_a_broken_answer_is_none_and_says_what_to_look_at(
    kind, server, connect, reply, monkeypatch
):
    monkeypatch.setattr("aiops.ingest.http.FIRST_PAUSE_S", 0.001)
    sent, said = BROKEN[reply]
    server.mood = lambda _: sent
    text = failure(kind, connect(server.url))
    assert said in text


def test_an_answer_that_is_too_large_is_given_up_at_the_limit(kind, server, connect):
    sent = Reply(b'{"data": "' + b"x" * 3_000_000 + b'"}')
    server.mood = lambda _: sent
    text = failure(kind, connect(server.url, max_bytes=100_000))
    assert "more than 100000 bytes" in text
    assert "'max_bytes'" in text


def test_an_answer_that_is_too_late_is_given_up_and_not_asked_for_again(kind, server, connect):
    server.mood = servers.lasts(0.5)
    text = failure(kind, connect(server.url, timeout_s=0.05, parallel=1))
    assert "'timeout_s'" in text
    # Parts under way together fail together; none of them is repeated.
    questions = [(one.path, tuple(one.params.items())) for one in server.asked]
    assert len(questions) == len(set(questions))


def test_a_busy_server_is_asked_again_when_it_said(kind, server, connect):
    server.mood = servers.at_first(2, Reply(b"slow down", 429, {"Retry-After": "0"}))
    assert rows(ask(kind, connect(server.url)))


def test_a_server_that_restarts_is_asked_again(kind, server, connect, monkeypatch):
    monkeypatch.setattr("aiops.ingest.http.FIRST_PAUSE_S", 0.001)
    server.mood = servers.at_first(3, Reply(b"starting", 503))
    assert rows(ask(kind, connect(server.url, parallel=1)))


def test_a_server_that_wants_to_be_left_alone_for_an_hour_is(kind, server, connect):
    server.mood = lambda _: Reply(b"slow down", 429, {"Retry-After": "3600"})
    assert "answered 429: slow down; it wants fewer requests" in failure(kind, connect(server.url))


_WORDS = (
    "status",
    "success",
    "data",
    "result",
    "values",
    "stream",
    "metric",
    "value",
    "error",
    "warnings",
    "infos",
    "traces",
    "traceID",
    "spans",
    "spanID",
    "processes",
    "processID",
    "startTime",
    "duration",
    "tags",
    "key",
    "serviceName",
    "batches",
    "resourceSpans",
    "scopeSpans",
    "type",
    "unit",
    "service",
    "app",
    "pod",
    "job",
    "__name__",
    "up",
    "1763607600",
    "1.5",
    "cart",
)
odd_json = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.sampled_from(_WORDS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)


class OddBackend(Backend):
    """Without a network; from the request number ``turn`` on it answers what it is told to."""

    speak: servers.Speak
    said: object
    turn: int

    def fetch(self, path: str, params: Any, *_: object, **__: object) -> bytes:
        self.turn -= 1
        if self.turn < 0:
            return json.dumps(self.said).encode()
        texts = {key: "\n".join(v) if isinstance(v, list) else v for key, v in params.items()}
        answer = self.speak(Asked(path, texts, {"accept": ""}))
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


WRAPPINGS: dict[str, Callable[[object], object]] = {
    "bare": lambda odd: odd,
    "data": lambda odd: {"status": "success", "data": odd},
    "list": lambda odd: {"status": "success", "data": [odd]},
    "result": lambda odd: {"status": "success", "data": {"result": [odd]}},
    "words": lambda odd: {"status": "success", "data": {"result": []}, "warnings": odd},
    "traces": lambda odd: {"traces": odd, "batches": odd},
}


@pytest.mark.parametrize("name", ["prometheus", "loki", "jaeger", "tempo"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@settings(max_examples=100)
@given(odd_json, st.integers(0, 4))
def test_no_json_whatsoever_gives_anything_but_an_answer_or_a_reason(name, wrapping, odd, turn):
    kind = KINDS[name]
    source = kind.ingestor.connect("mine", {"url": "http://127.0.0.1:1", **kind.options})
    source._backend = backend = OddBackend("mine", source._chosen)
    backend.speak, backend.said, backend.turn = kind.speak, WRAPPINGS[wrapping](odd), turn
    if name == "prometheus":
        source._api = Api(backend, {})
    with suppress(SourceUnavailable):
        ask(kind, source)


# ---- options


def test_credentials_are_sent_and_never_shown(kind, server, connect):
    source = connect(server.url, bearer=SECRET, headers={"X-Key": SECRET}, tenant="shop")
    ask(kind, source)
    assert {one.headers["authorization"] for one in server.asked} == {f"Bearer {SECRET}"}
    assert {one.headers["x-key"] for one in server.asked} == {SECRET}
    assert {one.headers["x-scope-orgid"] for one in server.asked} == {"shop"}
    server.mood = lambda _: Reply(f"who is Bearer {SECRET}?".encode(), 401)
    assert SECRET not in failure(kind, source)
    assert SECRET not in repr(source) + repr(vars(source))


def test_a_password_that_the_server_repeats_is_not_shown(kind, server, connect):
    source = connect(server.url, basic=f"me:{SECRET}")
    server.mood = lambda _: Reply(json.dumps({"error": f"{SECRET} is wrong"}).encode(), 401)
    assert "*** is wrong" in failure(kind, source)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "sources.mine.url"),
        ({"url": "ftp://there"}, "sources.mine.url"),
        ({"url": f"http://me:{SECRET}@there"}, "sources.mine.url"),
        ({"url": "http://there", "timeout_s": "soon"}, "sources.mine.timeout_s"),
        ({"url": "http://there", "urll": SECRET}, "sources.mine.urll"),
        ({"url": "http://there", "parallel": 0}, "sources.mine.parallel"),
        ({"url": "http://there", "bearer": [SECRET]}, "sources.mine.bearer"),
    ],
)
def test_a_wrong_option_is_named_by_its_key_and_its_value_not_shown(kind, options, key):
    with pytest.raises(InvalidInput) as refused:
        kind.ingestor.connect("mine", options)
    assert repr(key) in str(refused.value)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
