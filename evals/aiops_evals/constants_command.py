"""``aiops eval constants`` on the command line. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from aiops_evals.sensitivity import Plan

INTERRUPTED = 130  # what a shell reports for Ctrl-C
STEP = 10  # trials between two lines of progress


def constants(
    data: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    datasets: Annotated[str, typer.Option(help="Sets, comma-separated; all by default.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over; forget the journal.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one per core.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="At most N cases of each set.")] = 24,
    module: Annotated[str, typer.Option(help="Only constants of modules with this in it.")] = "",
) -> None:
    """Halve and double every constant of the default method and print what hangs on it."""
    import os
    from dataclasses import replace

    from aiops_evals.sensitivity import make_plan

    if out is not None and (out.is_dir() or out.suffix == ".jsonl"):
        raise InvalidInput(f"{out} cannot be the result; give --out a file that ends in .json")
    names = tuple(name.strip() for name in datasets.split(",") if name.strip())
    plan = make_plan(data, datasets=names, size=limit, seed=seed, jobs=jobs or os.cpu_count() or 1)
    chosen = tuple(one for one in plan.constants if module in one.module)
    if not chosen:
        raise InvalidInput(f"no module of the default method has {module!r} in its name")
    plan = replace(plan, constants=chosen)
    raise typer.Exit(_measure(plan, out, fresh=fresh))


def _measure(plan: "Plan", out: Path | None, *, fresh: bool) -> int:
    from aiops_evals import sensitivity as suite
    from aiops_evals.provenance import code_checksum
    from aiops_evals.rca import as_json, write_atomically
    from aiops_evals.sensitivity_tables import report, result

    identity = plan.identity()
    journal = None
    if out is not None:
        journal = suite.Finished.open(out.with_suffix(".jsonl"), identity, fresh=fresh)
        if journal.finished:
            typer.echo(f"going on with {len(journal.finished)} trials of {journal.path}", err=True)
    total = len(suite.trials(plan))
    found: list[suite.Measured] = []
    interrupted = False
    try:
        for one in suite.execute(plan, journal):
            found.append(one)
            if len(found) % STEP == 0 or len(found) == total:
                typer.echo(f"{len(found)} of {total} trials done", err=True)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        if journal is not None:
            journal.close()
    evaluation = result(plan, found, identity=identity, partial=interrupted)
    if out is not None:
        write_atomically(out, as_json(evaluation))
    typer.echo(report(evaluation))
    if interrupted:
        typer.echo("stopped; the same command goes on from here", err=True)
        return INTERRUPTED
    if identity["code"] != code_checksum():
        typer.echo("the code changed meanwhile, so trials mix two versions; use --fresh", err=True)
        return 1
    return 0
