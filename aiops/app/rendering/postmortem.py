"""A postmortem's draft as Markdown."""

from aiops.analyze.wording import TimeWords, duration, fault, number, percent
from aiops.app.incidents.postmortem import Postmortem
from aiops.app.rendering.markdown import rendered


def render(postmortem: Postmortem) -> str:
    """The draft as GitHub-flavoured Markdown, ending in a newline; times are UTC.

    Names, comments and claims are hostile data: what Markdown or HTML would act on is escaped.
    """
    times = TimeWords(postmortem.incident.opened_at, relative=False)
    return rendered(
        "postmortem.md",
        draft=postmortem,
        incident=postmortem.incident,
        report=postmortem.report,
        full=times.full,
        duration=duration,
        fault=fault,
        number=number,
        percent=percent,
    )
