"""``aiops doctor``: everything that is configured, tried with a real read."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from aiops.cli.diagnosis import Finding
    from aiops.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="NAME", help="Try this webhook instead.")
    ] = None,
    payload: Annotated[
        Path | None, typer.Option("--payload", metavar="FILE", help="A body sent to it.")
    ] = None,
) -> None:
    """Test the database and every configured source and webhook; exit 1 where one fails."""
    from aiops import settings

    settings.must_be_known(os.environ)
    chosen = settings.load()
    if webhook is not None and payload is not None:
        _rehearse(chosen, webhook, payload, as_json)
    elif webhook is not None or payload is not None:
        raise InvalidInput("--webhook NAME and --payload FILE go together; give both")
    else:
        _diagnose(chosen, as_json)


def _diagnose(chosen: "Settings", as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from aiops.cli.diagnosis import diagnose
    from aiops.store.clock import SystemClock

    found = diagnose(chosen, SystemClock())
    failed = [one for one in found if not one.ok]
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "findings": [asdict(one) for one in found]}))
    else:
        for line in _table(found):
            typer.echo(line)
        typer.echo(f"{len(found) - len(failed)} of {len(found)} are fine")
        if not chosen.sources:
            typer.echo("no source is configured, so nothing is pulled: add [sources.NAME]")
    if failed:
        raise typer.Exit(1)


def _table(found: "tuple[Finding, ...]") -> list[str]:
    names = max(len(one.name) for one in found)
    kinds = max(len(one.kind) for one in found)
    return [
        f"{'ok' if one.ok else 'FAILED':<6}  {one.name:<{names}}  {one.kind:<{kinds}}  "
        f"{one.seconds * 1000:6.0f} ms  {one.seen}"
        for one in found
    ]


def _rehearse(chosen: "Settings", webhook: str, payload: Path, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from aiops.cli.diagnosis import described, rehearse
    from aiops.store.clock import SystemClock

    try:
        body = payload.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot read {payload}: {error.strerror}; give another FILE") from error
    made = rehearse(chosen, webhook, body, SystemClock())
    if as_json:
        typer.echo(json.dumps(asdict(made), default=str))
    else:
        for line in described(made):
            typer.echo(line)
