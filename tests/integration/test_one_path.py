"""A webhook, the API, the command line and the graph alone: one incident, one report."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import typer
from advised import NAME, verdict
from scripted_model import scripted
from typer.testing import CliRunner
from web import asking

from aiops.agents.inline import InlineRuns
from aiops.app.incident_reports import job_for
from aiops.app.rendering.as_json import dumps
from aiops.bootstrap.background import Triaging
from aiops.bootstrap.durable import durable
from aiops.bootstrap.policies import policy_of
from aiops.bootstrap.working import handlers, reporting
from aiops.cli.investigate import register
from aiops.ingest.replay import alert
from aiops.model.incident import IncidentQuery
from aiops.model.run import Collected
from aiops.settings import IncidentSettings, Settings
from aiops.store.clock import ManualClock
from aiops.web.app import create
from aiops_datasets.synthetic import plant, specified


def timeless(document: str) -> Any:
    """A report's JSON without what differs from run to run."""
    return {name: part for name, part in json.loads(document).items() if name != "timings"}


def by_command(*arguments: str) -> str:
    commands = typer.Typer()
    register(commands)
    commands.callback()(lambda: None)
    result = CliRunner().invoke(commands, ["investigate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("spec", ["synthetic:7:network_delay", "synthetic:11:cpu"])
def test_whoever_asks_gets_the_same_report(
    spec: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = the_same_for_all(spec, sqlite_url, monkeypatch)
    assert report["usage"]["llm_calls"] == 0


def test_whoever_asks_gets_the_same_words_of_a_model(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scripted(verdict(1, ("it changed first", ["E1"]))) as model:
        for name, value in {
            "POLICY": "llm",
            "MODEL__BASE_URL": model.url,
            "MODEL__SMALL__NAME": NAME,
            "MODEL__ASK": "always",
        }.items():
            monkeypatch.setenv(f"AIOPS_{name}", value)
        report = the_same_for_all("synthetic:11:cpu", sqlite_url, monkeypatch)
    assert report["agreement"]["model"].endswith("as the statistics. it changed first [E1].")
    assert (report["usage"]["policy"], report["usage"]["llm_calls"]) == ("llm", 1)


def the_same_for_all(spec: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The report that a webhook leads to, as the API has it, the graph and the command make it."""
    case = plant(specified(spec)).data
    assert case.trigger.at is not None
    clock = ManualClock(case.trigger.at + timedelta(minutes=1))
    chosen = Settings(database_url=sqlite_url, incidents=IncidentSettings(settle_s=0))
    with durable(chosen, clock=clock) as service:
        service.telemetry.append(case.window)
        with asking(create(service, dev=True)) as client:
            body = alert(case.trigger, case.id, case.trigger.at)
            assert client.post("/webhooks/generic", content=body).is_success
            Triaging(service)()
            (opened,) = service.incidents.find(IncidentQuery())
            job = job_for(opened)
            clock.advance(600)  # whoever asks later sees the same window
            handlers(service)[job.kind](job)
            remembered = service.memory.newest()
            by_api = client.get(f"/api/v1/incidents/{job.about}/report").text
        found = service.incidents.get(job.about)
        alerts = tuple(state.alert for state in service.incidents.alerts(found.id))
        inquiry = reporting(service).inquiry(found, alerts)
        collected = inquiry.collect(clock.now())
    told = replace(inquiry, gather=lambda _: Collected(collected.case, collected.failed))
    alone = InlineRuns(clock, policy_of(chosen))("run-1", told, found.id)

    monkeypatch.setenv("AIOPS_DATABASE_URL", sqlite_url)
    expected = timeless(dumps(alone))
    assert expected["verdict"] == "root_cause"
    assert timeless(by_api) == expected
    assert [past.incident for past in remembered] == [found.id]
    assert timeless(by_command("--incident", found.id, "--json")) == expected
    return expected
