"""A report as Markdown: fits a postmortem or a chat message."""

import re

from aiops.analyze.wording import plain
from aiops.app.rendering.words import environment, vocabulary
from aiops.model.report import Report

# Brackets around evidence ids are ours, and no link begins with one.
_SPECIAL = re.compile(r"([\\*|#~]|\[(?!E\d))")


def render(report: Report) -> str:
    """The report as GitHub-flavoured Markdown, ending in a newline.

    Names and claims are hostile data: what Markdown or HTML would act on is escaped.
    """
    return rendered("report.md", report=report, **vocabulary(report))


def rendered(template: str, **values: object) -> str:
    """One of this package's Markdown templates, whatever it is given escaped."""
    templates = environment(finalize=_escaped)
    templates.filters["code"] = _code
    text = templates.get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _escaped(value: object) -> object:
    from markupsafe import Markup

    if isinstance(value, Markup):
        return str(value)
    # A backtick would open a code span that swallows the escapes after it.
    text = _SPECIAL.sub(r"\\\1", plain(str(value)).replace("`", "'")).replace("&", "&amp;")
    # "@" and "<" also start mentions in chats.
    return text.replace("<", "&lt;").replace("@", "@\u200b")


def _code(value: object) -> object:
    from markupsafe import Markup

    text = plain(str(value)).replace("`", "'").replace("|", "\u2223")
    return Markup(f"`{text}`")  # noqa: S704 - a code span; its own delimiter is gone
