"""``aiops demo``: a recorded incident, replayed end to end."""

from typing import Annotated

import typer

from aiops.cli import options

CASE = "synthetic:7:network_delay"
"""A planted world until a recording of the lab is bundled."""


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Print the report and stop.")] = False,
    html: options.Html = None,
) -> None:
    """Replay an incident end to end and print its report."""
    from aiops import settings
    from aiops.bootstrap import wire
    from aiops.cli.faces import show
    from aiops.ports.cases import CaseHints

    del once  # there is no page to serve yet: both print
    app = wire(settings.load())
    recorded = app.load(CASE, CaseHints())
    show(app.investigate(recorded), recorded, html=html)
