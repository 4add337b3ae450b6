"""``aiops eval storm`` on the command line. Importing this loads nothing but Typer."""

import json
from pathlib import Path
from typing import Annotated

import typer


def storm(
    database_url: Annotated[
        list[str], typer.Option(help="An empty database; repeat for several, one after another.")
    ],
    workers: Annotated[
        int, typer.Option(min=0, help="Workers beside the service, on PostgreSQL.")
    ] = 0,
    rate: Annotated[int, typer.Option(min=1, help="Requests a second.")] = 1000,
    seconds: Annotated[int, typer.Option(min=1, help="How long.")] = 100,
    open_incidents: Annotated[
        int, typer.Option(min=1, help="Open incidents among which some are handled.")
    ] = 10_000,
    note: Annotated[str, typer.Option(help="A sentence on the circumstances.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the page as Markdown.")] = None,
) -> None:
    """Blow an alert storm over a real service, and print whether anything was lost."""
    from aiops_evals import provenance
    from aiops_evals.rca import write_atomically
    from aiops_evals.storm.load import Load
    from aiops_evals.storm.measured import measured
    from aiops_evals.storm.report import held, report

    load, outcomes = Load(rate, seconds), []
    for url in database_url:
        beside = workers if url.startswith("postgres") else 0
        outcomes.append(measured(url, beside, load, open_incidents=open_incidents))
        slowest = json.dumps(outcomes[-1].sent.p99_per_second_ms)
        typer.echo(f"p99 of each second, ms: {slowest}", err=True)
    page = report(outcomes, provenance.machine(), note)
    if out is not None:
        write_atomically(out, page)
    typer.echo(page)
    if not all(map(held, outcomes)):
        typer.echo("not everything that is asked was reached", err=True)
        raise typer.Exit(1)
