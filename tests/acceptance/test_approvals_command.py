"""``aiops approvals``, ``stop`` and ``audit``: an action is looked at and decided in a terminal."""

import getpass
import json
import os
import pwd
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from approvals import action, approval
from typer.testing import CliRunner, Result

from aiops.bootstrap.durable import durable
from aiops.bootstrap.service import Service
from aiops.cli import approvals, ask, audit, investigate, stop
from aiops.errors import InvalidInput, NotAllowed, NotKept
from aiops.model.approval import Approval
from aiops.settings import Settings
from aiops.store.sql.engine import open_engine, writing

HASH = action().hash
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture
def service(sqlite_url: str) -> Iterator[Service]:
    with durable(Settings(database_url=sqlite_url)) as opened:
        yield opened


@pytest.fixture
def asked(service: Service) -> Approval:
    now = service.clock.now()
    return service.approvals.file(
        approval(requested_at=now, expires_at=now + timedelta(hours=1), incident=None)
    )


def run(service: Service, *arguments: str) -> Result:
    app = typer.Typer()
    for each in (approvals, stop, audit):
        each.register(app)
    line = [*arguments, "--url", service.settings.database_url]
    done = CliRunner().invoke(app, line)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_the_picture_shows_what_would_change_and_how_it_is_taken_back(
    service: Service, asked: Approval
) -> None:
    shown = run(service, "approvals", "show", asked.id).stdout
    for words in (
        "-  replicas: 3",
        "+  replicas: 5",
        "prod/shop/Deployment/web",
        "1 object; interrupts no replica",
        "its queue grows [E1]",
        'kubernetes.scale {"replicas":3}',
        HASH,
    ):
        assert words in shown


def test_nothing_in_a_diff_moves_the_terminal_or_forges_a_line(service: Service) -> None:
    hostile = replace(action().preview, diff="--- a\n+++ b\n+x\u2028-hidden\x1b[2J\r+forged\n")
    service.approvals.file(approval(what=replace(action(), preview=hostile), incident=None))
    shown = run(service, "approvals", "show", "apr-1").stdout
    assert "\x1b" not in shown
    (line,) = [line for line in shown.splitlines() if "hidden" in line]
    assert "+x" in line
    assert "forged" in line


def test_what_waits_is_listed_until_it_is_decided(service: Service, asked: Approval) -> None:
    assert asked.id in run(service, "approvals", "list").stdout
    done = run(service, "approvals", "approve", asked.id, "--hash", HASH[:8])
    assert f"{asked.id} is approved" in done.stdout
    assert service.approvals.get(asked.id).decided_by == ME
    assert "nothing waits" in run(service, "approvals", "list").stdout
    assert "approved" in run(service, "approvals", "list", "--all").stdout
    assert (
        json.loads(run(service, "approvals", "list", "--all", "--json").stdout)[0]["id"] == "apr-1"
    )


def test_who_decides_is_who_the_system_says_whatever_the_environment(
    service: Service, asked: Approval, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert getpass.getuser() == "somebody-else"
    run(service, "approvals", "reject", asked.id, "--hash", HASH, "--reason", "not now")
    assert service.approvals.get(asked.id).decided_by == ME


def test_without_a_terminal_an_approval_needs_the_hash(service: Service, asked: Approval) -> None:
    with pytest.raises(InvalidInput, match="--hash"):
        run(service, "approvals", "approve", asked.id)
    with pytest.raises(InvalidInput, match="first 8"):
        run(service, "approvals", "approve", asked.id, "--hash", HASH[:7])
    assert service.approvals.get(asked.id) == asked


def test_the_hash_of_another_action_approves_nothing_and_shows_this_one(
    service: Service, asked: Approval
) -> None:
    done = run(service, "approvals", "approve", asked.id, "--hash", "0" * 8)
    assert done.exit_code == 1
    assert "another action" in done.stderr
    assert HASH in done.stdout
    assert service.approvals.get(asked.id) == asked


def test_who_asked_cannot_approve_at_the_terminal_either(service: Service) -> None:
    now = service.clock.now()
    own = approval(requested_by=ME, expires_at=now + timedelta(hours=1), incident=None)
    service.approvals.file(own)
    with pytest.raises(NotAllowed, match="somebody else"):
        run(service, "approvals", "approve", own.id, "--hash", HASH)


def test_an_escalated_approval_says_so(service: Service, asked: Approval) -> None:
    run(service, "approvals", "escalate", asked.id, "--hash", HASH, "--reason", "not my system")
    assert "ESCALATED" in run(service, "approvals", "show", asked.id).stdout


@pytest.mark.parametrize("arguments", ["{", "[1]", '{"replicas": NaN}'])
def test_arguments_that_are_no_object_are_refused_before_anything(
    service: Service, asked: Approval, arguments: str
) -> None:
    line = ("approvals", "modify", asked.id, "--hash", HASH, "--reason", "less")
    with pytest.raises(InvalidInput):
        run(service, *line, "--arguments", arguments)
    assert service.approvals.get(asked.id) == asked


def test_an_approval_that_is_not_there_is_named(service: Service) -> None:
    with pytest.raises(NotKept, match="apr-9"):
        run(service, "approvals", "show", "apr-9")


def test_stop_is_seen_above_every_list_until_resume(service: Service) -> None:
    assert "all writes are stopped" in run(service, "stop", "wrong cluster").stdout
    assert "ALL WRITES ARE STOPPED" in run(service, "approvals", "list").stdout
    assert service.switch.state() is not None
    assert "wrong cluster" in run(service, "resume").stdout
    assert service.switch.state() is None


def test_the_audit_log_is_listed_and_sealed(service: Service, asked: Approval) -> None:
    run(service, "approvals", "reject", asked.id, "--hash", HASH, "--reason", "not now")
    run(service, "stop", "enough")
    said = run(service, "audit", "list").stdout
    assert "approval.reject  prod/shop/Deployment/web  done" in said
    assert "writes.stop" in said
    row = json.loads(run(service, "audit", "list", "--json", "--limit", "1").stdout)
    assert row["detail"]["reason"] == "not now"
    seal = json.loads(run(service, "audit", "verify", "--json").stdout)["seal"]
    assert run(service, "audit", "verify", "--expect", seal).exit_code == 0
    with pytest.raises(InvalidInput, match="seal"):
        run(service, "audit", "verify", "--expect", "nonsense")


def test_a_row_that_was_tampered_with_is_found_and_named(service: Service, sqlite_url: str) -> None:
    for reason in ("one", "two"):
        run(service, "stop", reason)
    _tamper(sqlite_url, "UPDATE audit SET body = replace(body, 'two', 'six')")
    done = run(service, "audit", "verify")
    assert done.exit_code == 1
    assert "entry 2 of the audit log" in done.stderr


def test_a_log_rewritten_as_a_whole_is_found_by_a_seal_kept_elsewhere(
    service: Service, sqlite_url: str
) -> None:
    run(service, "stop", "the truth")
    seal = json.loads(run(service, "audit", "verify", "--json").stdout)["seal"]
    _tamper(sqlite_url, "DELETE FROM audit", "UPDATE counters SET last = 0 WHERE name = 'audit'")
    run(service, "stop", "another story")
    assert run(service, "audit", "verify").exit_code == 0
    assert run(service, "audit", "verify", "--expect", seal).exit_code == 1


def _tamper(url: str, *statements: str) -> None:
    """What somebody who may write the file can do."""
    engine = open_engine(url)
    with writing(engine) as connection:
        for each in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER audit_no_{each}")
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.mark.parametrize(
    "line",
    ["stop wrong-cluster", "resume", "approvals list", "audit verify", "ask why", "investigate"],
)
def test_where_no_service_has_a_database_nothing_is_said_to_be_stopped_or_well(
    tmp_path: Path, line: str
) -> None:
    app = typer.Typer()
    for each in (approvals, stop, audit, ask, investigate):
        each.register(app)
    words = "investigate --incident inc-1" if line == "investigate" else line
    missing = tmp_path / "other.db"
    where = [] if line == "investigate" else ["--url", f"sqlite:///{missing}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIOPS_DATABASE_URL", f"sqlite:///{missing}")
        done = CliRunner().invoke(app, [*words.split(), *where])
    assert isinstance(done.exception, InvalidInput)
    assert f"there is no database {missing}" in str(done.exception)
    assert not missing.exists()
