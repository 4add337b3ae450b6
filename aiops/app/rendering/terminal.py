"""A report in the terminal; without colour or control codes where the output is no terminal."""

import sys
from typing import TYPE_CHECKING

import numpy as np

from aiops.analyze.wording import TimeWords, duration, fault, percent, plain
from aiops.app.rendering.charts import curves
from aiops.app.rendering.propagation import edge_words
from aiops.app.rendering.words import HEADLINES, STANDINGS
from aiops.model import CaseData, FaultType
from aiops.model.report import Report, RootCause
from aiops.model.telemetry import FloatArray

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 24
_CHART_WIDTH = 80
"""Columns of a screen under which curves are left out: broken over lines they show nothing."""
_PIPE_WIDTH = 120  # where output is piped there is no screen to fit
_COLOURS = {"root_cause": "bold red", "healthy": "bold green", "inconclusive": "bold yellow"}


def stdout() -> "Console":
    """A console on standard output for ``print_report``; honours NO_COLOR."""
    from rich.console import Console

    return Console(
        highlight=False,
        markup=False,
        emoji=False,
        width=None if sys.stdout.isatty() else _PIPE_WIDTH,
    )


def print_report(report: Report, case: CaseData, console: "Console") -> None:
    """Verdict, summary, candidates with sparklines, evidence, and what the reader must know."""
    from rich.text import Text

    first = report.root_causes[0] if report.root_causes else None
    headline = Text(HEADLINES[report.verdict], style=_COLOURS[report.verdict])
    if report.verdict == "root_cause" and first is not None:
        headline.append(f": {plain(first.entity.name)}")
    headline.append(f"  case {plain(report.subject.case)}", style="dim")
    console.print(headline)
    console.print(plain(report.summary))
    if report.root_causes:
        console.print()
        console.print(_candidates(report, case, curved=console.width >= _CHART_WIDTH))
    times = TimeWords(report.subject.window.start, report.subject.relative)
    _section(
        console,
        "Actions",
        [
            f"{STANDINGS.get(each.state, each.state)}: {plain(each.tool)}, risk {each.risk}: "
            f"{plain(each.summary)}{f' Why: {plain(each.reason)}' if each.reason else ''}"
            for each in report.actions
        ],
    )
    _section(
        console,
        "Propagation",
        [
            f"{plain(edge.source.name)} → {plain(edge.target.name)}: {edge.relation}"
            + (f", {edge_words(edge)}" if edge_words(edge) != edge.relation else "")
            + _cited(edge.evidence)
            for edge in report.propagation
        ],
    )
    _section(
        console,
        "Evidence",
        [
            f"{item.id:<4}{plain(item.claim)}  ({plain(item.source)}: {plain(item.ref)}, "
            f"{times.at(item.window.start)} to {times.at(item.window.end)})"
            for item in report.evidence
        ],
    )
    _section(
        console,
        "Changes",
        [
            f"{times.at(each.at)} {plain(each.entity.name)}: {plain(each.description)}"
            f"{f' by {plain(each.author)}' if each.author else ''}{_cited(each.evidence)}"
            for each in report.changes
        ],
    )
    _section(
        console,
        "Ruled out",
        [
            f"{plain(each.entity.name)}: {plain(each.reason)}{_cited(each.evidence)}"
            for each in report.ruled_out
        ],
    )
    _section(console, "Not known", [plain(line) for line in report.unknowns])
    _section(console, "Notes", [plain(line) for line in report.notes])
    _section(
        console,
        "Failed steps",
        [f"{each.step}: {plain(each.reason)}" for each in report.failed_steps],
        style="bold red",
    )
    _section(console, "Model", [plain(report.agreement.model)] if report.agreement.model else [])
    console.print()
    console.print(
        f"{plain(report.agreement.statistics)}; took {duration(report.timings.total_s)}"
        f"{_asked(report.usage.llm_calls)}",
        style="dim",
    )


def _asked(calls: int) -> str:
    return f"; {calls} model call{'s' if calls > 1 else ''}" if calls else ""


def _section(console: "Console", title: str, lines: list[str], style: str = "bold") -> None:
    from rich.padding import Padding

    if not lines:
        return
    console.print()
    console.print(title, style=style)
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 2), expand=False))


def _candidates(report: Report, case: CaseData, *, curved: bool) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("entity", overflow="fold")
    table.add_column("signal", overflow="fold")
    if curved:
        table.add_column("over the window", overflow="fold")
    table.add_column("fault type", overflow="fold")
    table.add_column("confidence", justify="right", no_wrap=True)
    table.add_column("evidence", overflow="fold")
    for cause in report.root_causes:
        name = Text(plain(cause.entity.name))
        if cause.rank == 1:
            name.stylize(_COLOURS[report.verdict])
        table.add_row(
            str(cause.rank),
            name,
            plain(cause.indicator.name) if cause.indicator is not None else "-",
            *([_sparkline_of(cause, report, case)] if curved else []),
            fault(cause.fault_type) if cause.fault_type is not FaultType.UNKNOWN else "-",
            percent(cause.confidence) if cause.confidence is not None else "-",
            ", ".join(cause.evidence) or "inferred",
        )
    return table


def _sparkline_of(cause: RootCause, report: Report, case: CaseData) -> str:
    cited = [item for item in report.evidence if item.id in cause.evidence]
    curve = next(iter(curves(case, cited)), None)
    return sparkline(curve.values) if curve is not None else ""


def sparkline(values: FloatArray, width: int = _SPARK_WIDTH) -> str:
    """(n,) values as a row of at most ``width`` blocks; a blank where samples are missing."""
    buckets = np.array_split(values, min(width, len(values)))
    levels = [
        float(part[np.isfinite(part)].mean()) if np.isfinite(part).any() else np.nan
        for part in buckets
        if len(part)
    ]
    present = [level for level in levels if np.isfinite(level)]
    if not present:
        return ""
    low, extent = min(present), (max(present) - min(present)) or 1.0
    return "".join(
        " " if np.isnan(level) else _BLOCKS[round((level - low) / extent * (len(_BLOCKS) - 1))]
        for level in levels
    )


def _cited(ids: tuple[str, ...]) -> str:
    return f" [{', '.join(ids)}]" if ids else " (inferred)"
