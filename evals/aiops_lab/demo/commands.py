"""``aiops demo``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from aiops.model import CaseData
    from aiops_lab.demo.replayed import Replayed

CASE = "case-038"
ANSWERS = "answers.json"


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the report and stop.")] = False,
    case: Annotated[
        str, typer.Option("--case", metavar="NAME", help="Which of the recordings.")
    ] = CASE,
    listed: Annotated[bool, typer.Option("--list", help="Say which recordings there are.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write one HTML page.")
    ] = None,
) -> None:
    """Let a recorded incident happen again, from the alert to the report."""
    if listed:
        _list()
        return
    _replay(case, stay=not once and not as_json and sys.stdout.isatty(), json=as_json, html=html)


def _replay(name: str, *, stay: bool, json: bool, html: Path | None) -> None:
    import logging
    from contextlib import ExitStack, suppress
    from tempfile import TemporaryDirectory
    from threading import Event

    import structlog

    from aiops.app.kept_cases import case_behind
    from aiops.cli.faces import show
    from aiops_lab.demo.replayed import replayed

    # Only what went wrong, and no traceback that shows the values of variables.
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    folder, recorded = _recording(name)
    if not json:
        typer.echo(
            f"{name} of our lab, recorded on {recorded.window.start:%d %B %Y}, happens again; "
            "its report takes some ten seconds.\n"
        )
    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory(prefix="aiops-demo-")))
        running = stack.enter_context(replayed(recorded, place))
        running.fire()
        incident, report = running.outcome()
        if not json:
            _tell(running, incident.id)
        show(report, case_behind(report, running.service.telemetry), as_json=json, html=html)
        if json:
            return
        typer.echo(f"\nWhat was broken there, which aiops has not read: {folder / ANSWERS}")
        if stay:
            page = f"{running.address}/incidents/{incident.id}"
            typer.echo(f"The incident and its report: {page}\nCtrl-C ends the demo.")
            with suppress(KeyboardInterrupt):
                Event().wait()


def _tell(running: Replayed, incident: str) -> None:
    """What happened until the report, by the incident's own timeline."""
    trigger = running.case.trigger
    if trigger.at is not None:
        typer.echo(f"{trigger.at:%H:%M:%S}  Fires: {trigger.statement}")
    for entry in running.service.incidents.timeline(incident):
        if entry.kind == "investigation_finished":
            typer.echo(f"{entry.at:%H:%M:%S}  Investigated\n")
        else:
            typer.echo(f"{entry.at:%H:%M:%S}  {entry.text}")


def _recording(name: str) -> tuple[Path, CaseData]:
    """Raises UnknownName, NotBundled, InvalidData."""
    from aiops.errors import UnknownName
    from aiops.ports.cases import CaseHints
    from aiops_datasets import bundled
    from aiops_datasets.uniform import UniformLayout

    layout = UniformLayout()
    places = {place.name: place for place in layout.locate(bundled.root() / bundled.DEMO)}
    if name not in places:
        raise UnknownName("recording", name, tuple(places))
    return places[name].path, layout.load(places[name], CaseHints())


def _list() -> None:
    from aiops_datasets import bundled, public
    from aiops_datasets.uniform import UniformLayout

    for place in UniformLayout().locate(bundled.root() / bundled.DEMO):
        said = public.apart("case", place.path / "case.json")
        typer.echo(f"{place.name}  {said.get('query', '')}")
