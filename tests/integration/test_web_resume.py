"""Letting a run go on over the API: who may, and what is said where nothing is to resume."""

from dataclasses import replace
from typing import get_args

import httpx
import pytest
from approvals import NOON, approval
from damaged import cause, report
from web import asking

from aiops.app.tokens import issue
from aiops.bootstrap.service import Service, in_memory
from aiops.model.access import Role
from aiops.model.investigation import Investigation
from aiops.model.report import ProposedAction
from aiops.settings import Settings
from aiops.web.app import create


@pytest.fixture
def service() -> Service:
    made = in_memory(Settings())
    made.approvals.file(approval())
    action = ProposedAction("kubernetes.scale", "waits", "medium", "waits", approval="apr-1")
    whole = replace(report(cause("web")), actions=(action,))
    made.investigations.save(Investigation("inv-1", "inc-1", NOON, whole))
    return made


def asked(service: Service, role: Role, run: str = "inv-1") -> httpx.Response:
    entropy = bytes([get_args(Role).index(role)] * 32)
    made = issue(service.tokens, service.ids, service.clock, entropy, role, role, by="test")
    with asking(create(service), Authorization=f"Bearer {made.secret}") as client:
        return client.post(f"/api/v1/investigations/{run}/resume")


def test_a_viewer_may_not(service: Service) -> None:
    refused = asked(service, "viewer")
    assert refused.status_code == 403
    assert "responder" in refused.text


def test_a_run_that_never_was_is_named(service: Service) -> None:
    missing = asked(service, "responder", "no-such-run")
    assert missing.status_code == 404
    assert "no-such-run" in missing.text


def test_what_it_waits_for_is_said(service: Service) -> None:
    waits = asked(service, "responder")
    assert waits.status_code == 409
    assert "once apr-1 is decided" in waits.text


def test_once_it_is_decided_it_is_queued(service: Service) -> None:
    was = service.approvals.get("apr-1")
    assert service.approvals.swap(was, replace(was, state="rejected"))
    assert asked(service, "responder").json() == {"queued": True}
