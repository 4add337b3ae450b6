"""``aiops eval triage`` on the command line. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import Annotated

import typer

from aiops.errors import InvalidInput


def triage(
    data: Annotated[Path, typer.Option(help="Folder of the data sets.")],
    datasets: Annotated[str, typer.Option(help="Sets, comma-separated; all by default.")] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Times the folds are drawn.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one per core.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most N cases of each set.")] = None,
) -> None:
    """Detect, triage and localise recorded faults, and print how often that was right."""
    if out is not None and out.is_dir():
        raise InvalidInput(f"{out} is a folder; give --out a file that ends in .json")
    from aiops_evals import triage as suite

    names = tuple(name.strip() for name in datasets.split(",") if name.strip())
    plan = suite.make_plan(data, datasets=names, seeds=seeds, jobs=jobs, limit=limit)
    found, total = [], len(suite.tasks(plan))
    for one in suite.execute(plan):
        found.append(one)
        typer.echo(f"{len(found)} of {total} runs done", err=True)
    evaluation = suite.result(plan, found)
    if out is not None:
        suite.write(out, evaluation)
    typer.echo(suite.report(evaluation))
    if not evaluation["rows"]:
        typer.echo(f"nothing was scored in {', '.join(plan.datasets)}", err=True)
        raise typer.Exit(1)
