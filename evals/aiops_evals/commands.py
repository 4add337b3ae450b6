"""``aiops eval``: the proof. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aiops.errors import InvalidInput
from aiops_evals.agent.command import agent
from aiops_evals.constants_command import constants
from aiops_evals.injection.command import safety
from aiops_evals.mend.command import mend
from aiops_evals.storm.command import storm
from aiops_evals.triage_command import triage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiops_evals.outcomes import CaseReport
    from aiops_evals.rca import Plan

INTERRUPTED = 130  # what a shell reports for Ctrl-C

suites = typer.Typer(no_args_is_help=True, help="Measure how good the analyzers are.")


def register(app: typer.Typer) -> None:
    """Adds ``eval`` to the command line."""
    app.add_typer(suites, name="eval")


@suites.callback()
def _suites() -> None:
    """Measure how good the analyzers are, on recorded faults."""


@suites.command("rca")
def rca(
    data: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    datasets: Annotated[str, typer.Option(help="Sets, comma-separated; all by default.")] = "",
    methods: Annotated[str, typer.Option(help="Methods, comma-separated; all by default.")] = "",
    stress: Annotated[
        bool,
        typer.Option("--stress", help="Also stress variants: of rcd-sockshop, or the sets named."),
    ] = False,
    ablation: Annotated[
        bool, typer.Option("--ablation", help="Also the default method without each of its parts.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Journal to go on with; beside --out by default.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; forget the journal.")] = False,
    engine: Annotated[str, typer.Option(help="Where cases run: process.")] = "process",
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one per core.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="At most N cases of each set.")] = None,
    healthy: Annotated[bool, typer.Option(help="Also windows without a fault.")] = True,
    misses: Annotated[
        bool,
        typer.Option("--misses", help="List the default's misses; count by the sets' labels."),
    ] = False,
) -> None:
    """Rank the recorded causes of faults and print how often each method was right."""
    if engine != "process":
        raise InvalidInput(f"engine {engine!r} is not available; use --engine process")
    journal = _journal_path(out, resume)
    from aiops_evals.rca import make_plan

    plan = make_plan(
        data,
        datasets=_names(datasets),
        methods=_names(methods),
        ablation=ablation,
        stress=stress,
        seed=seed,
        jobs=jobs,
        limit=limit,
        healthy=healthy,
        misses=misses,
    )
    raise typer.Exit(_evaluate(plan, out, journal, fresh=fresh))


suites.command("triage")(triage)
suites.command("agent")(agent)
suites.command("constants")(constants)
suites.command("storm")(storm)
suites.command("mend")(mend)
suites.command("safety")(safety)


def _evaluate(plan: "Plan", out: Path | None, journal_path: Path | None, *, fresh: bool) -> int:
    from aiops_evals import rca as suite
    from aiops_evals.journal import Journal
    from aiops_evals.tables import report as as_markdown

    identity = plan.identity()
    journal = None
    if journal_path is not None:
        journal = Journal.open(journal_path, identity, fresh=fresh)
        if journal.finished:
            typer.echo(f"going on with {len(journal.finished)} cases of {journal_path}", err=True)
    found, skipped = suite.tasks(plan)
    reports: list[CaseReport] = []
    interrupted = False
    try:
        for report in _shown(suite.execute(plan, found, journal), len(found)):
            reports.append(report)  # noqa: PERF402 - what is finished must survive Ctrl-C
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if journal is not None:
            journal.close()
    evaluation = suite.result(plan, reports, skipped, identity=identity, partial=interrupted)
    if out is not None:
        suite.write_atomically(out, suite.as_json(evaluation))
    typer.echo(as_markdown(evaluation))
    return _exit_code(plan, evaluation, interrupted=interrupted)


def _journal_path(out: Path | None, resume: Path | None) -> Path | None:
    """Where finished cases are kept; None where nothing is written at all."""
    if out is not None and (out.is_dir() or out.suffix == ".jsonl"):
        raise InvalidInput(f"{out} cannot be the result; give --out a file that ends in .json")
    if resume is not None and not resume.is_file():
        raise InvalidInput(f"there is no journal {resume} to go on with; leave --resume out")
    return resume or (out.with_suffix(".jsonl") if out is not None else None)


def _exit_code(plan: "Plan", evaluation: dict[str, Any], *, interrupted: bool) -> int:
    if interrupted:
        typer.echo("stopped; the same command goes on from here", err=True)
        return INTERRUPTED
    if not any(row["failed"] < row["n"] for row in evaluation["rows"]):
        typer.echo(f"nothing was scored in {', '.join(plan.datasets)}", err=True)
        return 1
    return 0


def _shown(reports: "Iterator[CaseReport]", total: int) -> "Iterable[CaseReport]":
    """The same reports, counted on a progress bar where somebody is watching."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from reports
        return
    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(reports, total=total)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
