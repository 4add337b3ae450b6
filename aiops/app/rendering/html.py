"""A report as one HTML file: nothing is fetched, and it works without JavaScript."""

import base64
import hashlib
import re
from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING

from aiops.analyze.wording import plain
from aiops.app.rendering.charts import charts
from aiops.app.rendering.propagation import layout
from aiops.app.rendering.words import environment, vocabulary
from aiops.model import CaseData
from aiops.model.report import Report

if TYPE_CHECKING:
    from markupsafe import Markup

_CITATION = re.compile(r"\bE\d+\b")


def render(report: Report, case: CaseData, *, back: str | None = None) -> str:
    """The report with its charts as a self-contained page.

    Everything is escaped: service names and log lines are hostile data. The page carries its own
    content security policy, which names its one style and one script by their hashes.

    Args:
        case: what was investigated; the charts are drawn from its telemetry.
        back: address of the incident, where the page is served beside it.
    """
    templates = environment(autoescape=True, finalize=_visible)
    templates.filters["cited"] = _cited_in({item.id for item in report.evidence})
    folder = files("aiops.app.rendering") / "templates"
    style, script = (folder / "report.css").read_text(), (folder / "report.js").read_text()
    return templates.get_template("report.html").render(
        report=report,
        back=back,
        charts=charts(report, case),
        graph=layout(report, case),
        style=style,
        script=script,
        style_hash=_digest(style),
        script_hash=_digest(script),
        **vocabulary(report),
    )


def _visible(value: object) -> object:
    """Text without control or direction characters; markup that is ours is left alone."""
    return plain(value) if type(value) is str else value


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _cited_in(known: set[str]) -> Callable[[str], "Markup"]:
    """A filter that escapes text and links the evidence ids in it to the evidence table."""

    def cited(text: str) -> "Markup":
        from markupsafe import Markup, escape

        parts, last = [], 0
        for match in _CITATION.finditer(text):
            if match[0] in known:
                parts += [escape(text[last : match.start()])]
                parts += [Markup('<a class="cite" href="#{0}">{0}</a>').format(match[0])]
                last = match.end()
        return Markup("").join([*parts, escape(text[last:])])

    return cited
