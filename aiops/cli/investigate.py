"""``aiops investigate``: one full investigation of a recorded case, or of an incident."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from aiops.cli import options
from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.model import CaseData
    from aiops.model.report import Report
    from aiops.ports.cases import CaseHints
    from aiops.ports.inquiry import Watch
    from aiops.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(investigate)


def investigate(
    case: Annotated[
        str | None, typer.Argument(help="A folder, DATASET:CASE, or a case id.")
    ] = None,
    incident: Annotated[
        str | None,
        typer.Option("--incident", metavar="ID", help="An incident of the service instead."),
    ] = None,
    policy: Annotated[
        str, typer.Option("--policy", metavar="NAME", help="Who chooses what is asked.")
    ] = "deterministic",
    method: options.Method = None,
    as_json: options.AsJson = False,
    as_markdown: options.AsMarkdown = False,
    html: options.Html = None,
    steps: Annotated[
        bool, typer.Option("--steps", help="Tell each step on standard error as it happens.")
    ] = False,
    trajectory: Annotated[
        Path | None,
        typer.Option("--trajectory", metavar="FILE", help="Also write each step, as JSON lines."),
    ] = None,
    seed: options.Seed = None,
    top: options.Top = None,
    data: options.Data = None,
    inject_time: options.InjectTime = None,
    graph: options.Graph = None,
    trigger: options.AlertOn = None,
) -> None:
    """Investigate a recorded incident and report the root cause with its evidence."""
    from aiops import settings
    from aiops.cli.faces import show
    from aiops.ports.cases import CaseHints

    if (case is None) == (incident is None):
        raise InvalidInput("say what to investigate: a recorded CASE, or --incident ID")
    chosen = settings.load(datasets=data, method=method, seed=seed, top=top)
    with _watching(steps, trajectory) as watch:
        if case is not None:
            hints = CaseHints(inject_time, graph, trigger)
            report, about = _recorded(chosen, case, hints, policy, watch)
        elif incident is not None:
            report, about = _live(chosen, incident, policy, watch)
    show(report, about, as_json=as_json, as_markdown=as_markdown, html=html)


def _recorded(
    chosen: "Settings", case: str, hints: "CaseHints", policy: str, watch: "Watch"
) -> "tuple[Report, CaseData]":
    from aiops.bootstrap import wire

    app = wire(chosen)
    recorded = app.load(case, hints)
    return app.investigate(recorded, policy, watch), recorded


def _live(
    chosen: "Settings", incident: str, policy: str, watch: "Watch"
) -> "tuple[Report, CaseData]":
    from aiops.agents.policies.named import named
    from aiops.app.kept_cases import case_behind
    from aiops.bootstrap.agents import ServiceRuns
    from aiops.bootstrap.background import reporting
    from aiops.bootstrap.durable import durable

    chooses = named(policy)
    with durable(chosen, application="aiops investigate") as service:
        found = service.incidents.get(incident)
        alerts = tuple(state.alert for state in service.incidents.alerts(incident))
        runs, run = ServiceRuns(service, chooses, watch), service.ids.new("run")
        report = runs(run, reporting(service).inquiry(found, alerts), incident)
        runs.forget(run)
        return report, case_behind(report, service.telemetry)


@contextmanager
def _watching(steps: bool, trajectory: Path | None) -> "Iterator[Watch]":
    """Whoever is to be told of each step; raises InvalidInput where the file cannot be written."""
    from aiops.app.trajectory import line_of, to_each, told

    watchers: list[Watch] = []
    with ExitStack() as stack:
        if steps:
            watchers.append(lambda moment: typer.echo(told(moment), err=True))
        if trajectory is not None:
            try:
                file = stack.enter_context(trajectory.open("w", encoding="utf-8", buffering=1))
            except OSError as error:
                raise InvalidInput(
                    f"cannot write {trajectory}: {error.strerror}; give another FILE"
                ) from error
            watchers.append(lambda moment: _put(file, line_of(moment)))
        yield to_each(*watchers)


def _put(file: TextIO, line: str) -> None:
    file.write(f"{line}\n")
