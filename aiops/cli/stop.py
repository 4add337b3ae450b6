"""``aiops stop`` and ``aiops resume``: no write of any process passes, and passes again."""

from typing import Annotated

import typer

from aiops.cli.token import Url


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    app.command()(stop)
    app.command()(resume)


def stop(
    reason: Annotated[str, typer.Argument(help="Why, for those who find everything stopped.")],
    url: Url = None,
) -> None:
    """Stop every write of aiops at once; reads and investigations go on."""
    from aiops import settings
    from aiops.analyze.wording import plain
    from aiops.bootstrap.begun import begun
    from aiops.bootstrap.deciding import brake_of
    from aiops.bootstrap.durable import durable
    from aiops.cli.approvals import operator

    chosen = begun(settings.load(database_url=url))
    with durable(chosen, application="aiops stop") as service:
        now = brake_of(service).stop(operator(), reason)
    typer.echo(
        f"all writes are stopped by {plain(now.by)} since {now.at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{plain(now.reason)}; "
        "let them pass again with: aiops resume"
    )


def resume(
    reason: Annotated[str, typer.Option("--reason", help="For the audit log.")] = "",
    url: Url = None,
) -> None:
    """Let writes pass again, each with its approval as before."""
    from aiops import settings
    from aiops.analyze.wording import plain
    from aiops.bootstrap.begun import begun
    from aiops.bootstrap.deciding import brake_of
    from aiops.bootstrap.durable import durable
    from aiops.cli.approvals import operator

    chosen = begun(settings.load(database_url=url))
    with durable(chosen, application="aiops resume") as service:
        was = brake_of(service).resume(operator(), reason)
    typer.echo(f"writes pass again; stopped by {plain(was.by)} until now: {plain(was.reason)}")
