"""An approval in the terminal: everything that whoever decides has to see, and nothing that moves.

What is printed comes from clusters and from models: control and direction characters in it are
replaced, so that no line of a diff can hide, or pretend to be another.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from aiops.analyze.wording import duration, percent, plain
from aiops.app.approvals.agreement import Agreement
from aiops.model.approval import Approval
from aiops.model.tool import BlastRadius, Stop

if TYPE_CHECKING:
    from rich.console import Console

_STATE: Final = {
    "pending": "bold yellow",
    "escalated": "bold red",
    "approved": "bold green",
    "used": "green",
}
_RISK: Final = {"medium": "yellow", "high": "bold red"}
_DIFF: Final = {"@": "cyan", "+": "green", "-": "red"}
_HEADER: Final = 2
"""Lines of a unified diff that name what is compared."""


def print_approval(approval: Approval, now: datetime, console: "Console") -> None:
    """The action, its diff, and how it is decided."""
    from rich.text import Text

    head = Text().append(approval.state.upper(), style=_STATE.get(approval.state, "bold"))
    head.append(f"  {plain(approval.action.preview.summary)}", style="bold")
    head.append("  risk ")
    head.append(approval.action.risk, style=_RISK.get(approval.action.risk, ""))
    console.print(head, soft_wrap=True)
    for name, value, style in _facts(approval, now):
        line = Text().append(f"  {name:<10}", style="dim").append(plain(value), style=style)
        console.print(line, soft_wrap=True)
    console.print()
    # Lines end with \n alone: another separator in a value must not begin a line of its own.
    for number, text in enumerate(approval.action.preview.diff.rstrip("\n").split("\n")):
        style = "bold" if number < _HEADER else _DIFF.get(text[:1], "")
        console.print(Text(f"  {plain(text)}", style=style), soft_wrap=True)
    console.print()
    console.print(Text(f"  hash      {approval.action_hash}", style="bold"), soft_wrap=True)


def print_list(
    approvals: Sequence[Approval],
    stop: Stop | None,
    score: Agreement,
    now: datetime,
    console: "Console",
) -> None:
    """One line each, with what is the matter with all of them."""
    from rich.table import Table
    from rich.text import Text

    if stop is not None:
        console.print(
            Text(
                f"ALL WRITES ARE STOPPED by {plain(stop.by)} since {stop.at:%Y-%m-%d %H:%M} UTC: "
                f"{plain(stop.reason)}. An admin lets them pass again: aiops resume",
                style="bold red",
            ),
            soft_wrap=True,
        )
    if not approvals:
        console.print("nothing waits for a decision; --all shows what was decided")
    else:
        table = Table(box=None, pad_edge=False)
        for name in ("id", "state", "risk", "asked", "what"):
            table.add_column(name, no_wrap=name != "what")
        for each in approvals:
            shadow = "shadow: " if each.mode == "shadow" else ""
            table.add_row(
                each.id,
                Text(each.state, style=_STATE.get(each.state, "")),
                Text(each.action.risk, style=_RISK.get(each.action.risk, "")),
                _ago(each.requested_at, now),
                plain(f"{shadow}{each.action.preview.summary}"),
            )
        console.print(table)
    if score.share is not None:
        console.print(
            f"shadow mode: people agree with {score.agreed} of {score.judged} actions "
            f"({percent(score.share)}); {score.waiting} wait for a verdict"
        )


def _facts(approval: Approval, now: datetime) -> Iterator[tuple[str, str, str]]:
    """Name, value and style of each."""
    action, preview = approval.action, approval.action.preview
    yield "approval", approval.id, ""
    if approval.mode == "shadow":
        yield "mode", "shadow: nothing is carried out, an answer is only compared", "cyan"
    yield "tool", action.tool, ""
    for target in preview.targets:
        yield "target", str(target), ""
    yield "arguments", json.dumps(json.loads(action.arguments), ensure_ascii=True), ""
    yield "touches", touches(preview.radius), "yellow" if preview.radius.interrupted else ""
    if preview.undo is None:
        yield "undo", "NONE: this cannot be taken back", "bold red"
    else:
        yield "undo", f"{preview.undo.tool} {preview.undo.arguments}", ""
    for warning in preview.warnings:
        yield "warning", warning, "yellow"
    for_incident = f" for {approval.incident}" if approval.incident else ""
    asked = f"by {approval.requested_by}{for_incident}, {_ago(approval.requested_at, now)}"
    yield "asked", asked, ""
    yield "because", approval.reason or "no reason was given", ""
    if approval.lapses:
        left = (approval.expires_at - now).total_seconds()
        what = "to be decided by" if approval.open else "usable until"
        until = f"{what} {approval.expires_at:%H:%M:%S} UTC"
        yield "time", until + (f", in {duration(left)}" if left > 0 else ", which is over"), ""
    if approval.open:
        yield "needs", f"the role {approval.needed_role}", ""
    if approval.decided_by is not None and approval.decided_at is not None:
        why = f": {approval.decision_reason}" if approval.decision_reason else ""
        yield "decided", f"by {approval.decided_by}, {_ago(approval.decided_at, now)}{why}", ""
    if approval.superseded_by is not None:
        yield "replaced", f"look at {approval.superseded_by} instead", "bold"
    if approval.outcome is not None:
        yield "outcome", approval.outcome, ""


def touches(radius: BlastRadius) -> str:
    """A blast radius in words."""
    said = f"{radius.objects} object{'' if radius.objects == 1 else 's'}"
    if not radius.interrupted:
        return f"{said}; interrupts no replica"
    return (
        f"{said}; interrupts {radius.interrupted} of {radius.serving} serving replicas "
        f"({percent(radius.share)})"
    )


def _ago(at: datetime, now: datetime) -> str:
    seconds = round((now - at).total_seconds())
    return f"{duration(seconds)} ago" if seconds > 0 else "just now"
