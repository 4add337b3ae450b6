"""Markdown, HTML and terminal: complete, and harmless whatever the systems are called."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from aiops import plugins
from aiops.analyze.explain import explain
from aiops.app.investigate import investigate
from aiops.app.rendering import html, markdown, terminal
from aiops.model import CaseData, Entity, MetricTable, Report, ServiceGraph
from aiops.model.report import ProposedAction, Verification
from aiops_datasets.synthetic import plant, specified

HOSTILE = "<script>alert(1)</script>\"'`|[x](javascript:y) \x1b[31m\u202e"


def renamed(case: CaseData, old: str, new: str) -> CaseData:
    """The case with one service under another name, in its columns too."""

    def name(entity: Entity) -> Entity:
        return replace(entity, name=new) if entity.name == old else entity

    window = case.window
    metrics, graph = window.metrics, window.graph
    assert metrics is not None
    assert graph is not None
    series = tuple(
        replace(each, entity=name(each.entity), column=each.column.replace(old, new))
        for each in metrics.series
    )
    calls = tuple(
        replace(call, source=name(call.source), target=name(call.target)) for call in graph.calls
    )
    return replace(
        case,
        window=replace(
            window,
            metrics=MetricTable(metrics.times, metrics.values, series, metrics.source),
            graph=ServiceGraph(tuple(map(name, graph.nodes)), calls),
        ),
        notes=(f"A note on {new}",),
    )


@pytest.fixture(scope="module")
def ordinary() -> tuple[Report, CaseData]:
    case = plant(specified("synthetic:7:network_delay")).data
    return investigate(case, plugins.analyzer("aiops"), explain=explain), case


@pytest.fixture(scope="module")
def hostile() -> tuple[Report, CaseData]:
    case = renamed(plant(specified("synthetic:7:network_delay")).data, "granite", HOSTILE)
    return investigate(case, plugins.analyzer("aiops"), explain=explain), case


class Elements(HTMLParser):
    """Every tag of a page with its attributes, and all of its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_every_section_that_has_something_to_say(
    ordinary: tuple[Report, CaseData],
) -> None:
    page = Elements(html.render(*ordinary))
    ids = {attributes.get("id") for _, attributes in page.found}
    assert {"candidates", "charts", "propagation", "evidence", "ruled-out", "unknowns"} <= ids
    for item in ordinary[0].evidence:
        assert item.claim in page.text


def test_every_citation_on_the_page_leads_to_a_row_of_evidence(
    ordinary: tuple[Report, CaseData],
) -> None:
    page = Elements(html.render(*ordinary))
    ids = {attributes.get("id") for _, attributes in page.found}
    links = [attributes["href"] or "" for tag, attributes in page.found if tag == "a"]
    assert len(links) > 10
    assert {link.removeprefix("#") for link in links} <= {each or "" for each in ids}


def test_the_page_fetches_nothing_and_allows_only_its_own_script_and_style(
    ordinary: tuple[Report, CaseData],
) -> None:
    page = Elements(html.render(*ordinary))
    for tag, attributes in page.found:
        assert "src" not in attributes, tag
        assert "style" not in attributes, tag
        assert not any(name.startswith("on") for name in attributes), tag
        assert (attributes.get("href") or "#").startswith(("#", "data:")), tag
    policy = next(a["content"] for _, a in page.found if "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


def test_a_hostile_service_name_stays_text_in_html(hostile: tuple[Report, CaseData]) -> None:
    rendered = html.render(*hostile)
    page = Elements(rendered)
    assert [tag for tag, _ in page.found].count("script") == 1
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in rendered
    assert "\u202e" not in rendered


def test_a_hostile_service_name_stays_text_in_markdown(hostile: tuple[Report, CaseData]) -> None:
    text = markdown.render(hostile[0])
    outside_code = re.sub(r"`[^`\n]*`", "", text)
    assert "<script" not in outside_code
    assert not re.search(r"(?<!\\)\[x\]\(", outside_code)
    assert "\x1b" not in text
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {7}


def test_a_hostile_service_name_cannot_steer_the_terminal(
    hostile: tuple[Report, CaseData],
) -> None:
    assert "\x1b" not in printed(*hostile)


def printed(report: Report, case: CaseData, width: int = 120, **options: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, markup=False, **options)  # type: ignore[arg-type]
    terminal.print_report(report, case, console)
    return out.getvalue()


def test_the_terminal_shows_verdict_candidates_with_sparklines_and_evidence(
    ordinary: tuple[Report, CaseData],
) -> None:
    text = printed(*ordinary)
    assert text.startswith("Root cause found: granite")
    assert "▁▁▁▁▁▁▁▁▁▁▁▁████████████" in text
    assert re.search(r"^  E1 ", text, re.MULTILINE)
    assert "Ruled out" in text
    assert "Not known" in text


def test_a_narrow_terminal_shows_no_broken_curve_and_whole_confidences(
    ordinary: tuple[Report, CaseData],
) -> None:
    text = printed(*ordinary, width=60)
    assert not set("▁▂▃▄▅▆▇█") & set(text)
    assert re.search(r"^1 +granite .* %", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 60


def test_colour_is_for_terminals_only(ordinary: tuple[Report, CaseData]) -> None:
    assert "\x1b[" not in printed(*ordinary)
    assert "\x1b[1;31m" in printed(*ordinary, force_terminal=True, color_system="standard")


def test_markdown_carries_verdict_candidates_evidence_and_what_is_not_known(
    ordinary: tuple[Report, CaseData],
) -> None:
    report, _ = ordinary
    text = markdown.render(report)
    assert text.startswith("# Root cause found: `granite`\n")
    for item in report.evidence:
        assert f"- **{item.id}** " in text
    assert "## Not known" in text
    assert "\n\n\n" not in text
    assert text.endswith("\n")


def test_a_statement_without_evidence_is_printed_as_inferred(
    ordinary: tuple[Report, CaseData],
) -> None:
    report, case = ordinary
    bare = replace(
        report, propagation=tuple(replace(each, evidence=()) for each in report.propagation)
    )
    edges = len(report.propagation)
    assert edges > 0
    assert Elements(html.render(bare, case)).text.count("inferred") >= edges
    assert markdown.render(bare).count("_(inferred)_") >= edges
    assert printed(bare, case).count("(inferred)") >= edges


def test_a_report_with_nothing_in_it_still_renders(ordinary: tuple[Report, CaseData]) -> None:
    report, case = ordinary
    empty = replace(
        report,
        verdict="inconclusive",
        summary="Inconclusive.",
        onset=None,
        root_causes=(),
        propagation=(),
        evidence=(),
        alerts_explained=(),
        ruled_out=(),
        unknowns=(),
    )
    blank = replace(case, window=replace(case.window, metrics=None, graph=None))
    assert "Inconclusive" in Elements(html.render(empty, blank)).text
    assert markdown.render(empty).startswith("# Inconclusive\n")
    assert printed(empty, blank).startswith("Inconclusive")


def test_every_face_shows_what_was_proposed_and_what_became_of_it(
    ordinary: tuple[Report, CaseData],
) -> None:
    report, case = ordinary
    action = ProposedAction(
        "kubernetes.scale",
        f"scaled {HOSTILE}",
        "medium",
        "rolled_back",
        reason="it was too small [E1]",
        approval="apr-1",
        diff="-replicas: 1\n+replicas: 2",
    )
    at = report.subject.window.end
    whole = replace(
        report, actions=(action,), verification=Verification("did not work: errors", at, False)
    )
    page, shown = html.render(whole, case, back="/incidents/inc-1"), markdown.render(whole)
    assert '<a href="/approvals/apr-1">' in page
    assert "+replicas: 2" in page
    assert "<script>alert" not in page
    assert "It did not work" in page
    assert "It did not work" in shown
    assert "taken back" in shown
    assert "it was too small" in shown
    console = Console(file=io.StringIO(), width=200)
    terminal.print_report(whole, case, console)
    assert isinstance(console.file, io.StringIO)
    assert "taken back: kubernetes.scale, risk medium" in console.file.getvalue()


def test_a_sparkline_rises_with_its_values_and_leaves_gaps_blank() -> None:
    assert terminal.sparkline(np.array([0.0, 1.0, np.nan, 7.0])) == "▁▂ █"
    assert terminal.sparkline(np.full(5, np.nan)) == ""
    assert len(terminal.sparkline(np.arange(1000.0))) == 24
