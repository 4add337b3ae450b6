"""The service killed, starved, cut off and stopped: nothing accepted is lost, and it is said."""

import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import httpx
import monitoring
import telemetry_servers
from service_process import Served, alert, served, wait


class Sender:
    """Posts alerts about one service until told to stop; remembers which were accepted."""

    def __init__(self, address: str) -> None:
        self.accepted: set[str] = set()
        self.answers: list[httpx.Response] = []
        self._address, self._stop = address, Event()
        self._thread = Thread(target=self._post, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _post(self) -> None:
        with httpx.Client(base_url=self._address, trust_env=False, timeout=20) as client:
            for number in count():
                if self._stop.wait(0.05):
                    return
                try:
                    said = client.post("/webhooks/alertmanager", json=alert(f"i{number}"))
                except httpx.TransportError:
                    continue  # nothing was promised
                self.answers.append(said)
                if said.status_code == 202:
                    self.accepted.add(f"i{number}")


def kept(service: Served, incident: str) -> set[str]:
    alerts = service.client.get(f"/api/v1/incidents/{incident}/alerts").json()["alerts"]
    return {dict(each["alert"]["labels"])["instance"] for each in alerts}


def assert_one_incident_with_each_report_once(service: Served) -> None:
    (incident,) = service.incidents()
    entries = service.client.get(f"/api/v1/incidents/{incident['id']}/timeline").json()["entries"]
    kinds = Counter(entry["kind"] for entry in entries)
    told = Counter(e["ref"] for e in entries if e["kind"] == "investigation_finished")
    made = service.client.get("/api/v1/investigations").json()["investigations"]
    assert kinds["opened"] == 1
    assert set(told.values()) == {1}
    assert {each["id"] for each in made} == set(told)


def test_a_service_killed_again_and_again_loses_no_accepted_alert(tmp_path: Path) -> None:
    chance, port = random.Random(7), monitoring.free_port()  # noqa: S311  nothing secret
    with Sender(f"http://127.0.0.1:{port}") as sender:
        for _ in range(3):
            with served(tmp_path, port=port) as service:
                wait(lambda: sender.accepted)
                time.sleep(chance.uniform(0.1, 1.5))
                service.process.send_signal(signal.SIGKILL)
                service.process.wait(60)
    with served(tmp_path, port=port) as service:
        wait(service.reported)
        (incident,) = service.incidents()
        wait(lambda: kept(service, incident["id"]) >= sender.accepted)
        assert_one_incident_with_each_report_once(service)


def test_postgresql_restarted_under_it_loses_nothing_and_is_said(
    own_postgres: Callable[..., Any], tmp_path: Path
) -> None:
    server = own_postgres()
    with served(tmp_path, AIOPS_DATABASE_URL=server.url()) as service:
        with Sender(str(service.client.base_url)) as sender:
            wait(service.incidents)
            server.stop("immediate")
            wait(lambda: service.client.get("/readyz").status_code == 503)
            told = service.client.get("/readyz").json()
            server.start()
            wait(lambda: service.client.get("/readyz").json()["status"] == "ready")
            before = len(sender.accepted)
            wait(lambda: len(sender.accepted) > before)
        assert "come again" in told["problems"][0]
        refused = [each for each in sender.answers if each.status_code != 202]
        assert {each.status_code for each in refused} <= {503}
        assert all(each.headers["Retry-After"] for each in refused)
        wait(service.reported)
        (incident,) = service.incidents()
        wait(lambda: kept(service, incident["id"]) >= sender.accepted)
        assert_one_incident_with_each_report_once(service)


def test_a_full_disk_is_503_with_retry_after_until_there_is_room(tmp_path: Path) -> None:
    with served(tmp_path) as service:
        client, process = service.client, service.process.pid
        assert client.post("/webhooks/alertmanager", json=alert("before")).status_code == 202
        soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (512, hard))  # no file may grow beyond
        refused = client.post("/webhooks/alertmanager", json=alert("during"))
        resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert "disk" in refused.json()["error"]["message"]
        assert "disk" in client.get("/readyz").json()["problems"][0]
        assert client.post("/webhooks/alertmanager", json=alert("after")).status_code == 202
        wait(service.reported)
        wait(lambda: kept(service, service.incidents()[0]["id"]) == {"before", "after"})


def test_sigterm_amid_a_read_that_hangs_and_open_streams_ends_it_within_five_seconds(
    tmp_path: Path,
) -> None:
    with telemetry_servers.serving(telemetry_servers.prometheus) as source:
        asked, go_on = Event(), Event()

        def hang(_: telemetry_servers.Asked) -> None:
            asked.set()
            go_on.wait(60)

        source.mood = hang
        sources = {"slow": {"kind": "prometheus", "url": source.url, "timeout_s": 60}}
        with served(tmp_path, sources=sources) as service:
            client = service.client

            def listen() -> None:
                with (
                    httpx.Client(base_url=client.base_url, trust_env=False, timeout=30) as own,
                    own.stream("GET", "/api/v1/events") as stream,
                ):
                    list(stream.iter_lines())

            streams = [Thread(target=listen, daemon=True) for _ in range(3)]
            for each in streams:
                each.start()
            wait(lambda: "aiops_event_stream_clients 3.0" in client.get("/metrics").text)
            assert client.post("/webhooks/alertmanager", json=alert("a")).status_code == 202
            assert asked.wait(30)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(5) == 0
            for each in streams:
                each.join(60)
                assert not each.is_alive()
        source.mood = lambda _: None
        go_on.set()
        with served(tmp_path, sources=sources) as service:  # what it was at is done now
            wait(service.reported)
            assert_one_incident_with_each_report_once(service)
