"""The HTML report in a real Chromium: quiet, self-contained, legible, with working anchors."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from browsers import chromium
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from aiops import plugins
from aiops.analyze.explain import explain
from aiops.app.investigate import investigate
from aiops.app.rendering import html
from aiops_datasets.synthetic import plant, specified


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as started:
        yield started


@pytest.fixture(scope="module")
def report_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = plant(specified("synthetic:7:network_delay")).data
    report = investigate(case, plugins.analyzer("aiops"), explain=explain)
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(html.render(report, case), encoding="utf-8")
    return file


@dataclass
class Opened:
    """A page, and what it said and asked for while it loaded."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def opened(browser: Browser, file: Path, **options: object) -> Opened:
    page = browser.new_context(**options).new_page()  # type: ignore[arg-type]
    result = Opened(page)
    page.on("console", lambda message: result.console.append(message.text))
    page.on("pageerror", lambda error: result.console.append(str(error)))
    page.on("request", lambda request: result.requests.append(request.url))
    page.goto(file.as_uri())
    return result


DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}


def test_it_is_quiet_and_fetches_nothing(browser: Browser, report_file: Path) -> None:
    result = opened(browser, report_file, **DESKTOP)
    assert result.console == []
    assert [url for url in result.requests if not url.startswith("data:")] == [report_file.as_uri()]


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_charts_are_visible_and_nothing_runs_off_the_side(
    browser: Browser, report_file: Path, viewport: dict[str, object]
) -> None:
    page = opened(browser, report_file, **viewport).page
    curves = page.locator("figure path.curve")
    assert curves.count() >= 3
    for index in range(curves.count()):
        box = curves.nth(index).bounding_box()
        assert box is not None
        assert box["width"] > 150
        assert box["height"] > 5
    assert page.locator("#propagation .node").count() >= 3
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= page.viewport_size["width"]  # type: ignore[index]


def test_a_citation_leads_to_its_row_of_evidence(browser: Browser, report_file: Path) -> None:
    page = opened(browser, report_file, **DESKTOP).page
    page.locator(".summary a.cite").first.click()
    row = page.locator("tr:target")
    expect(row.locator("td.id")).to_have_text("E1")
    expect(row).to_be_in_viewport()


def test_hovering_a_chart_reads_the_nearest_sample(browser: Browser, report_file: Path) -> None:
    page = opened(browser, report_file, **DESKTOP).page
    page.locator("figure svg").first.hover()
    assert "UTC, " in page.locator("figure .reading").first.inner_text()
    page.locator("figure svg").first.press("ArrowRight")
    assert page.locator("figure .dot").first.get_attribute("visibility") == "visible"


def test_it_is_complete_without_javascript(browser: Browser, report_file: Path) -> None:
    page = opened(browser, report_file, **DESKTOP, java_script_enabled=False).page
    assert page.locator("figure path.curve").first.is_visible()
    assert page.locator("#evidence tr").count() > 5


def test_dark_and_light_follow_the_readers_preference(browser: Browser, report_file: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light = opened(browser, report_file, color_scheme="light").page.evaluate(background)
    dark = opened(browser, report_file, color_scheme="dark").page.evaluate(background)
    assert light == "rgb(246, 247, 249)"
    assert dark == "rgb(16, 21, 27)"


def test_a_hostile_service_name_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    case = plant(specified("synthetic:7:cpu")).data
    report = investigate(case, plugins.analyzer("aiops"))
    attack = (
        "</title></text></svg><img src=x onerror=\"document.title='owned'\">"
        "<script>document.title='owned'</script>"
    )
    first, *rest = report.root_causes
    hostile = replace(
        report,
        summary=attack,
        notes=(attack,),
        root_causes=(replace(first, entity=replace(first.entity, name=attack)), *rest),
    )
    file = tmp_path / "hostile.html"
    file.write_text(html.render(hostile, case), encoding="utf-8")
    result = opened(browser, file, **DESKTOP)
    assert result.page.title() != "owned"
    assert result.page.locator("img").count() == 0
    assert result.console == []
