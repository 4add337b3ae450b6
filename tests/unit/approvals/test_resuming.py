"""Runs that wait are queued to go on once all they asked for is settled, and once only."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from approvals import approval
from damaged import cause, report

from aiops.app.approvals.resuming import KIND, Resumptions
from aiops.app.incident_reports import ACTED
from aiops.bootstrap.service import Service, in_memory
from aiops.errors import NotKept, WrongState
from aiops.model.approval import Approval
from aiops.model.investigation import Investigation
from aiops.model.report import ProposedAction
from aiops.settings import Settings

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def waiting(run: str, *approvals: str) -> Investigation:
    actions = tuple(
        ProposedAction("kubernetes.scale", "waits", "medium", "waits", approval=each)
        for each in approvals
    )
    return Investigation(run, "inc-1", AT, replace(report(cause("web")), actions=actions))


def service(*approvals: Approval, investigations: tuple[Investigation, ...] = ()) -> Service:
    made = in_memory(Settings())
    for one in approvals:
        made.approvals.file(one)
    for each in investigations:
        made.investigations.save(each)
    return made


def resumptions(made: Service) -> Resumptions:
    return Resumptions(made.approvals, made.investigations, made.queue, made.clock)


def settle(made: Service, approval_id: str, **to: object) -> None:
    was = made.approvals.get(approval_id)
    assert made.approvals.swap(was, replace(was, **to))  # type: ignore[arg-type]


def test_a_run_is_queued_once_its_question_is_answered() -> None:
    made = service(approval(), investigations=(waiting("inv-1", "apr-1"),))
    looks = resumptions(made)
    assert looks.sweep() == ()
    settle(made, "apr-1", state="rejected", decided_by="ann")
    assert looks.sweep() == ("inv-1",)
    assert looks.sweep() == ()


def test_another_process_queues_what_the_first_did_not_get_to_and_nothing_twice() -> None:
    made = service(approval(state="rejected"), investigations=(waiting("inv-1", "apr-1"),))
    assert resumptions(made).sweep() == ("inv-1",)
    assert resumptions(made).sweep() == ()


def test_all_its_questions_are_waited_for_and_what_is_carried_out_too() -> None:
    made = service(
        approval(state="rejected"),
        approval("apr-2", run="run-2"),
        investigations=(waiting("inv-1", "apr-1", "apr-2"),),
    )
    looks = resumptions(made)
    assert looks.sweep() == ()
    settle(made, "apr-2", state="used")
    assert looks.sweep() == ()
    settle(made, "apr-2", outcome="done: scaled")
    assert looks.sweep() == ("inv-1",)


def test_two_runs_that_wait_for_one_answer_both_go_on() -> None:
    both = (waiting("inv-1", "apr-1"), waiting("inv-2", "apr-1"))
    made = service(approval(state="rejected"), investigations=both)
    assert set(resumptions(made).sweep()) == {"inv-1", "inv-2"}


def test_an_answer_before_the_report_is_kept_is_seen_when_it_is() -> None:
    made = service(approval(state="rejected"))
    looks = resumptions(made)
    assert looks.sweep() == ()
    made.investigations.save(waiting("inv-1", "apr-1"))
    assert looks.of("inc-1") == ("inv-1",)


def test_who_asks_for_it_learns_what_a_run_waits_for() -> None:
    waits, over = waiting("inv-1", "apr-1"), waiting("inv-2")
    made = service(approval(), investigations=(waits, over))
    looks = resumptions(made)
    with pytest.raises(WrongState, match="apr-1 is decided"):
        looks.resume("inv-1")
    with pytest.raises(WrongState, match="waits for nothing"):
        looks.resume("inv-2")
    with pytest.raises(NotKept, match="no-such-run"):
        looks.resume("no-such-run")
    settle(made, "apr-1", state="rejected")
    assert looks.resume("inv-1")
    assert not looks.resume("inv-1"), "it is queued already"


def test_a_report_on_what_was_done_waits_for_nothing() -> None:
    made = service(approval(state="rejected"), investigations=(waiting(f"inv-1{ACTED}", "apr-1"),))
    assert resumptions(made).sweep() == ()
    assert KIND == "resume"
