"""``aiops investigate``: one full investigation of a recorded case."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(investigate)


def investigate(
    case: Annotated[str, typer.Argument(help="A folder, dataset:id, or an opaque id.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the report as Markdown.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write one HTML page.")
    ] = None,
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help="The analyzer that ranks.")
    ] = "aiops",
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0,
    top: Annotated[int, typer.Option("--top", min=1, help="Candidates to list.")] = 5,
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", envvar="AIOPS_DATASETS", help="Recorded data sets."),
    ] = Path("../shared/datasets"),
    inject_time: Annotated[
        float | None,
        typer.Option(
            "--inject-time", metavar="T", help="When the alert fired, in the case's clock."
        ),
    ] = None,
    graph: Annotated[
        Path | None, typer.Option("--graph", metavar="FILE", help="Call graph: source,target CSV.")
    ] = None,
    trigger: Annotated[
        str | None,
        typer.Option("--trigger", metavar="SVC[:METRIC]", help="What the alert fired on."),
    ] = None,
) -> None:
    """Investigate a recorded incident and report the root cause with its evidence."""
    import io
    import sys

    from aiops import plugins
    from aiops.analyze.explain import explain
    from aiops.app.cases import load
    from aiops.app.investigate import investigate as investigated
    from aiops.app.rendering import as_json as json_face
    from aiops.app.rendering import html as html_face
    from aiops.app.rendering import markdown as markdown_face
    from aiops.app.rendering import terminal
    from aiops.errors import InvalidInput
    from aiops.ports.cases import CaseHints

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that has no arrow shows a question mark, not a traceback.
        sys.stdout.reconfigure(errors="replace")
    if as_json and markdown:
        raise InvalidInput("--json and --markdown both print to standard output; choose one")
    analyzer = plugins.analyzer(method)
    recorded = load(case, data, CaseHints(inject_time, graph, trigger))
    report = investigated(recorded, analyzer, explain=explain, seed=seed, top=top)
    if html is not None:
        write_whole(html, html_face.render(report, recorded))
    if as_json:
        typer.echo(json_face.dumps(report), nl=False)
    elif markdown:
        typer.echo(markdown_face.render(report), nl=False)
    else:
        terminal.print_report(report, recorded, terminal.stdout())
    if html is not None:
        typer.echo(f"wrote {html}", err=True)
    if any(failed.step == "rank" for failed in report.failed_steps):
        raise typer.Exit(1)


def write_whole(path: Path, text: str) -> None:
    """Writes ``path`` all or not at all: to a file beside it, then by renaming.

    Raises:
        InvalidInput: the folder does not exist or cannot be written to.
    """
    import os
    import tempfile

    from aiops.errors import InvalidInput

    try:
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".draft")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}; give another FILE") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # mkstemp makes files for their owner alone; a report is as public as any other file.
        umask = os.umask(0)
        os.umask(umask)
        Path(draft).chmod(0o666 & ~umask)
        Path(draft).replace(path)
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}; give another FILE") from error
    finally:
        Path(draft).unlink(missing_ok=True)
