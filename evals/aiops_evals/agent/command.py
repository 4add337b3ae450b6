"""``aiops eval agent`` on the command line. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import Annotated

import typer

from aiops.errors import InvalidInput


def agent(
    data: Annotated[
        list[Path], typer.Option(help="Folder of data sets; may be given more than once.")
    ],
    datasets: Annotated[str, typer.Option(help="Sets, comma-separated; four by default.")] = "",
    methods: Annotated[
        str, typer.Option(help="Policies, comma-separated: deterministic, llm.")
    ] = "deterministic",
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON.")] = None,
    misses: Annotated[
        bool, typer.Option("--misses", help="List each cause that was not named first.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one per core.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random choice.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="At most N cases of each set.")] = None,
) -> None:
    """Investigate recorded incidents from alert to report, and print how often and at what cost
    the cause was named."""
    if out is not None and out.is_dir():
        raise InvalidInput(f"{out} is a folder; give --out a file that ends in .json")
    from aiops_evals.agent import suite, tables
    from aiops_evals.rca import as_json, write_atomically

    plan = suite.make_plan(
        data, datasets=_names(datasets), methods=_names(methods), seed=seed, jobs=jobs, limit=limit
    )
    found = suite.tasks(plan)
    judged = list(suite.execute(plan, found))
    evaluation = suite.result(plan, judged, misses=misses)
    if out is not None:
        write_atomically(out, as_json(evaluation))
    typer.echo(tables.report(evaluation))
    if not evaluation["rows"]:
        typer.echo(f"nothing was scored in {', '.join(name for name, _ in plan.sets)}", err=True)
        raise typer.Exit(1)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
