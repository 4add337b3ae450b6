"""``aiops investigate``: one full investigation of a recorded case."""

import typer

from aiops.cli import options


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(investigate)


def investigate(
    case: options.Case,
    method: options.Method = None,
    as_json: options.AsJson = False,
    as_markdown: options.AsMarkdown = False,
    html: options.Html = None,
    seed: options.Seed = None,
    top: options.Top = None,
    data: options.Data = None,
    inject_time: options.InjectTime = None,
    graph: options.Graph = None,
    trigger: options.AlertOn = None,
) -> None:
    """Investigate a recorded incident and report the root cause with its evidence."""
    from aiops import settings
    from aiops.bootstrap import wire
    from aiops.cli.faces import show
    from aiops.ports.cases import CaseHints

    app = wire(settings.load(datasets=data, method=method, seed=seed, top=top))
    recorded = app.load(case, CaseHints(inject_time, graph, trigger))
    report = app.investigate(recorded)
    show(report, recorded, as_json=as_json, as_markdown=as_markdown, html=html)
