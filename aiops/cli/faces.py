"""A report to standard output in the face asked for, and to a file all or not at all."""

import io
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aiops.errors import AnalysisFailed, InvalidInput

if TYPE_CHECKING:
    from aiops.model import CaseData
    from aiops.model.report import Report


def show(
    report: "Report",
    case: "CaseData",
    *,
    as_json: bool = False,
    as_markdown: bool = False,
    html: Path | None = None,
) -> None:
    """Print ``report`` and write its page.

    Raises:
        AnalysisFailed: nothing was ranked; after printing, since the report says why.
        InvalidInput: the page cannot be written.
    """
    from aiops.app.rendering import as_json as json_face
    from aiops.app.rendering import html as html_face
    from aiops.app.rendering import markdown as markdown_face
    from aiops.app.rendering import terminal

    if as_json and as_markdown:
        raise InvalidInput("--json and --markdown both print to standard output; choose one")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that has no arrow shows a question mark, not a traceback.
        sys.stdout.reconfigure(errors="replace")
    if html is not None:
        write_whole(html, html_face.render(report, case))
    if as_json:
        typer.echo(json_face.dumps(report), nl=False)
    elif as_markdown:
        typer.echo(markdown_face.render(report), nl=False)
    else:
        terminal.print_report(report, case, terminal.stdout())
    if html is not None:
        typer.echo(f"wrote {html}", err=True)
    failed = next((step for step in report.failed_steps if step.step == "rank"), None)
    if failed is not None:
        raise AnalysisFailed(failed.reason)


def write_whole(path: Path, text: str) -> None:
    """Writes ``path`` all or not at all: to a file beside it, then by renaming.

    Raises:
        InvalidInput: the folder does not exist or cannot be written to.
    """
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
