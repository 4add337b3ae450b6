"""The event stream: in order, from where a client left off, and never in the way of the end."""

import time
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread

import httpx
import pytest
from web import asking, serving

from aiops.bootstrap.service import Service, in_memory
from aiops.events.in_process import InProcessEvents
from aiops.settings import Settings
from aiops.web import events
from aiops.web.app import create


@pytest.fixture
def service() -> Service:
    return in_memory(Settings())


def read(client: httpx.Client, count: int, **headers: str) -> list[dict[str, str]]:
    """The first events of a stream, each as its fields; a comment is the field ""."""
    found: list[dict[str, str]] = []
    with client.stream("GET", "/api/v1/events", headers=headers) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in stream.iter_lines():
            name, _, value = line.partition(":")
            if line:
                fields[name] = value.strip()
                continue
            if "retry" not in fields:
                found.append(fields)
            fields = {}
            if len(found) == count:
                return found
    return found


def test_a_client_goes_on_after_the_last_event_it_saw(service: Service) -> None:
    for number in range(1, 6):
        service.events.publish("incident.opened", f"inc-{number}")
    with asking(create(service, dev=True)) as client:
        seen = read(client, 3, **{"Last-Event-ID": "2"})
    assert [each["id"] for each in seen] == ["3", "4", "5"]
    assert seen[0]["event"] == "incident.opened"
    assert '"about": "inc-3"' in seen[0]["data"]


def test_a_new_client_hears_what_comes_from_now_on(service: Service) -> None:
    service.events.publish("incident.opened", "inc-old")

    def later() -> Iterator[None]:
        while service_feed.clients == 0:
            time.sleep(0.01)
        service.events.publish("incident.resolved", "inc-new")
        yield

    app = create(service, dev=True)
    service_feed = app.state.site.feed
    with asking(app) as client:
        thread = Thread(target=lambda: list(later()))
        thread.start()
        (seen,) = read(client, 1)
        thread.join()
    assert '"about": "inc-new"' in seen["data"]


def test_a_client_that_lost_events_is_told_to_read_anew(service: Service) -> None:
    forgetful = replace(service, events=InProcessEvents(service.clock, keep=3))
    for number in range(1, 11):
        forgetful.events.publish("incident.opened", f"inc-{number}")
    with asking(create(forgetful, dev=True)) as client:
        seen = read(client, 4, **{"Last-Event-ID": "2"})
    assert [each["event"] for each in seen] == ["reset"] + ["incident.opened"] * 3
    assert [each["id"] for each in seen] == ["7", "8", "9", "10"]


def test_while_nothing_happens_a_comment_keeps_the_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)
    with asking(create(service, dev=True)) as client:
        assert read(client, 2) == [{"": "nothing happened"}] * 2


def test_a_number_that_is_none_is_422(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        answer = client.get("/api/v1/events", headers={"Last-Event-ID": "x"})
    assert answer.status_code == 422


def test_open_streams_end_with_the_service(service: Service) -> None:
    app = create(service, dev=True)
    ended: list[bool] = []

    def listen(address: str) -> None:
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
            read(client, 100)
            ended.append(True)

    with serving(app) as address:
        threads = [Thread(target=listen, args=(address,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while app.state.site.feed.clients < 3:
            time.sleep(0.01)
    for thread in threads:
        thread.join(60)
    assert ended == [True] * 3
