"""``aiops doctor``: what is configured is tried for real, and each failure says what to do."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import telemetry_servers as servers
import typer
from scripted_model import fails, gives, scripted
from telemetry_servers import Reply, serving
from typer.testing import CliRunner, Result

from aiops.cli import doctor
from aiops.errors import BadPayload, InvalidInput, NotKept
from aiops.model.job import Job
from aiops.store.clock import ManualClock
from aiops.store.sql.engine import open_engine
from aiops.store.sql.jobs import SqlJobs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIOPS_DATABASE_URL", sqlite_url)
    return tmp_path


def run(*arguments: object) -> Result:
    app = typer.Typer()
    doctor.register(app)
    app.callback()(lambda: None)
    done = CliRunner().invoke(app, ["doctor", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def configure(folder: Path, text: str) -> None:
    (folder / "aiops.toml").write_text(text)


def findings(done: Result) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(done.stdout)["findings"]}


def test_all_that_is_configured_is_read_and_told_in_numbers(folder):
    (folder / "slos.yaml").write_text(
        "slos:\n- {name: a, service: b, objective: 99, window: 30d,"
        " sli: {kind: latency, metric: x, at_most: 0.3}}\n"
    )
    with serving(servers.prometheus) as prometheus, serving(servers.loki) as loki:
        configure(
            folder,
            f"slos = 'slos.yaml'\n"
            f"[sources.main]\nkind = 'prometheus'\nurl = '{prometheus.url}'\n"
            f"[sources.lines]\nkind = 'loki'\nurl = '{loki.url}'\n"
            f"[webhooks.am]\nkind = 'alertmanager'\nsecret = 'open-sesame'\n",
        )
        told, machine = run(), run("--json")
    assert (told.exit_code, machine.exit_code) == (0, 0)
    assert "6 of 6 are fine" in told.stdout
    assert "open-sesame" not in told.stdout + machine.stdout
    seen = {name: one["seen"] for name, one in findings(machine).items()}
    assert "1 of 1 targets up" in seen["sources.main"]
    assert "2 services" in seen["sources.lines"]
    assert "writable, 0 incidents" in seen["database"]
    assert seen["webhooks.am"] == "alerts, proven by bearer"
    assert seen["slos"] == "1 objective of 1 service"
    assert seen["jobs"] == "0 due, 0 running, 0 given up"


def test_one_failure_is_one_line_and_the_others_are_still_tried(folder):
    with serving(servers.prometheus) as good, serving(servers.loki) as bad:
        bad.mood = lambda _: Reply(b"no", 401)
        configure(
            folder,
            f"[sources.main]\nkind = 'prometheus'\nurl = '{good.url}'\n"
            f"[sources.lines]\nkind = 'loki'\nurl = '{bad.url}'\n"
            "[webhooks.am]\nkind = 'alertmanager'\n"
            "[webhooks.odd]\nkind = 'carrier-pigeon'\nauth = 'none'\n",
        )
        done = run()
    assert done.exit_code == 1
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 3
    assert "answered 401: no; check 'bearer'" in failed[0]
    assert "webhooks.am.secret" in failed[1]
    assert "carrier-pigeon" in failed[2]
    assert "ok      sources.main" in done.stdout


@pytest.mark.parametrize(("days", "fails"), [(0.5, True), (2, False)], ids=["lately", "long ago"])
def test_investigations_given_up_are_counted_with_the_oldest_and_what_to_do(
    sqlite_url: str, days: float, fails: bool
) -> None:
    now = datetime.now(UTC)
    engine = open_engine(sqlite_url)
    for number, age in enumerate((days + 3, days)):
        clock = ManualClock(now - timedelta(days=age))
        jobs = SqlJobs(engine, clock)
        jobs.put(Job(f"investigate:inc-{number}:1", "investigate", f"inc-{number}", clock.now()))
        jobs.take(["investigate"], "worker", 1)
        jobs.give_up(f"investigate:inc-{number}:1", "worker", "the model ran out of memory")
    engine.dispose()
    done = run("--json")
    assert done.exit_code == int(fails)
    found = findings(done)["jobs"]
    assert found["ok"] is not fails
    assert "2 given up, the first " in found["seen"]
    assert "investigate inc-1: the model ran out of memory" in found["seen"]
    assert ("press 'Investigate now'" in found["seen"]) is fails


def test_jobs_are_looked_at_on_either_engine(monkeypatch, database_url: str) -> None:
    monkeypatch.setenv("AIOPS_DATABASE_URL", database_url)
    assert findings(run("--json"))["jobs"]["seen"] == "0 due, 0 running, 0 given up"


def test_a_variable_that_sets_nothing_is_refused_by_its_name(monkeypatch) -> None:
    monkeypatch.setenv("AIOPS_DATABSE_URL", "sqlite:///other.db")
    with pytest.raises(InvalidInput, match=r"AIOPS_DATABSE_URL.* did you mean AIOPS_DATABASE_URL"):
        run()


def test_a_database_that_is_not_there_yet_is_not_made(folder, monkeypatch):
    monkeypatch.setenv("AIOPS_DATABASE_URL", "sqlite:///other.db")
    done = run()
    assert done.exit_code == 1
    assert "other.db is not there yet; run 'aiops db upgrade'" in done.stdout
    assert not (folder / "other.db").exists()


def test_a_database_of_an_older_version_says_how_to_upgrade(monkeypatch, empty_database_url):
    monkeypatch.setenv("AIOPS_DATABASE_URL", empty_database_url)
    (database,) = findings(run("--json")).values()
    assert not database["ok"]
    assert "run 'aiops db upgrade'" in database["seen"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[sources.main]\nurl = 'http://x'\n", "sources.main.kind"),
        ("[sources.main]\nkind = 'promotheus'\nurl = 'http://x'\n", "sources.main.kind"),
        ("[sources.main]\nkind = 'prometheus'\n", "sources.main.url"),
        ("[sources.main]\nkind = 'loki'\nurl = 'http://x'\npages = 3\n", "sources.main.pages"),
        ("[retention]\nevents_days = -1\n", "retention.events_days"),
    ],
)
def test_invalid_configuration_is_one_line_that_names_the_key(folder, text, key):
    configure(folder, text)
    with pytest.raises(InvalidInput) as refused:
        run()
    assert f"'{key}'" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_webhook_shows_what_a_payload_would_become(folder):
    (folder / "map.yaml").write_text(
        "fields: {name: what.title, severity: what.level, summary: what.text}\n"
    )
    (folder / "body.json").write_text('{"what": {"title": "Disk full", "level": "critical"}}')
    configure(
        folder,
        "[webhooks.own]\nkind = 'generic'\nsecret = 'x'\nmapping = 'map.yaml'\n",
    )
    done = run("--webhook", "own", "--payload", "body.json")
    assert done.exit_code == 0
    assert "alert 'Disk full' firing" in done.stdout
    assert "SEV1" in done.stdout
    assert "note: fields.summary found nothing at /what/text" in done.stdout
    read = json.loads(run("--webhook", "own", "--payload", "body.json", "--json").stdout)
    assert read["alerts"][0]["name"] == "Disk full"


def test_a_payload_that_cannot_be_read_says_where(folder):
    configure(folder, "[webhooks.am]\nkind = 'alertmanager'\nsecret = 'x'\n")
    (folder / "body.json").write_text('{"alerts": 7}')
    with pytest.raises(BadPayload, match="/alerts"):
        run("--webhook", "am", "--payload", "body.json")
    with pytest.raises(NotKept, match="no webhook 'pm'"):
        run("--webhook", "pm", "--payload", "body.json")
    with pytest.raises(InvalidInput, match=r"none\.json"):
        run("--webhook", "am", "--payload", "none.json")
    with pytest.raises(InvalidInput, match="give both"):
        run("--webhook", "am")


def test_each_language_model_is_asked_for_real(folder):
    def script(asked):
        return gives({"ready": True}) if asked.body["model"] == "small" else fails(404)

    with scripted(script) as model:
        configure(
            folder,
            f"[model]\nbase_url = '{model.url}'\nattempts = 1\n"
            f"[model.small]\nname = 'small'\n[model.large]\nname = 'large'\n",
        )
        done = run("--json")
    assert done.exit_code == 1
    seen = findings(done)
    assert seen["model.small"]["seen"] == "answers by a schema; 110 tokens for a trial"
    assert not seen["model.large"]["ok"]
    assert "check 'model.base_url'" in seen["model.large"]["seen"]
