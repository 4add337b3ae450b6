"""The evaluation of whole investigations in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiops_evals.tables import markdown, share

Lines = Sequence[Mapping[str, Any]]


def report(evaluation: Mapping[str, Any]) -> str:
    """What ``suite.result`` found, for people."""
    header, rows = evaluation["header"], evaluation["rows"]
    sections = [
        "# Investigations",
        _run(header),
        _accuracy(rows),
        *_asking(header),
        *_beside(header["beside_analyzers"]),
        *_misses(header.get("misses", ())),
        *_left_out(header),
        LEGEND,
    ]
    return "\n\n".join(sections) + "\n"


def _run(header: Mapping[str, Any]) -> str:
    machine = header["machine"]
    data = ", ".join(f"{name} {checksum[:12]}" for name, checksum in header["datasets"].items())
    return (
        f"`{header['command']}`\n"
        f"seed {header['seed']} · commit {(header['commit'] or 'none')[:12]} · "
        f"code {header['code'][:12]} · {machine['cores']} cores, {machine['architecture']}, "
        f"Python {machine['python']}, {machine['date']}\n"
        f"data (sha256): {data}"
    )


def _accuracy(rows: Lines) -> str:
    head = ("set", "system", "method", "level", "n", "A@1", "A@3")
    body = [
        (
            *(row["dataset"], row["system"], row["method"], row["level"], str(row["n"])),
            share(row["hits1"], row["n"]),
            share(row["hits3"], row["n"]),
        )
        for row in rows
    ]
    return "## How often the cause was named\n\n" + markdown(head, body, names=4)


def _asking(header: Mapping[str, Any]) -> Iterator[str]:
    lines = header["asking"]
    if not lines:
        return
    head = (
        *("set", "system", "method", "n", "calls: median", "max", "not recorded"),
        *("tokens read: median", "max", "expert's steps", "ms: median", "max"),
        *("CPU ms: median", "max", "stopped"),
    )
    body = [
        (
            *(line["dataset"], line["system"], line["method"], str(line["n"])),
            *(f"{line['calls_median']:g}", str(line["calls_max"])),
            f"{line['missed']} of {line['calls']}",
            *(f"{line['tokens_median']:.0f}", str(line["tokens_max"])),
            "-" if line["coverage_mean"] is None else f"{line['coverage_mean']:.2f}",
            *(f"{line['ms_median']:.0f}", f"{line['ms_max']:.0f}"),
            *(f"{line['cpu_ms_median']:.0f}", f"{line['cpu_ms_max']:.0f}", str(line["stopped"])),
        )
        for line in lines
    ]
    budgets = "; ".join(
        f"{name} {budget['calls']} calls in {budget['turns']} rounds"
        for name, budget in header["budgets"].items()
    )
    yield (
        "## What asking cost\n\n"
        "Nothing of the case is known but its alert: the complaint, the namespace, the moment. "
        "Every fact is a call through the gateway, answered as it was recorded. Budget of a case: "
        f"{budgets}.\n\n" + markdown(head, body, names=3)
    )


def _beside(lines: Lines) -> Iterator[str]:
    if not lines:
        return
    head = (
        *("set", "method", "n", "metrics alone", "analyzers alone", "investigation"),
        *("won", "lost", "score"),
    )
    body = [
        (
            *(line["dataset"], line["method"], str(line["n"])),
            share(line["metrics"], line["n"]),
            share(line["analyzers"], line["n"]),
            share(line["investigation"], line["n"]),
            *(str(line["won"]), str(line["lost"])),
            "-" if line["score_mean"] is None else f"{line['score_mean']:.2f}",
        )
        for line in lines
        if line["n"]
    ]
    yield (
        "## Beside the analyzers alone, service AC@1 on the same cases\n\n"
        + markdown(head, body)
        + "\n\nMetrics alone: change points, Granger causality and PageRank, which make the "
        "shortlist of metrics; a case without metrics counts as missed. The analyzers alone read "
        "logs, traces, state and changes too, and have everything in view; won and lost count "
        "against them. An investigation has the same where "
        "nothing can be asked, and by tool calls only what it asked for. Score: mean over all "
        "cases of the set, after ThinkFL: 1 / (1 + places above the cause), + 0.2 where the cause "
        "was looked at on the way, - 0.2 times the share of calls that were refused, failed or "
        "repeated."
    )


def _misses(lines: Lines) -> Iterator[str]:
    if not lines:
        return
    head = ("set", "case", "method", "fault", "rank", "verdict", "calls", "named instead")
    body = [
        (
            *(line["dataset"], line["case"], line["method"], line["label"]),
            *("-" if line["rank"] is None else str(line["rank"]), line["verdict"]),
            "-" if line["calls"] is None else str(line["calls"]),
            ", ".join(line["named"]) or "nobody",
        )
        for line in lines
    ]
    yield "## Misses, at the finest level\n\n" + markdown(head, body, names=8)


def _left_out(header: Mapping[str, Any]) -> Iterator[str]:
    said = [f"- {line['dataset']}: {line['n']} {line['reason']}" for line in header["skipped"]]
    said += [
        f"- {line['dataset']} {line['case']}, {line['method']}: {line['why']}"
        for line in header["failed"]
    ]
    if said:
        yield "## Left out and failed\n\n" + "\n".join(said)


LEGEND = (
    "A@k: share of cases whose answer is among the first k; object is kind and name, "
    "object+fault also the kind of fault, both exact. A token is four bytes. Expert's steps: share "
    "of the steps of the authors' path that is covered best; GetRecentLogs, which some paths use, "
    "was not recorded. Published, with a model that asks the same tools: A@1 .73 (Online Boutique) "
    "and .58 (Train-Ticket) at best."
)
