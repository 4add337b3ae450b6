"""A running lab in the terminal: a table that follows it, or plain lines where there is none."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from aiops_lab.load.record import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lab.status import LabStatus, ProgramStatus, ServiceStatus

FRAME_S = 1.0
LINE_S = 10.0


def follow(
    console: Console, status: Callable[[], LabStatus], stopped: Callable[[float], bool]
) -> None:
    """Show the lab until ``stopped(seconds)``, which waits so long, says that it is over."""
    if not console.is_terminal:
        until = 0.0
        while not stopped(FRAME_S):
            if time.monotonic() >= until:
                until = time.monotonic() + LINE_S
                console.print(line(status()), soft_wrap=True, highlight=False, markup=False)
        return
    with Live(picture(status()), console=console, auto_refresh=False) as live:
        while not stopped(FRAME_S):
            live.update(picture(status()), refresh=True)


def picture(status: LabStatus) -> Group:
    """One frame."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("service", "ready", "restarts", "req/s", "p99 ms", "err/s", "cpu", "MB", ""):
        plain = name in {"service", ""}
        table.add_column(name, justify="left" if plain else "right", no_wrap=True)
    for one in status.services:
        table.add_row(*_row(one), style=_style(one))
    return Group(_head(status), table, _foot(status))


def line(status: LabStatus) -> str:
    """The lab in one plain line."""
    users = _all(status)
    late = [f"{one.name} {one.ready}/{one.pods}" for one in status.services if one.ready < one.pods]
    ready = "all ready" if not late else f"not ready: {', '.join(late)}"
    failing = f"; {unwritten(status)}" if status.unwritten else ""
    return (
        f"{ready}; users {users.rate:.1f} req/s, p50 {users.p50_ms:.0f} ms, "
        f"p99 {users.p99_ms:.0f} ms, errors {users.errors} of {users.requests} in the last 10 s; "
        f"cpu {status.cores:.2f} cores, memory {status.resident / 2**20:.0f} MB"
        f"{failing}"
    )


def _style(one: ServiceStatus) -> str:
    if one.ready < one.pods:
        return "yellow"
    return "red" if one.errors_s else ""


def _row(one: ServiceStatus) -> tuple[str, ...]:
    return (
        one.name,
        f"{one.ready}/{one.pods}",
        str(one.restarts),
        f"{one.requests_s:.1f}",
        f"{one.p99_ms:.1f}" if one.requests_s else "-",
        f"{one.errors_s:.1f}",
        f"{one.cores:.2f}",
        f"{one.resident / 2**20:.0f}",
        one.waiting,
    )


def places(status: LabStatus) -> list[tuple[str, str]]:
    """What there is to open or to type, by name; paths as seen from the current folder."""
    found = [("front end", status.front_end)]
    if status.kubernetes:
        found.append(("kubernetes", f"export KUBECONFIG={_near(status.kubernetes)}"))
    if not status.programs:
        found.append(("file_sd", f"{_near(status.targets)}   (for a Prometheus of yours)"))
    return found + [(one.name, _program(one)) for one in status.programs]


def _program(one: ProgramStatus) -> str:
    again = f"   (started again {one.restarts} times)" if one.restarts > 0 else ""
    return f"{one.url}{again}" if one.up else f"{one.url}   does not answer{again}"


def _near(path: str) -> str:
    """A path as it is shortest to type here."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _head(status: LabStatus) -> Text:
    head = Text(status.topology, style="bold")
    down = {one.name for one in status.programs if not one.up}
    for name, where in places(status):
        head.append(f"\n{name:<13} {where}", style="yellow" if name in down else "not bold")
    return head.append("\n")


def _foot(status: LabStatus) -> Text:
    users = _all(status)
    foot = Text(
        f"\nusers {users.rate:.1f} req/s   p50 {users.p50_ms:.0f} ms   p99 {users.p99_ms:.0f} ms   "
        f"errors {users.errors} of {users.requests} in 10 s\n"
        f"{'lab' if status.programs else 'everything'} {status.cores:.2f} cores   "
        f"{status.resident / 2**20:.0f} MB   Ctrl-C ends the lab"
    )
    if status.unwritten:
        foot.append(f"\n{unwritten(status)}", style="red")
    return foot


def unwritten(status: LabStatus) -> str:
    """What a disk that takes nothing means, in one line."""
    return (
        f"cannot write to {_near(status.folder)}: {status.unwritten}; the lab goes on, "
        "aiops lab status and the journal do not: make room"
    )


def _all(status: LabStatus) -> Seen:
    return status.seen[0] if status.seen else Seen("all", 0, 0, 0.0, 0.0)
