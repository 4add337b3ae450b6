"""The pages of approvals: the whole diff is shown, and a button decides about exactly that."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from approvals import NOON, Rehearsed, action, approval
from playwright.sync_api import sync_playwright
from web import asking, serving

from aiops.app.tokens import issue
from aiops.bootstrap.service import Service, in_memory
from aiops.model.access import Role
from aiops.model.incident import Incident
from aiops.settings import Settings
from aiops.store.clock import ManualClock
from aiops.web.app import create

HOSTILE = "</span><script>document.title='owned'</script>"


@pytest.fixture
def service() -> Service:
    made = in_memory(Settings(), ManualClock(NOON))
    with made.incidents.work() as work:
        work.put_incident(Incident("inc-1", "web is slow", "g", "SEV2", "triggered", NOON, NOON))
    made.approvals.file(approval())
    return made


@pytest.fixture
def pages(service: Service) -> Iterator[httpx.Client]:
    """As the developer, an admin, with objects that are as they were."""
    same = Rehearsed(lambda arguments: replace(action(), arguments=arguments))
    with asking(create(service, dev=True, rehearsal=same)) as client:
        yield client


def decided(pages: httpx.Client, button: str, **form: str) -> httpx.Response:
    return pages.post(f"/approvals/apr-1/{button}", data={"action_hash": action().hash, **form})


def test_the_list_leads_to_the_whole_diff_and_the_incident_leads_there_too(
    pages: httpx.Client,
) -> None:
    assert 'href="/approvals/apr-1"' in pages.get("/approvals").text
    assert 'href="/approvals/apr-1"' in pages.get("/incidents/inc-1").text
    page = pages.get("/approvals/apr-1").text
    assert '<span class="del">-  replicas: 3</span>' in page
    assert '<span class="add">+  replicas: 5</span>' in page
    assert action().hash in page


def test_an_incident_shows_its_actions_with_their_diffs_and_what_became_of_them(
    service: Service, pages: httpx.Client
) -> None:
    page = pages.get("/incidents/inc-1").text
    assert "its queue grows [E1]" in page
    assert "+  replicas: 5" in page
    used = replace(approval(), state="used", outcome="rolled_back: errors went on")
    assert service.approvals.swap(service.approvals.get("apr-1"), used)
    assert "rolled_back: errors went on" in pages.get("/incidents/inc-1").text


def test_a_button_approves_what_was_shown(service: Service, pages: httpx.Client) -> None:
    assert decided(pages, "approve").headers["location"] == "/approvals/apr-1"
    assert service.approvals.get("apr-1").state == "approved"
    assert "Approve exactly this" not in pages.get("/approvals/apr-1").text


def test_a_refusal_without_a_reason_is_said_on_the_page(
    service: Service, pages: httpx.Client
) -> None:
    refused = decided(pages, "reject", reason=" ")
    assert (refused.status_code, "a reason to reject" in refused.text) == (422, True)
    assert decided(pages, "reject", reason="no").status_code == 303
    assert service.approvals.get("apr-1").decision_reason == "no"


def test_an_old_page_approves_nothing_and_shows_the_new_diff(service: Service) -> None:
    drifted = Rehearsed(lambda _: action(was=4))
    with asking(create(service, dev=True, rehearsal=drifted)) as pages:
        stale = decided(pages, "approve")
    assert stale.status_code == 409
    assert "something else by now" in stale.text
    assert "-  replicas: 4" in stale.text
    assert service.approvals.get("apr-1").state == "superseded"


def test_arguments_that_cannot_be_read_are_said_on_the_page(pages: httpx.Client) -> None:
    refused = decided(pages, "modify", arguments="{", reason="less")
    assert (refused.status_code, "no JSON" in refused.text) == (422, True)


@pytest.mark.parametrize(("role", "shown"), [("viewer", False), ("responder", True)])
def test_buttons_are_for_those_who_may_press_them(
    service: Service, role: Role, shown: bool
) -> None:
    made = issue(service.tokens, service.ids, service.clock, bytes(32), role, role, by="test")
    with asking(create(service), Cookie=f"aiops_session={made.secret}") as pages:
        assert ("Approve exactly this" in pages.get("/approvals/apr-1").text) is shown
        assert ("Stop all writes" in pages.get("/approvals").text) is shown
        assert (decided(pages, "approve").status_code == 303) is shown


@pytest.mark.parametrize("path", ["/approvals/apr-1/approve", "/switch/stop"])
def test_a_page_of_another_site_decides_nothing(
    service: Service, pages: httpx.Client, path: str
) -> None:
    form = {"action_hash": action().hash, "reason": "because"}
    foreign = pages.post(path, data=form, headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403
    assert service.approvals.get("apr-1").state == "pending"
    assert service.switch.state() is None


def test_writes_are_stopped_and_let_pass_again_by_buttons(
    service: Service, pages: httpx.Client
) -> None:
    pages.post("/switch/stop", data={"reason": "wrong cluster"})
    assert "wrong cluster" in pages.get("/approvals").text
    assert "nothing is carried out" in pages.get("/approvals/apr-1").text
    pages.post("/switch/resume")
    assert service.switch.state() is None
    assert pages.post("/switch/resume").status_code == 409


@pytest.mark.parametrize("path", ["/approvals/apr-9", "/approvals?state=odd", "/switch/odd"])
def test_what_is_not_there_is_no_defect(pages: httpx.Client, path: str) -> None:
    answer = pages.post(path) if "switch" in path else pages.get(path)
    assert answer.status_code in (404, 422)


def test_on_a_narrow_phone_nothing_runs_off_and_nothing_hostile_runs(service: Service) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on this machine")
    preview = replace(
        action().preview, diff=f"--- a\n+++ b\n+{'x' * 300}\n+{HOSTILE}\n", summary=HOSTILE
    )
    service.approvals.file(approval("apr-2", replace(action(), preview=preview)))
    with serving(create(service, dev=True)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        phone = browser.new_page(base_url=address, viewport={"width": 360, "height": 800})
        for path in ("/approvals", "/approvals/apr-1", "/approvals/apr-2"):
            phone.goto(path)
            assert phone.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert phone.title() != "owned"
        browser.close()
