"""``aiops lab campaign``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

OUT = Path("lab-campaign")
INTERRUPTED = 130  # what a shell reports for Ctrl-C

Seconds = Annotated[float | None, typer.Option(min=1, max=3600, help="Else as --phases says.")]


def register(lab: typer.Typer) -> None:
    """Adds the command to those of the lab."""
    lab.command()(campaign)


def campaign(
    cases: Annotated[int, typer.Option(min=1, help="A fifth of them healthy controls.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the plan and of each case.")] = 1,
    topology: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What to run; else the sock shop.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Becomes a data set.")] = OUT,
    labs: Annotated[
        int | None, typer.Option(min=1, max=32, help="At once; else one for each CPU.")
    ] = None,
    doubles: Annotated[int, typer.Option(min=0, help="Cases with two faults at once.")] = 0,
    intensities: Annotated[
        str, typer.Option(metavar="MILD:SEVERE", help="Their range, within 0 to 1.")
    ] = "0.3:1",
    phases: Annotated[
        Literal["short", "full"], typer.Option(help="15, 20 and 10 s, or 60, 60 and 30 s.")
    ] = "full",
    baseline: Seconds = None,
    fault: Seconds = None,
    recovery: Seconds = None,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Users' requests a second.")] = 5.0,
    chunk: Annotated[
        int | None, typer.Option(min=1, help="Record at most so many cases this time.")
    ] = None,
    retry: Annotated[
        bool, typer.Option("--retry", help="Try again what was given up as not valid.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print the plan, record nothing.")] = False,
) -> None:
    """Record many cases of one system as a data set; the same command goes on where it was."""
    import signal

    from rich.console import Console

    from aiops_lab.campaign import asked, shown
    from aiops_lab.campaign.recorded import go_on

    wanted = asked.read(
        asked.Words(
            cases=cases,
            seed=seed,
            topology=topology,
            out=out,
            labs=labs,
            doubles=doubles,
            intensities=intensities,
            phases=phases,
            baseline=baseline,
            fault=fault,
            recovery=recovery,
            rate=rate,
        )
    )
    if plan:
        Console(soft_wrap=True).print(shown.plan(wanted))
    for line in shown.begin(wanted):
        typer.echo(line)
    if plan:
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        attempts = go_on(wanted, chunk, lambda one: typer.echo(shown.attempt(one)), retry=retry)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None
    for line in shown.end(wanted, attempts):
        typer.echo(line)
    raise typer.Exit(0 if shown.whole(wanted, attempts) else 1)
