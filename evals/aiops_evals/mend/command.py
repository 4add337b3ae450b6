"""``aiops eval mend`` on the command line. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import Annotated

import typer


def mend(
    kinds: Annotated[str, typer.Option(help="Of breaking it, comma-separated; all.")] = "",
    note: Annotated[str, typer.Option(help="A sentence on the circumstances.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the page as Markdown.")] = None,
) -> None:
    """Break the lab, approve what aiops proposes, and print how long each step took."""
    import tempfile
    from datetime import UTC, datetime

    from aiops_evals import provenance
    from aiops_evals.mend.breaks import chosen
    from aiops_evals.mend.measured import Course, followed
    from aiops_evals.mend.report import page
    from aiops_evals.rca import write_atomically

    def say(text: str) -> None:
        typer.echo(text, err=True)

    about, courses, text = provenance.machine(), list[Course](), ""
    machine = f"{about['cores']} cores, {about['architecture']}, Python {about['python']}"
    with tempfile.TemporaryDirectory(prefix="aiops-mend-") as folder:
        for one in chosen(kinds):
            courses.append(followed(one, Path(folder) / one.name, say))
            text = page(courses, machine, f"{datetime.now(UTC):%Y-%m-%d}", note)
            if out is not None:  # after each: all of them take a quarter of an hour
                write_atomically(out, text)
    typer.echo(text)
    if not all(each.as_it_should for each in courses):
        typer.echo("not every kind was mended", err=True)
        raise typer.Exit(1)
