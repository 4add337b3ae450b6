"""Pages that are looked at follow what happens, and leave alone whoever types."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from browsers import chromium
from playwright.sync_api import Browser, Page, expect
from web import serving

from aiops.app.incidents import lifecycle
from aiops.app.incidents.acts import Person
from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import take_in
from aiops.bootstrap.service import Service, in_memory
from aiops.model import Call, ServiceGraph
from aiops.model.alert import Alert, Delivery
from aiops.model.entity import Entity
from aiops.model.run import Moment, MomentKind
from aiops.settings import IncidentSettings, Settings
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.web.app import create

PATIENCE_MS = 60_000.0
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class Team:
    """A service that is told of alerts, and a person at work beside the one who looks."""

    def __init__(self) -> None:
        self.rules = Grouping(**IncidentSettings(join_hops=1).model_dump())
        settings = Settings(incidents=IncidentSettings(join_hops=1))
        self.service: Service = replace(in_memory(settings, ManualClock(NOON)), ids=CountedIds())
        self.person = Person(self.service.incidents, self.service.clock, "ana")
        nodes = [Entity("service", name) for name in ("cart", "front", "store")]
        cart, front, store = nodes
        self.graph = ServiceGraph(tuple(nodes), (Call(front, cart), Call(cart, store)))

    def fires(self, service: str) -> None:
        service_, now = self.service, self.service.clock.now()
        entity = Entity("service", service)
        labels = (("service", service),)
        alert = Alert(
            "prom",
            service,
            "firing",
            "TooSlow",
            labels,
            (),
            now,
            entity=entity,
            summary=f"{service} is slow",
        )
        service_.inbox.put([Delivery(service_.ids.new("del"), "prom", now, (alert,))])
        near = Neighbours(self.graph, self.rules.join_hops)
        take_in(service_.incidents, near, self.rules, service_.clock, service_.ids)


@pytest.fixture
def team() -> Team:
    made = Team()
    made.fires("front")
    return made


@pytest.fixture
def page(browser: Browser, team: Team) -> Iterator[Page]:
    """Fails the test if the page logs anything."""
    with serving(create(team.service, dev=True)) as address:
        context = browser.new_context(base_url=address, reduced_motion="reduce")
        opened, wrong = context.new_page(), list[str]()
        opened.set_default_timeout(PATIENCE_MS)
        opened.on("console", lambda message: wrong.append(message.text))
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        yield opened
        context.close()
    assert wrong == []


def mark(page: Page) -> None:
    """A page that is loaded anew forgets the mark."""
    page.evaluate("window.marked = true")


def assert_never_reloaded(page: Page) -> None:
    assert page.evaluate("window.marked") is True


def test_a_new_incident_appears_in_the_list_by_itself(page: Page, team: Team) -> None:
    page.goto("/")
    mark(page)
    team.fires("store")
    expect(page.get_by_role("link", name="store is slow")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".tiles")).to_contain_text("2 triggered", timeout=PATIENCE_MS)
    assert_never_reloaded(page)


def test_an_incident_follows_what_others_do_to_it(page: Page, team: Team) -> None:
    page.goto("/incidents/inc-1")
    mark(page)
    lifecycle.acknowledge(team.person, "inc-1")
    expect(page.get_by_text("Acknowledged by ana")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("header .state")).to_have_text("acknowledged", timeout=PATIENCE_MS)
    assert_never_reloaded(page)


def test_an_incident_follows_its_investigation_which_folds_away_after_it(
    page: Page, team: Team
) -> None:
    def happens(kind: MomentKind, text: str) -> None:
        now = team.service.clock.now()
        team.service.progress.add("inc-1", [Moment("inv-1-0001", now, "plan", kind, text)])

    page.goto("/incidents/inc-1")
    mark(page)
    happens("begun", "front, the last half hour")
    happens("words", '{"suspect": 1, "because": [{"claim": "it was')
    words = page.get_by_text("suspect: 1, because: claim: it was", exact=True)
    expect(words).to_be_visible(timeout=PATIENCE_MS)
    happens("words", ' busy first"}]}')
    expect(page.get_by_text("claim: it was busy first")).to_be_visible(timeout=PATIENCE_MS)
    happens("ended", "front was busy")
    folded = page.get_by_text("What the investigation did, step by step (3)")
    expect(folded).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("claim: it was busy first")).to_be_hidden()
    folded.click()
    expect(page.get_by_text("claim: it was busy first")).to_be_visible()
    assert_never_reloaded(page)


def test_a_run_that_told_nothing_for_long_is_not_called_under_way(page: Page, team: Team) -> None:
    long_ago = team.service.clock.now() - timedelta(minutes=20)
    team.service.progress.add("inc-1", [Moment("inv-1-0001", long_ago, "plan", "plan", "looks")])
    page.goto("/incidents/inc-1")
    expect(page.get_by_text("it broke off, its latest step was 20 min ago")).to_be_visible()
    expect(page.get_by_role("heading", name="Under way")).to_have_count(0)


def test_a_phone_shows_an_investigation_that_is_under_way(page: Page, team: Team) -> None:
    now, call = team.service.clock.now(), "kubernetes.events " + "x" * 300
    team.service.progress.add("inc-1", [Moment("inv-1-0001", now, "specialist", "call", call)])
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto("/incidents/inc-1")
    expect(page.get_by_role("heading", name="Under way")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_whoever_types_keeps_their_words_and_the_rest_follows(page: Page, team: Team) -> None:
    page.goto("/incidents/inc-1")
    mark(page)
    page.get_by_label("Comment").fill("I think it is")
    lifecycle.comment(team.person, "inc-1", "restarted it")
    expect(page.get_by_text("restarted it")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_label("Comment")).to_have_value("I think it is")
    expect(page.get_by_label("Comment")).to_be_focused()
    assert_never_reloaded(page)


def test_what_was_unfolded_stays_so(page: Page, team: Team) -> None:
    page.goto("/incidents/inc-1")
    page.get_by_text("Labels", exact=True).click()
    team.fires("front")  # heard once more: the part with the labels changes
    lifecycle.comment(team.person, "inc-1", "look")
    expect(page.get_by_text("heard 2 times")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("service=front")).to_be_visible()


def test_incidents_that_an_alert_connects_are_merged_by_a_button(page: Page, team: Team) -> None:
    team.fires("store")
    team.fires("cart")
    page.goto("/incidents/inc-1")
    expect(page.get_by_text("Perhaps one fault with")).to_be_visible()
    page.get_by_role("button", name="Merge it into this one").click()
    expect(page.get_by_text("Perhaps one fault with")).to_have_count(0)
    assert team.service.incidents.get("inc-2").merged_into == "inc-1"


def test_objectives_are_on_a_page_that_a_phone_can_show(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto("/objectives")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
