"""Courses as a page."""

from collections.abc import Sequence
from datetime import datetime

from aiops_evals.mend.measured import Course

_COLUMNS = (
    "what is broken",
    "alert",
    "report",
    "proposed",
    "approved",
    "executed",
    "verified",
    "served again",
    "resolved",
    "named",
    "what was done, and how it ended",
)
_NUMBERS = range(1, 9)


def _head(machine: str, day: str, note: str) -> str:
    intro = (
        f"`aiops eval mend` on {machine}, {day}{f'; {note}' if note else ''}. Each row is a lab of "
        "its own (the sock shop: fourteen services as processes, a Kubernetes API, users at 20 "
        "requests/s, Prometheus, Alertmanager, and `aiops serve` in the mode that carries out what "
        "is approved), broken after half a minute of normal running. No language model. The first "
        "proposal is approved through the API as soon as it is seen; nothing else is done by hand. "
        "Seconds since the fault. The lab waits 10 s after an alert before it investigates, and "
        "watches objectives for 5 s or more after a change."
    )
    rule = " | ".join("--:" if n in _NUMBERS else "---" for n in range(len(_COLUMNS)))
    return (
        f"# From the fault to the mended system\n\n{intro}\n\n"
        f"| {' | '.join(_COLUMNS)} |\n| {rule} |\n"
    )


def page(courses: Sequence[Course], machine: str, day: str, note: str) -> str:
    """Markdown."""
    curable = [each for each in courses if each.broken.ends == "mended"]
    good = [each for each in curable if each.as_it_should]
    text = _head(machine, day, note) + "\n".join(_row(each) for each in courses)
    text += f"\n\nMended and resolved: **{len(good)} of {len(curable)}** kinds.\n"
    for each in (one for one in courses if one.broken.ends == "taken back"):
        kept = "taken back, and the incident stays open" if each.as_it_should else "NOT as asked"
        text += f"\nThe wrong fix ({each.broken.says}): **{kept}**. {_one_line(each.says)}\n"
    for each in (one for one in courses if one.broken.ends == "left to people"):
        kept = "nothing was proposed" if each.as_it_should else "NOT as asked"
        text += f"\nLeft to people ({each.broken.says}): **{kept}**. {_one_line(each.notes)}\n"
    for each in (one for one in curable if not one.as_it_should):
        ended = _one_line(each.ended) or "nothing was done"
        if not each.lasts:
            ended = f"users were served badly again after the incident was resolved; {ended}"
        text += f"\nFell short: {each.broken.name}: {ended}.\n"
    return text


def _row(one: Course) -> str:
    moments = (
        one.alert,
        one.report,
        one.proposed,
        one.approved,
        one.executed,
        one.verified,
        one.served,
        one.resolved,
    )
    times = " | ".join(_after(one, each) for each in moments)
    done = f"{one.action}; {one.ended}" if one.action else "nothing was proposed"
    return f"| {one.broken.name}: {one.broken.says} | {times} | {one.cause} | {_one_line(done)} |"


def _after(one: Course, moment: datetime | None) -> str:
    return "-" if moment is None else f"{(moment - one.fault).total_seconds():.1f}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")[:420]
