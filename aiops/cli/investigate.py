"""``aiops investigate``: one full investigation of a recorded case, or of an incident."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.cli import options
from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.agents.trajectory.recording import Recording
    from aiops.agents.trajectory.steps import Record
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
        str | None,
        typer.Argument(help="A folder, a CSV file of metrics, DATASET:CASE, or a case id."),
    ] = None,
    incident: Annotated[
        str | None,
        typer.Option("--incident", metavar="ID", help="An incident of the service instead."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            "--policy", metavar="NAME", help="Who chooses what is asked: deterministic, or llm."
        ),
    ] = None,
    method: options.Method = None,
    as_json: options.AsJson = False,
    as_markdown: options.AsMarkdown = False,
    html: options.Html = None,
    steps: Annotated[
        bool,
        typer.Option(
            "--steps", help="Tell each step on standard error as it happens, and a model's words."
        ),
    ] = False,
    trajectory: Annotated[
        Path | None,
        typer.Option("--trajectory", metavar="FILE", help="Also write each step, as JSON lines."),
    ] = None,
    chat: Annotated[
        Path | None,
        typer.Option(
            "--trajectory-chat",
            metavar="FILE",
            help="Also write the run as a conversation, to fine-tune models on.",
        ),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay", metavar="FILE", help="Run again from a trajectory: nobody else is asked."
        ),
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
    if replay is not None and (trajectory, chat, policy, method, seed, top) != (None,) * 6:
        raise InvalidInput(
            "--replay takes policy, method, seed and top from its FILE and writes none: leave "
            "out --trajectory, --trajectory-chat, --policy, --method, --seed and --top"
        )
    hints = CaseHints(inject_time, graph, trigger)
    if replay is not None:
        report, about = _replayed(settings.load(datasets=data), replay, case, incident, hints)
    else:
        chosen = settings.load(datasets=data, method=method, policy=policy, seed=seed, top=top)
        with _listening(steps, trajectory, chat, chosen) as listeners:
            if case is not None:
                report, about = _recorded(chosen, case, hints, listeners)
            else:
                report, about = _live(chosen, str(incident), listeners)
    show(report, about, as_json=as_json, as_markdown=as_markdown, html=html)


@dataclass(frozen=True, slots=True)
class _Listeners:
    """Who is told of a run.

    Attributes:
        recording: None: it is not written down.
        reads_along: whether somebody looks at a model's answer while it comes.
    """

    watch: "Watch"
    recording: "Recording | None"
    reads_along: bool

    @property
    def record(self) -> "Record | None":
        return self.recording.record if self.recording is not None else None

    def ended(self, report: "Report") -> None:
        from aiops.app.rendering.as_json import dumps

        if self.recording is not None:
            self.recording.ended(dumps(report))


def _recorded(
    chosen: "Settings", case: str, hints: "CaseHints", listeners: _Listeners
) -> "tuple[Report, CaseData]":
    from aiops.bootstrap import wire

    app = wire(chosen)
    recorded = app.load(case, hints)
    report = app.investigate(
        recorded,
        listeners.watch,
        listeners.record,
        listeners.recording,
        words=listeners.reads_along,
    )
    listeners.ended(report)
    return report, recorded


def _live(chosen: "Settings", incident: str, listeners: _Listeners) -> "tuple[Report, CaseData]":
    from aiops.app.kept_cases import case_behind
    from aiops.bootstrap.agents import ServiceRuns
    from aiops.bootstrap.begun import begun
    from aiops.bootstrap.durable import durable
    from aiops.bootstrap.working import reporting

    with durable(begun(chosen), application="aiops investigate") as service:
        runs = ServiceRuns(service, listeners.watch, listeners.record, listeners.recording)
        found = service.incidents.get(incident)
        alerts = tuple(state.alert for state in service.incidents.alerts(incident))
        run = service.ids.new("run")
        report = runs(run, reporting(service).inquiry(found, alerts), incident)
        listeners.ended(report)
        runs.forget(run)
        return report, case_behind(report, service.telemetry)


def _replayed(
    chosen: "Settings", file: Path, case: str | None, incident: str | None, hints: "CaseHints"
) -> "tuple[Report, CaseData]":
    """The report of the recorded run again, and its case."""
    from aiops.app.kept_cases import case_behind
    from aiops.bootstrap import wire
    from aiops.bootstrap.begun import begun
    from aiops.bootstrap.durable import durable
    from aiops.bootstrap.policies import budget_of, policy_of
    from aiops.bootstrap.trajectories import replayed
    from aiops.bootstrap.working import reporting
    from aiops.llm.tape import MemoryTape
    from aiops.store.trajectory import read_trajectory

    recorded = read_trajectory(file)
    policy_then, made = recorded.header.begun.policy, recorded.header.made
    then = {"policy": policy_then, "method": made.method, "seed": made.seed, "top": made.top}
    chosen = chosen.model_copy(update=then)
    policy = policy_of(chosen, replay=MemoryTape(recorded.outcomes))
    budget = budget_of(chosen)
    if case is not None:
        app = wire(chosen)
        about = app.load(case, hints)
        return replayed(recorded, app.inquiry(about), policy, budget), about
    with durable(begun(chosen), application="aiops investigate") as service:
        found = service.incidents.get(str(incident))
        alerts = tuple(state.alert for state in service.incidents.alerts(found.id))
        inquiry = reporting(service).inquiry(found, alerts)
        report = replayed(recorded, inquiry, policy, budget)
        return report, case_behind(report, service.telemetry)


@contextmanager
def _listening(
    steps: bool, trajectory: Path | None, chat: Path | None, chosen: "Settings"
) -> "Iterator[_Listeners]":
    """Whoever is to be told; raises InvalidInput where a file cannot be written."""
    from aiops.agents.trajectory.chat import chat_of
    from aiops.app.watching import Steps, to_each
    from aiops.bootstrap.trajectories import recording
    from aiops.cli.faces import write_whole

    if chat is not None and not chat.parent.is_dir():
        raise InvalidInput(f"cannot write {chat}: its folder is not there; give another FILE")
    watchers: list[Watch] = []
    with ExitStack() as stack:
        if steps:
            watchers.append(Steps(lambda text: typer.echo(text, nl=False, err=True)))
        taken = None
        if trajectory is not None or chat is not None:
            taken = stack.enter_context(recording(trajectory, chosen))
            watchers.append(taken.moment)
        yield _Listeners(to_each(*watchers), taken, reads_along=steps)
    if chat is not None and taken is not None:
        write_whole(chat, f"{chat_of(taken.trajectory())}\n")
