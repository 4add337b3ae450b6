"""The pages in a real browser: read, act, sign in; without scripts, in the dark, on a phone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from browsers import chromium
from playwright.sync_api import Browser, Page, expect
from web import asking, serving

from aiops.app import tokens
from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import take_in
from aiops.bootstrap.service import Service, in_memory
from aiops.bootstrap.working import reporting
from aiops.model.alert import Alert, Delivery, RefusedDelivery
from aiops.model.entity import Entity
from aiops.model.job import Job
from aiops.settings import Settings
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.web.app import create
from aiops.web.pages import SHOWN
from aiops_datasets.synthetic import plant, specified

HOSTILE = "</title><script>document.title='owned'</script><img src=x onerror=\"alert(1)\">"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def service() -> Service:
    """With one incident that has a report, one with a hostile name, and a refused request."""
    case = plant(specified("synthetic:7:network_delay")).data
    assert case.trigger.at is not None
    assert case.trigger.entity is not None
    clock = ManualClock(case.trigger.at)
    made = replace(in_memory(Settings(), clock), ids=CountedIds())
    made.telemetry.append(case.window)

    def take(service: str, summary: str) -> None:
        alert = Alert(
            "prom",
            summary,
            "firing",
            "TooSlow",
            (("service", service), ("note", HOSTILE)),
            (("description", "since the deploy of noon"),),
            clock.now(),
            severity="SEV1",
            entity=Entity("service", service),
            summary=summary,
            runbook_url="javascript:alert(1)",
        )
        made.inbox.put([Delivery(made.ids.new("del"), "prom", clock.now(), (alert,))])
        rules = Grouping(**made.settings.incidents.model_dump())
        take_in(made.incidents, Neighbours(None, 0), rules, clock, made.ids)

    take(case.trigger.entity.service_name, "p99 above 2 s")
    take("hostile", HOSTILE)
    clock.advance(timedelta(minutes=7).total_seconds())
    reporting(made)(Job("investigate:inc-1:1", "investigate", "inc-1", clock.now()))
    body = made.blobs.put(b"{")
    made.inbox.refuse(RefusedDelivery("ref-1", "prom", clock.now(), "line 1: not JSON", body))
    return made


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    with serving(create(service, dev=True)) as found:
        yield found


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A browser without scripts that fails the test if anything is wrong with what it loads."""
    context = browser.new_context(base_url=address, java_script_enabled=False)
    opened, wrong = context.new_page(), list[str]()
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("requestfailed", lambda request: wrong.append(request.url))
    opened.on(
        "request", lambda request: None if request.url.startswith(address) else wrong.append("away")
    )
    yield opened
    context.close()
    assert [each for each in wrong if not each.startswith("data:")] == []


def test_the_list_leads_to_an_incident_and_on_to_its_report(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="p99 above 2 s").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("p99 above 2 s")
    expect(page.locator("#report")).to_contain_text("most likely root cause")
    page.get_by_role("link", name="Open the report").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Root cause found")
    assert page.locator("figure path.curve").count() >= 3
    page.get_by_role("link", name="incident inc-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("p99 above 2 s")


def test_a_long_timeline_shows_its_newest_entries_and_folds_the_rest(
    page: Page, address: str
) -> None:
    for number in range(SHOWN + 5):
        form = {"text": f"comment {number}"}
        assert httpx.post(f"{address}/incidents/inc-2/comment", data=form).status_code == 303
    page.goto("/incidents/inc-2")
    newest = page.locator("#timeline > div > ol > li")
    assert newest.count() == SHOWN
    expect(newest.first).to_contain_text(f"comment {SHOWN + 4}")
    earlier = page.locator("#timeline details")
    expect(earlier.get_by_text("comment 0", exact=True)).to_be_hidden()
    earlier.get_by_text("earlier").click()
    expect(earlier.get_by_text("comment 0", exact=True)).to_be_visible()


def test_nothing_on_a_narrow_phone_stands_over_the_edge_or_over_its_neighbour(
    browser: Browser, address: str
) -> None:
    narrow = browser.new_context(base_url=address, viewport={"width": 360, "height": 800})
    phone = narrow.new_page()
    for path in ("/", "/incidents/inc-1", "/refused"):
        phone.goto(path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360, path
        over = "[...document.querySelectorAll('.tiles a, td, button')]"
        over += ".filter(each => each.scrollWidth > each.clientWidth + 1).length"
        assert phone.evaluate(over) == 0, path
    narrow.close()


def test_a_name_without_end_is_broken_wherever_it_stands(browser: Browser, address: str) -> None:
    narrow = browser.new_context(base_url=address, viewport={"width": 360, "height": 800})
    phone = narrow.new_page()
    phone.goto("/incidents/inc-1")
    phone.evaluate(
        "document.querySelectorAll('p, li, dd, label, summary, strong')"
        ".forEach(each => each.append('very' + 'long'.repeat(60)))"
    )
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    narrow.close()


def test_what_an_alert_says_besides_its_summary_can_be_read(page: Page) -> None:
    page.goto("/incidents/inc-1")
    page.get_by_text("Labels and annotations").click()
    expect(page.locator("dl.annotations")).to_contain_text("since the deploy of noon")


def test_buttons_act_and_the_timeline_says_so(page: Page) -> None:
    page.goto("/incidents/inc-1")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("header .state")).to_have_text("acknowledged")
    page.get_by_label("Comment").fill("looking <b>now</b>")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#timeline")).to_contain_text("looking <b>now</b>")
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator("header .state")).to_have_text("resolved")
    page.get_by_role("button", name="Open again").click()
    expect(page.locator("header .state")).to_have_text("triggered")


def test_what_cannot_be_done_any_more_is_said_on_the_page(address: str) -> None:
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        client.post("/incidents/inc-2/resolve")
        answer = client.post("/incidents/inc-2/acknowledge")
        client.post("/incidents/inc-2/reopen")
    assert answer.status_code == 409
    assert "reopen it first" in answer.text


def test_filters_narrow_the_list_and_stay_in_the_address(page: Page) -> None:
    page.goto("/")
    assert page.locator("tbody tr").count() == 2
    page.get_by_label("Service").fill("hostile")
    page.get_by_role("button", name="Filter").click()
    assert page.locator("tbody tr").count() == 1
    assert "service=hostile" in page.url
    page.goto("/?status=resolved&text=nothing")
    expect(page.locator(".empty")).to_contain_text("No incident matches")


def test_hostile_names_run_nothing_and_lead_nowhere(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address)
    for path in ("/", "/incidents/inc-2", "/refused"):
        page.goto(path)
        assert page.title() != "owned"
        assert page.locator("img").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
    page.close()


def test_refused_requests_are_listed_with_their_reason(page: Page) -> None:
    page.goto("/refused")
    expect(page.locator("tbody tr")).to_contain_text("line 1: not JSON")


@pytest.mark.parametrize("path", ["/", "/incidents/inc-1", "/refused"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_runs_off_a_phone_and_colours_follow_the_reader(
    browser: Browser, address: str, path: str, scheme: str
) -> None:
    view = {"width": 390, "height": 844}
    page = browser.new_page(base_url=address, viewport=view, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(246, 247, 249)", "dark": "rgb(16, 21, 27)"}[scheme]
    page.close()


def test_the_keyboard_reaches_the_content_first(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address)
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.close()


def test_a_token_signs_in_until_signed_out(browser: Browser, service: Service) -> None:
    made = tokens.issue(
        service.tokens, service.ids, service.clock, bytes(32), "ada", "viewer", by="test"
    )
    with serving(create(service)) as address:
        context = browser.new_context(base_url=address)
        page = context.new_page()
        page.goto("/incidents/inc-1")
        expect(page.get_by_label("Token")).to_be_focused()
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("opens nothing")
        page.get_by_label("Token").fill(made.secret)
        page.get_by_role("button", name="Sign in").click()
        page.goto("/incidents/inc-1")
        expect(page.locator("nav")).to_contain_text("ada · viewer")
        assert page.get_by_role("button", name="Resolve").count() == 0
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        context.close()


def test_a_session_is_no_way_in_for_a_page_of_another_site(service: Service) -> None:
    made = tokens.issue(
        service.tokens, service.ids, service.clock, bytes(31) + b"r", "bob", "responder", by="test"
    )
    with asking(create(service), Cookie=f"aiops_session={made.secret}") as client:
        path = "/incidents/inc-2/comment"
        foreign = client.post(path, data={"text": "x"}, headers={"Origin": "https://evil.test"})
        own = client.post(path, data={"text": "x"})
    assert (foreign.status_code, own.status_code) == (403, 303)
