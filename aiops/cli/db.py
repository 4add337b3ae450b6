"""``aiops db``: the database's schema, its backups, and what it forgets."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import DataclassInstance

    from aiops.store.sql.engine import Engine

Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="sqlite:///FILE or postgresql://...; else as set."),
]
Archive = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    own = typer.Typer(no_args_is_help=True, help="The database: schema, backup, retention.")
    for command in (upgrade, status, backup, restore, prune):
        own.command()(command)
    app.add_typer(own, name="db")


def upgrade(url: Url = None) -> None:
    """Bring the database to the schema this version needs."""
    from aiops.store.sql import schema

    with _opened(url) as engine:
        before = schema.upgrade(engine)
    if before.pending:
        typer.echo(f"upgraded from {before.at or 'nothing'} to {before.head}")
    else:
        typer.echo(f"already at {before.head}")


def status(
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say where the database stands; exit 1 where an upgrade is pending."""
    import json
    from dataclasses import asdict

    from aiops.store.sql import schema

    with _opened(url) as engine:
        found = schema.status(engine)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
    elif found.pending:
        pending = ", ".join(found.pending)
        typer.echo(f"at {found.at or 'nothing'}; pending: {pending}. Run 'aiops db upgrade'.")
    else:
        typer.echo(f"at {found.at}; nothing is pending")
    if found.pending:
        raise typer.Exit(1)


def backup(file: Archive, url: Url = None) -> None:
    """Write everything into one file that either engine can be restored from."""
    from aiops.store.clock import SystemClock
    from aiops.store.sql import archive

    with _opened(url) as engine:
        made = archive.backup(engine, file, SystemClock().now())
    typer.echo(f"{file}: {made.rows} rows at revision {made.revision}")


def restore(
    file: Archive,
    url: Url = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop what the database holds first.")
    ] = False,
) -> None:
    """Read a backup into an empty database, and upgrade it."""
    from aiops import settings
    from aiops.store.sql import archive
    from aiops.store.sql.whole import whole

    chosen = settings.load(database_url=url).database_url
    with whole(chosen, application="aiops db") as engine:
        read = archive.restore(engine, file, replace=replace)
    typer.echo(f"{file}: {read.rows} rows of {read.made_at} restored")


def prune(url: Url = None) -> None:
    """Forget what is older than the settings say; telemetry of open incidents stays."""
    from datetime import timedelta

    from aiops import settings
    from aiops.store.clock import SystemClock
    from aiops.store.sql import pruning, retention

    chosen = settings.load(database_url=url)
    now, kept = SystemClock().now(), chosen.retention
    with _opened(url) as engine:
        if kept.telemetry_days:
            looked_at = retention.looked_at(engine, timedelta(seconds=chosen.window.before_s), now)
            old = now - timedelta(days=kept.telemetry_days)
            _say("telemetry", kept.telemetry_days, retention.prune(engine, old, looked_at))
        if kept.incidents_days:
            old = now - timedelta(days=kept.incidents_days)
            _say("incidents", kept.incidents_days, pruning.prune_incidents(engine, old))
        if kept.events_days:
            old = now - timedelta(days=kept.events_days)
            events, steps = pruning.prune_events(engine, old), pruning.prune_progress(engine, old)
            gone = f"{events} events, {steps} steps of investigations"
            typer.echo(f"events older than {kept.events_days:g} days: {gone} forgotten")


def _say(what: str, days: float, counts: "DataclassInstance") -> None:
    from dataclasses import asdict

    gone = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in asdict(counts).items() if n)
    typer.echo(f"{what} older than {days:g} days: {gone or 'nothing'} forgotten")


@contextmanager
def _opened(url: str | None) -> "Iterator[Engine]":
    from aiops import settings
    from aiops.store.sql.engine import open_engine

    engine = open_engine(settings.load(database_url=url).database_url, application="aiops db")
    try:
        yield engine
    finally:
        engine.dispose()
