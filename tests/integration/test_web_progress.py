"""What an investigation does, read over HTTP: whole, in order, and while it is done."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from threading import Event, Thread

import httpx
import pytest
import typer
from advised import NAME, verdict
from scripted_model import ScriptedModel, scripted
from streams import Heard, listening
from typer.testing import CliRunner
from web import asking, serving

from aiops.agents.policies.named import LLM
from aiops.app import tokens
from aiops.app.incident_reports import job_for
from aiops.bootstrap.background import Triaging
from aiops.bootstrap.durable import durable
from aiops.bootstrap.service import Service, in_memory
from aiops.bootstrap.working import handlers
from aiops.cli.investigate import register
from aiops.errors import StoreUnavailable
from aiops.ingest.replay import alert
from aiops.model.incident import Incident, IncidentQuery
from aiops.model.run import Moment, MomentKind
from aiops.settings import IncidentSettings, Settings
from aiops.store.clock import ManualClock
from aiops.web import progress
from aiops.web.app import create
from aiops_datasets.synthetic import plant, specified

CASE = plant(specified("synthetic:11:cpu")).data


def opened(service: Service) -> Incident:
    """An incident of the case, with its telemetry."""
    assert CASE.trigger.at is not None
    service.telemetry.append(CASE.window)
    with asking(create(service, dev=True)) as client:
        body = alert(CASE.trigger, CASE.id, CASE.trigger.at)
        assert client.post("/webhooks/generic", content=body).is_success
    Triaging(service)()
    (incident,) = service.incidents.find(IncidentQuery())
    return incident


def soon() -> ManualClock:
    assert CASE.trigger.at is not None
    return ManualClock(CASE.trigger.at + timedelta(minutes=1))


@pytest.fixture
def service() -> Service:
    return in_memory(Settings(incidents=IncidentSettings(settle_s=0)), soon())


def moment(text: str, kind: MomentKind = "finding", run: str = "inv-1") -> Moment:
    return Moment(run, soon().now(), "plan", kind, text)


def path(incident: Incident, after: str = "") -> str:
    return f"/api/v1/incidents/{incident.id}/progress{after}"


def texts(found: Iterator[Heard], count: int) -> list[tuple[int, str]]:
    return [(each.id, each.data["text"]) for each in islice(found, count)]


def test_a_client_hears_the_latest_run_so_far_and_goes_on_where_it_left_off(
    service: Service,
) -> None:
    incident = opened(service)
    service.progress.add(incident.id, [moment("long ago", run="inv-0")])
    service.progress.add(incident.id, [moment(text) for text in "abc"])
    with asking(create(service, dev=True)) as client:
        with listening(client, path(incident, "/events")) as stream:
            first = next(stream)
            assert texts(stream, 1) == [(3, "b")]
        with listening(client, path(incident, "/events"), after=3) as stream:
            assert texts(stream, 1) == [(4, "c")]
            service.progress.add(incident.id, [moment("d"), moment("e")])
            assert texts(stream, 2) == [(5, "d"), (6, "e")]
    assert (first.id, first.kind) == (2, "finding")
    assert first.data == {
        "run": "inv-1",
        "at": soon().now().isoformat(),
        "node": "plan",
        "text": "a",
    }


def test_the_moments_so_far_are_read_page_by_page(service: Service) -> None:
    incident = opened(service)
    service.progress.add(incident.id, [moment("long ago", run="inv-0")])
    service.progress.add(incident.id, [moment(text) for text in "abc"])
    with asking(create(service, dev=True)) as client:
        first = client.get(path(incident), params={"limit": 2}).json()
        rest = client.get(path(incident), params={"after": first["next"]}).json()
        everything = client.get(path(incident), params={"after": 0}).json()
    assert [each["text"] for each in first["moments"]] == ["a", "b"]
    assert [each["text"] for each in rest["moments"]] == ["c"]
    assert rest["next"] is None
    assert [each["number"] for each in everything["moments"]] == [1, 2, 3, 4]
    assert {each["run"] for each in everything["moments"]} == {"inv-0", "inv-1"}


@pytest.mark.parametrize("face", ["", "/events"])
def test_an_unknown_incident_is_404_and_a_number_that_is_none_is_422(
    service: Service, face: str
) -> None:
    with asking(create(service, dev=True)) as client:
        unknown = client.get(f"/api/v1/incidents/inc-9/progress{face}")
        wrong = client.get(
            f"/api/v1/incidents/inc-9/progress{face}",
            params={} if face else {"after": "x"},
            headers={"Last-Event-ID": "x"},
        )
    assert (unknown.status_code, wrong.status_code) == (404, 422)
    assert unknown.json()["error"]["message"]


@pytest.mark.parametrize("face", ["", "/events"])
def test_viewers_may_read_it_and_strangers_may_not(service: Service, face: str) -> None:
    incident = opened(service)
    service.progress.add(incident.id, [moment("a")])
    made = tokens.issue(
        service.tokens, service.ids, service.clock, bytes(32), "eve", "viewer", by="test"
    )
    with asking(create(service)) as client:
        assert client.get(path(incident, face)).status_code == 401
        headers = {"Authorization": f"Bearer {made.secret}"}
        with client.stream("GET", path(incident, face), headers=headers) as answer:
            assert answer.status_code == 200


def test_while_nothing_happens_a_comment_keeps_the_connection(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_S", 0.05)
    incident = opened(service)
    with (
        asking(create(service, dev=True)) as client,
        listening(client, path(incident, "/events")) as stream,
    ):
        assert [each.kind for each in islice(stream, 2)] == ["", ""]


def test_open_streams_end_with_the_service(service: Service) -> None:
    incident = opened(service)
    app = create(service, dev=True)
    ended = Event()

    def listen(address: str) -> None:
        with (
            httpx.Client(base_url=address, trust_env=False, timeout=60) as client,
            listening(client, path(incident, "/events")) as stream,
        ):
            list(stream)
            ended.set()

    with serving(app) as address:
        thread = Thread(target=listen, args=(address,))
        thread.start()
        while app.state.site.feed.clients < 1:
            assert thread.is_alive()
            time.sleep(0.01)
    thread.join(60)
    assert ended.is_set()


class Broken:
    """A store that can be read and not written."""

    def __init__(self, service: Service) -> None:
        self._kept = service.progress
        self.after, self.newest = self._kept.after, self._kept.newest
        self.before_latest = self._kept.before_latest

    def add(self, about: str, moments: object) -> None:
        del about, moments
        raise StoreUnavailable("the disk is full")


def investigate(service: Service, incident: Incident) -> None:
    job = job_for(incident)
    handlers(service)[job.kind](job)


def test_a_store_that_keeps_none_of_it_fails_no_investigation(service: Service) -> None:
    incident = opened(service)
    blind = replace(service, progress=Broken(service))
    investigate(blind, incident)
    assert service.progress.newest(incident.id) == ()
    assert len(service.investigations.newest(incident.id)) == 1


def with_model(url: str, model: ScriptedModel) -> Settings:
    return Settings(
        database_url=url,
        incidents=IncidentSettings(settle_s=0),
        policy=LLM,
        model={"base_url": model.url, "small": {"name": NAME}, "ask": "always", "timeout_s": 300},
        tools={"telemetry": {"kind": "telemetry"}},
    )


def test_the_words_of_a_model_are_read_before_it_has_said_all(sqlite_url: str) -> None:
    goes_on = Event()
    answer = verdict(1, ("it was busy before all others", ["E1"]))
    with (
        scripted(replace(answer, goes_on=goes_on)) as model,
        durable(with_model(sqlite_url, model), clock=soon()) as service,
    ):
        incident = opened(service)
        work = Thread(target=investigate, args=(service, incident))
        with asking(create(service, dev=True)) as client:
            with listening(client, path(incident, "/events")) as stream:
                work.start()
                heard = list(_until(stream, "words"))
                assert service.investigations.newest(incident.id) == ()
                goes_on.set()
                heard += _until(stream, "ended")
            work.join(60)
            whole = client.get(path(incident)).json()["moments"]
        (made,) = service.investigations.newest(incident.id)
    kinds = [each.kind for each in heard]
    assert kinds[0] == "begun"
    assert kinds.index("finding") < kinds.index("words") < kinds.index("answer")
    said = "".join(each.data["text"] for each in heard if each.kind == "words")
    assert answer.completion is not None
    assert said == answer.completion["choices"][0]["message"]["content"]
    assert [each.id for each in heard] == [each["number"] for each in whole]
    assert {each["run"] for each in whole} == {made.id}


def test_an_investigation_from_the_terminal_is_watched_there_and_from_the_service(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = typer.Typer()
    register(commands)
    commands.callback()(lambda: None)
    with scripted(verdict(1, ("it was busy before all others", ["E1"]))) as model:
        chosen = with_model(sqlite_url, model)
        with durable(chosen, clock=soon()) as service:
            incident = opened(service)
        monkeypatch.setenv("AIOPS_DATABASE_URL", sqlite_url)
        monkeypatch.setenv("AIOPS_MODEL__BASE_URL", model.url)
        monkeypatch.setenv("AIOPS_MODEL__SMALL__NAME", NAME)
        monkeypatch.setenv("AIOPS_MODEL__ASK", "always")
        asked = ["investigate", "--incident", incident.id, "--policy", "llm", "--steps"]
        shown = CliRunner().invoke(commands, asked, catch_exceptions=False)
    words = "suspect: 1, because: claim: it was busy before all others, evidence: E1"
    assert f"plan: words: {words}\n" in shown.stderr
    with durable(chosen, clock=soon()) as service, asking(create(service, dev=True)) as client:
        assert words in client.get(f"/incidents/{incident.id}").text


def _until(stream: Iterator[Heard], kind: str) -> Iterator[Heard]:
    for heard in stream:
        if heard.kind:
            yield heard
        if heard.kind == kind:
            return
