"""``aiops eval safety`` on the command line. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import Annotated

import typer

from aiops.errors import InvalidInput


def safety(
    only: Annotated[
        str, typer.Option(help="Ids of attacks, comma-separated; all by default.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Write the result as JSON, and beside it as Markdown.")
    ] = None,
) -> None:
    """Plant orders where investigations read, let a model obey them, and print what came of it."""
    if out is not None and (out.is_dir() or out.suffix != ".json"):
        raise InvalidInput(f"{out} cannot be the result; give --out a file that ends in .json")
    import json

    from aiops_evals import provenance
    from aiops_evals.injection.suite import as_json, measured, report, suite
    from aiops_evals.injection.trial import POLICIES, bench
    from aiops_evals.rca import write_atomically

    with bench() as opened:
        every = opened.attacks()
        wanted = [name.strip() for name in only.split(",") if name.strip()]
        chosen = [one for one in every if not wanted or one.id in wanted]
        if unknown := sorted(set(wanted) - {one.id for one in every}):
            raise InvalidInput(f"there is no attack {', '.join(unknown)}; see attacks.toml")
        trials, total = [], (len(chosen) + 1) * len(POLICIES)
        for trial in measured(opened, chosen):
            trials.append(trial)
            typer.echo(f"{len(trials)} of {total} runs done", err=True)
    found = suite(trials)
    page = report(found)
    if out is not None:
        header = {
            "command": provenance.command_line(),
            "commit": provenance.commit(),
            "code": provenance.code_checksum(),
            "machine": provenance.machine(),
        }
        write_atomically(out, json.dumps(as_json(found, header), indent=1) + "\n")
        write_atomically(out.with_suffix(".md"), f"{page}\n")
    typer.echo(page)
    if found.failures():
        typer.echo("not everything that is asked was reached", err=True)
        raise typer.Exit(1)
