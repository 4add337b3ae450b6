"""The pages of conversations: asked in a form, answered under it, nothing of it run as script."""

from collections.abc import Iterator

import httpx
import pytest
from asked import Talk, asked_service
from browsers import chromium
from playwright.sync_api import expect
from web import asking, serving

from aiops.bootstrap.service import Service
from aiops.model.thread import LONGEST_TEXT, Question
from aiops.settings import Settings, WebSettings
from aiops.web.app import create

HOSTILE = "<script>document.title='owned'</script>"
PATIENCE_S = 60.0


@pytest.fixture
def service() -> Service:
    return asked_service(Settings(web=WebSettings(requests_per_minute=100_000)))


@pytest.fixture
def pages(service: Service) -> Iterator[httpx.Client]:
    with asking(create(service, dev=True)) as client:
        client.timeout = httpx.Timeout(PATIENCE_S)
        yield client


def test_the_incident_leads_to_a_conversation_about_it(pages: httpx.Client) -> None:
    assert 'action="/threads"' in pages.get("/incidents/inc-1").text
    answer = pages.post("/threads", data={"incident": "inc-1", "text": "why?"})
    assert answer.status_code == 303
    page = pages.get(answer.headers["location"]).text
    assert "till is the most likely root cause" in page
    assert '<a href="/reports/inv-1">E1</a>' in page
    assert '<a href="/incidents/inc-1">inc-1</a>' in page
    thread = answer.headers["location"].partition("#")[0]
    assert f'Asked before: <a href="{thread}">' in pages.get("/incidents/inc-1").text


def test_it_is_gone_on_with_and_found_in_the_list(pages: httpx.Client) -> None:
    first = pages.post("/threads", data={"text": "what is broken?"}).headers["location"]
    thread = first.partition("#")[0]
    pages.post(thread, data={"text": "do it"})
    page = pages.get(thread).text
    assert '<a class="button main" href="/approvals/apr-1">' in page
    assert f'href="{thread}"' in pages.get("/threads").text


def test_what_may_have_been_meant_is_one_press_away(pages: httpx.Client) -> None:
    thread = pages.post("/threads", data={"text": "why is bascet slow?"}).headers["location"]
    assert '<button name="text" value="basket">' in pages.get(thread).text


def test_what_somebody_typed_is_text_and_no_markup(service: Service, pages: httpx.Client) -> None:
    talk = Talk(service)
    talk.ask(f"why is {HOSTILE} slow?")
    talk.ask(f'is "{HOSTILE}" down?')
    page = pages.get(f"/threads/{talk.thread}").text
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page


def test_a_question_that_cannot_be_read_is_said_on_the_page(
    service: Service, pages: httpx.Client
) -> None:
    talk = Talk(service)
    long = pages.post(f"/threads/{talk.thread}", data={"text": "x" * (LONGEST_TEXT // 2)})
    assert long.status_code == 303
    assert "characters more" in pages.get(f"/threads/{talk.thread}").text
    html = {"Accept": "text/html"}
    assert pages.get("/threads/thr-x", headers=html).status_code == 404
    nobody = pages.post("/threads", data={"incident": "inc-x", "text": "why?"}, headers=html)
    assert nobody.status_code == 404
    assert "no incident" in nobody.text


def test_a_question_from_another_site_s_page_is_not_taken(
    service: Service, pages: httpx.Client
) -> None:
    talk = Talk(service)
    refused = pages.post(
        f"/threads/{talk.thread}", data={"text": "do it"}, headers={"Origin": "https://evil"}
    )
    assert refused.status_code == 403
    assert service.threads.get(talk.thread).asked == 0


def test_an_answer_appears_while_the_page_is_looked_at(service: Service) -> None:
    talk = Talk(service)
    asked = service.threads.ask(
        talk.thread, Question("ana", "viewer", service.clock.now(), "what changed?")
    )
    with serving(create(service, dev=True)) as address, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto(f"{address}/threads/{talk.thread}")
        expect(page.get_by_text("A tool is looking")).to_be_visible()
        page.fill("#text", "half a question")
        talk.desk.answer(asked)
        expect(page.get_by_text("rolled out version 2")).to_be_visible(timeout=PATIENCE_S * 1000)
        assert page.input_value("#text") == "half a question"
