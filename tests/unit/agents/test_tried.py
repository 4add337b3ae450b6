"""What was asked for an incident before: it is not asked twice, and what failed stays failed."""

from dataclasses import replace

import pytest
from approvals import action, approval

from aiops.agents.proposing.tried import Tried, settled
from aiops.events.in_process import InProcessEvents
from aiops.model.approval import Approval
from aiops.model.run import Deed, Proposal
from aiops.store.approvals import MemoryApprovals
from aiops.store.clock import SystemClock

SAME = Proposal("kubernetes.scale", action().arguments, "its queue grows")


def kept(*approvals: Approval) -> MemoryApprovals:
    store = MemoryApprovals(InProcessEvents(SystemClock()))
    for one in approvals:
        store.file(one)
    return store


def told(one: Approval, proposal: Proposal = SAME) -> Deed | None:
    return Tried.of(kept(one), "inc-1").told(proposal)


def deed(**changes: object) -> Deed:
    found = told(approval(**changes))  # type: ignore[arg-type]
    assert found is not None
    return found


def test_an_open_question_is_waited_for_whichever_run_asked_it() -> None:
    found = deed(run="run-of-yesterday")
    assert (found.status, found.approval) == ("waits", "apr-1")
    assert "+  replicas: 5" in found.diff


def test_what_a_person_rejected_is_not_asked_again() -> None:
    found = deed(state="rejected", decided_by="ann", decision_reason="not during the sale")
    assert found.status == "denied"
    assert "ann rejected it: not during the sale" in found.summary


def test_what_did_not_help_is_not_tried_again() -> None:
    found = deed(state="used", outcome="rolled_back: errors went on; taken back")
    assert found.status == "rolled_back"
    assert found.summary == "not tried again: errors went on; taken back"
    assert found.reached is None, "only the run that did it says whether it worked"


@pytest.mark.parametrize("state", ["expired", "superseded"])
def test_what_nobody_answered_is_asked_anew(state: str) -> None:
    assert told(approval(state=state)) is None


def test_another_action_is_another_question() -> None:
    assert told(approval(), replace(SAME, arguments=action(9).arguments)) is None


def test_a_run_about_no_incident_knows_of_none_before() -> None:
    assert Tried.of(kept(approval()), None).told(SAME) is None


def test_in_shadow_mode_it_is_noted_once() -> None:
    assert deed(mode="shadow").status == "shadowed"


def test_what_mended_it_is_not_taken_back() -> None:
    undo = action().preview.undo
    assert undo is not None
    back = Proposal(undo.tool, undo.arguments, "it was changed just before")
    done = approval(state="used", outcome="done: scaled")
    assert Tried.of(kept(done), "inc-1").takes_back(back)
    assert not Tried.of(kept(replace(done, outcome="failed: no")), "inc-1").takes_back(back)


def test_an_approval_is_settled_once_nothing_more_comes_of_it() -> None:
    used = approval(state="used")
    assert not settled(kept(approval()), "apr-1")
    assert not settled(kept(approval(state="approved")), "apr-1")
    assert not settled(kept(used), "apr-1"), "it is being carried out"
    assert settled(kept(replace(used, outcome="done: scaled")), "apr-1")
    assert settled(kept(approval(state="rejected")), "apr-1")
    assert settled(kept(), "apr-1"), "it is forgotten"


def test_what_stands_in_its_place_counts() -> None:
    first = approval(state="superseded", superseded_by="apr-2")
    second = approval("apr-2", action(7), run="run-2")
    assert not settled(kept(first, second), "apr-1")
    assert settled(kept(first, replace(second, state="rejected")), "apr-1")
