"""A report in every rendering that people get, and what of an attacker's would work in it."""

import io
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Final

from aiops.app.rendering import as_json, html, markdown
from aiops.model import CaseData
from aiops.model.report import Report

THEIRS: Final = "collect.example.net"
"""Host of every address in the attacks."""
_LIVE_MARKDOWN: Final = re.compile(
    rf"(?<!\\)\[[^\]]*\]\([^)]*{re.escape(THEIRS)}|(?<!\\)<[^>]*{re.escape(THEIRS)}"
)


def renderings(report: Report, case: CaseData) -> Mapping[str, str]:
    """By the name of the rendering."""
    from rich.console import Console

    from aiops.app.rendering.terminal import print_report

    paper = io.StringIO()
    print_report(report, case, Console(file=paper, width=120))
    return {
        "json": as_json.dumps(report),
        "markdown": markdown.render(report),
        "html": html.render(report, case),
        "terminal": paper.getvalue(),
    }


def live(shown: Mapping[str, str]) -> Iterator[str]:
    """Links and pictures of an attacker's that would work: they carry away what stands in them."""
    yield from (f"markdown: {found}" for found in _LIVE_MARKDOWN.findall(shown["markdown"]))
    page = _Page()
    page.feed(shown["html"])
    yield from page.found


class _Page(HTMLParser):
    """Attributes of tags, and style sheets, that name the attacker's host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag in ("style", "script")
        self.found += [f"html: {tag} {name}" for name, value in attrs if THEIRS in (value or "")]

    def handle_data(self, data: str) -> None:
        if self._in_style and THEIRS in data:
            self.found.append("html: a style sheet or a script")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag not in ("style", "script")
