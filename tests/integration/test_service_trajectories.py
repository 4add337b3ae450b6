"""Runs of the service are written down where somebody wants that, and run again from the file."""

from datetime import timedelta
from pathlib import Path

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner
from web import asking

from aiops.app.incident_reports import job_for
from aiops.bootstrap.background import Triaging
from aiops.bootstrap.durable import durable
from aiops.bootstrap.working import handlers
from aiops.cli.investigate import register
from aiops.ingest.replay import alert
from aiops.model.incident import IncidentQuery
from aiops.settings import IncidentSettings, Settings
from aiops.store.clock import ManualClock
from aiops.store.trajectory import read_trajectory
from aiops.web.app import create
from aiops_datasets.synthetic import plant, specified


def investigated(url: str, folder: Path) -> str:
    """The id of an incident that the service investigated."""
    case = plant(specified("synthetic:7:network_delay")).data
    assert case.trigger.at is not None
    clock = ManualClock(case.trigger.at + timedelta(minutes=1))
    chosen = Settings(database_url=url, incidents=IncidentSettings(settle_s=0), trajectories=folder)
    with durable(chosen, clock=clock) as service:
        service.telemetry.append(case.window)
        with asking(create(service, dev=True)) as client:
            body = alert(case.trigger, case.id, case.trigger.at)
            assert client.post("/webhooks/generic", content=body).is_success
            Triaging(service)()
            (opened,) = service.incidents.find(IncidentQuery())
            job = job_for(opened)
            handlers(service)[job.kind](job)
        return opened.id


def test_a_run_of_the_service_is_run_again_from_its_file(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = investigated(sqlite_url, tmp_path / "runs")
    (file,) = (tmp_path / "runs").iterdir()
    recorded = read_trajectory(file)
    assert recorded.header.begun.incident == incident
    assert file.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("AIOPS_DATABASE_URL", sqlite_url)
    commands = typer.Typer()
    register(commands)
    commands.callback()(lambda: None)
    asked = ["investigate", "--incident", incident, "--json", "--replay", str(file)]
    result = CliRunner().invoke(commands, asked, catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == recorded.report


def test_a_folder_that_cannot_be_written_costs_no_investigation(
    sqlite_url: str, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file, no folder")
    with capture_logs() as said:
        assert investigated(sqlite_url, taken)
    assert "run not written down" in [entry["event"] for entry in said]
