"""What a person approves is carried out by whichever worker is there, once, whoever dies of it."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import filed_shelf
import pytest
from belt import scaled
from forked import context
from queues import until
from web import asking

from aiops.app.approvals.carrying_out import order_approved
from aiops.bootstrap.durable import durable
from aiops.bootstrap.service import Service
from aiops.bootstrap.tools import toolbelt_of
from aiops.bootstrap.working import Working
from aiops.cli import approvals as command
from aiops.model.approval import Approval
from aiops.model.canonical import canonical
from aiops.model.incident import Incident
from aiops.model.tool import Caller, Stop, ToolCall
from aiops.web.app import create

WAIT_S = 60.0
Worker = Callable[..., BaseProcess]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return filed_shelf.new(tmp_path / "shelf.json")


@pytest.fixture
def service(url: str, shelf: Path) -> Iterator[Service]:
    filed_shelf.install()
    with durable(filed_shelf.settings(url, shelf)) as opened:
        now = opened.clock.now()
        with opened.incidents.work() as work:
            work.put_incident(Incident("inc-1", "web is slow", "g", "SEV2", "triggered", now, now))
        yield opened
    filed_shelf.uninstall()


@pytest.fixture
def worker(url: str, shelf: Path) -> Iterator[Worker]:
    """Starts workers as processes of their own."""
    start = context()
    started: list[BaseProcess] = []

    def begin(dies: str = "") -> BaseProcess:
        process = start.Process(target=filed_shelf.work, args=(url, shelf, dies), daemon=True)
        process.start()
        started.append(process)
        return process

    yield begin
    for each in started:
        each.kill()
        each.join(WAIT_S)


def asked(service: Service) -> Approval:
    """An agent asks to scale web to 4."""
    caller = Caller("investigator", "executor", "run-1", "inc-1")
    call = ToolCall("call-1", "shelf.scale", canonical(scaled(4)), caller, "key-1", reason="slow")
    with toolbelt_of(service, only=("shelf",)) as gateway:
        outcome = asyncio.run(gateway.call(call))
    assert outcome.status == "waits", outcome
    return service.approvals.get(str(outcome.approval))


def approved(service: Service) -> Approval:
    """Approved through the API."""
    approval = asked(service)
    with ExitStack() as stack:
        belt = stack.enter_context(toolbelt_of(service))
        api = stack.enter_context(asking(create(service, rehearsal=belt, dev=True)))
        body = {"decision": "approve", "action_hash": approval.action_hash}
        answer = api.post(f"/api/v1/approvals/{approval.id}", json=body)
    assert answer.status_code == 200, answer.text
    return service.approvals.get(approval.id)


def ended(service: Service, approval: Approval) -> Approval:
    until(lambda: service.approvals.get(approval.id).outcome, WAIT_S)
    return service.approvals.get(approval.id)


def rows(service: Service) -> list[str]:
    return [row.outcome for _, row in service.audit.entries() if row.action == "shelf.scale"]


def test_what_is_approved_is_applied_verified_and_told_everywhere(
    service: Service, shelf: Path, worker: Worker
) -> None:
    worker()
    done = ended(service, approved(service))
    assert done.state == "used"
    assert str(done.outcome).startswith("done: ")
    assert filed_shelf.written(shelf) == [["web", 4]]
    until(lambda: rows(service) == ["waits: approval", "done"], WAIT_S)
    texts = [entry.text for entry in service.incidents.timeline("inc-1")]
    assert any(text.startswith("done: ") for text in texts), texts
    assert (done.id, "approval.ended") in {
        (event.about, event.kind) for event in service.events.subscribe(idle_s=0)
    }


@pytest.mark.parametrize(("moment", "changes"), [("before", []), ("after", [["web", 4]])])
def test_a_worker_that_dies_of_it_leaves_an_unknown_that_was_looked_at(
    service: Service, shelf: Path, worker: Worker, moment: str, changes: list[object]
) -> None:
    doomed = worker(moment)
    approval = approved(service)
    doomed.join(WAIT_S)
    assert doomed.exitcode == -signal.SIGKILL
    worker()
    found = ended(service, approval)
    assert str(found.outcome).startswith("unknown: "), found.outcome
    assert ("4 of 4 are ready" in str(found.outcome)) is bool(changes)
    until(lambda: service.queue.backlog().due + service.queue.backlog().running == 0, WAIT_S)
    assert filed_shelf.written(shelf) == changes
    assert rows(service) == ["waits: approval", "unknown: died"]


def test_an_approval_that_nobody_queued_is_queued_by_the_next_round(service: Service) -> None:
    approval = asked(service)
    given = replace(approval, state="approved", decided_by="ann", decided_at=service.clock.now())
    assert service.approvals.swap(approval, given)
    assert order_approved(service.approvals, service.queue, service.clock) == (approval.id,)
    assert order_approved(service.approvals, service.queue, service.clock) == ()


def test_what_is_stopped_meanwhile_is_not_done_later_either(
    service: Service, shelf: Path, worker: Worker
) -> None:
    approval = approved(service)
    service.switch.engage(Stop("ann", "wrong cluster", service.clock.now()))
    worker()
    found = ended(service, approval)
    assert found.state == "expired"
    assert "ann stopped all changes" in str(found.outcome)
    service.switch.release()
    assert filed_shelf.written(shelf) == []


def test_the_background_carries_out_what_the_command_line_approved(
    service: Service, shelf: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    approval = asked(service)
    chosen = service.settings
    monkeypatch.setattr("aiops.settings.load", lambda **_: chosen)
    working = Working(service)
    working.start()
    try:
        command.approve(approval.id, approval.action_hash, wait=True)
    finally:
        working.stop(WAIT_S)
    assert "done: " in capsys.readouterr().out
    assert filed_shelf.written(shelf) == [["web", 4]]
