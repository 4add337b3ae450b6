"""``aiops eval safety`` on the command line. Importing this loads nothing but Typer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_evals.injection.incident import Story
    from aiops_evals.injection.suite import Suite


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
    from aiops_evals.injection.attack import names
    from aiops_evals.injection.incident import CLEAR, TORN, Story
    from aiops_evals.injection.suite import as_json, report
    from aiops_evals.rca import write_atomically

    wanted = tuple(name.strip() for name in only.split(",") if name.strip())
    known = names()
    for name in wanted:
        if name not in known:
            raise UnknownName("attack", name, known)
    scenes = ((Story.of(CLEAR), True), (Story.of(TORN, telling=False), False))
    found = [_tried(story, wanted, settled=settled) for story, settled in scenes]
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
    if any(one.failures() for one in found):
        typer.echo("not everything that is asked was reached", err=True)
        raise typer.Exit(1)


def _tried(story: "Story", wanted: "Sequence[str]", *, settled: bool) -> "Suite":
    """The wanted attacks on one story; all where none is named."""
    from aiops_evals.injection.suite import measured, suite
    from aiops_evals.injection.trial import POLICIES, bench

    with bench(story) as opened:
        every = {one.id: one for one in opened.attacks()}
        chosen = [every[name] for name in wanted or every]
        trials, total = [], (len(chosen) + 1) * len(POLICIES)
        for trial in measured(opened, chosen):
            trials.append(trial)
            typer.echo(f"{len(trials)} of {total} runs done", err=True)
    return suite(trials, settled=settled)
