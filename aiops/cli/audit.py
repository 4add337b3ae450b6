"""``aiops audit``: who did what, and whether the record of it is as it was written."""

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.cli.token import Url
from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.store.sql.audit import SqlAudit

_SEAL = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    own = typer.Typer(no_args_is_help=True, help="The record of who did what.")
    own.command()(verify)
    own.command("list")(list_)
    app.add_typer(own, name="audit")


def verify(
    expect: Annotated[
        str | None,
        typer.Option(
            "--expect",
            metavar="NUMBER:HASH",
            help="A seal printed before; shows a record that was rewritten as a whole.",
        ),
    ] = None,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Check that no entry is missing or changed; exit 1 where one is."""
    import json

    known = _seal(expect)
    with _audit(url) as audit:
        broken = audit.broken_at()
        entries, head = audit.seal()
        if broken is None and known is not None and audit.hash_of(known[0]) != known[1]:
            broken = known[0]
    seal = f"{entries}:{head}"
    if as_json:
        typer.echo(json.dumps({"entries": entries, "broken_at": broken, "seal": seal}))
    elif broken is None:
        typer.echo(f"{entries:,} entries, none missing or changed; seal {seal}")
    else:
        typer.echo(
            f"entry {broken} of the audit log is missing or not as it was written. Stop what "
            "writes to the database, keep a copy of it, and compare with a backup",
            err=True,
        )
    if broken is not None:
        raise typer.Exit(1)


def list_(
    after: Annotated[int, typer.Option("--after", min=0, help="Only above this number.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000)] = 200,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Print who did what to what, oldest first."""
    import json
    from dataclasses import asdict
    from itertools import islice

    from aiops.analyze.wording import plain

    with _audit(url) as audit:
        found = list(islice(audit.entries(after), limit + 1))
    for number, entry in found[:limit]:
        if as_json:
            row = {"number": number, **asdict(entry), "at": entry.at.isoformat()}
            row["detail"] = json.loads(entry.detail) if entry.detail else None
            typer.echo(json.dumps(row))
        else:
            said = f"{entry.actor}  {entry.action}  {entry.target}  {entry.outcome}"
            typer.echo(f"{number:>6}  {entry.at:%Y-%m-%d %H:%M:%S}  {plain(said)}")
    if len(found) > limit:
        typer.echo(f"there are more: aiops audit list --after {found[limit - 1][0]}", err=True)


def _seal(given: str | None) -> tuple[int, str] | None:
    if given is None:
        return None
    matched = _SEAL.fullmatch(given.strip())
    if matched is None:
        raise InvalidInput(f"--expect {given!r}: give a seal as 'aiops audit verify' prints it")
    return int(matched[1]), matched[2]


@contextmanager
def _audit(url: str | None) -> "Iterator[SqlAudit]":
    """The log as it is: whoever checks it changes nothing, not even the schema."""
    from aiops import settings
    from aiops.bootstrap.begun import begun
    from aiops.store.sql.audit import SqlAudit
    from aiops.store.sql.engine import open_engine

    chosen = begun(settings.load(database_url=url))
    engine = open_engine(chosen.database_url, application="aiops audit")
    try:
        yield SqlAudit(engine)
    finally:
        engine.dispose()
