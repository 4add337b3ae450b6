"""``aiops rca``: the analyzers alone."""

import typer

from aiops.cli import options


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(rca)


def rca(
    case: options.Case,
    method: options.Method = None,
    as_json: options.AsJson = False,
    as_markdown: options.AsMarkdown = False,
    html: options.Html = None,
    explain: options.Explain = False,
    seed: options.Seed = None,
    top: options.Top = None,
    data: options.Data = None,
    inject_time: options.InjectTime = None,
    graph: options.Graph = None,
    trigger: options.AlertOn = None,
) -> None:
    """Rank the likely causes of a recorded incident by one method."""
    from aiops import settings
    from aiops.bootstrap import wire
    from aiops.cli.faces import show
    from aiops.ports.cases import CaseHints

    app = wire(settings.load(datasets=data, method=method, seed=seed, top=top))
    recorded = app.load(case, CaseHints(inject_time, graph, trigger))
    if explain:
        from aiops.app.rendering import arguments

        typer.echo(arguments.render(app.argue(recorded), top=app.settings.top), nl=False)
        return
    report = app.rank(recorded)
    show(report, recorded, as_json=as_json, as_markdown=as_markdown, html=html)
