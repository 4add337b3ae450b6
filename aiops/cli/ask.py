"""``aiops ask``: a question about incidents, answered with what the answer rests on.

On the database itself, as ``aiops approvals``: whoever may write it asks as an admin, under the
name that the operating system knows them by.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from aiops.cli.token import Url
from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from aiops.model.thread import Exchange, Reply


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(ask)


def ask(
    question: Annotated[str, typer.Argument(help='Such as "what is broken?" or "and its logs?".')],
    thread: Annotated[
        str | None, typer.Option("--thread", metavar="ID", help="Go on with a conversation.")
    ] = None,
    incident: Annotated[
        str | None, typer.Option("--incident", metavar="ID", help="Begin one about an incident.")
    ] = None,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Ask what is broken, why, since when, what changed, who is affected, what to do."""
    from aiops import settings
    from aiops.bootstrap.chat import chat_of
    from aiops.bootstrap.durable import durable
    from aiops.cli.approvals import operator

    if thread is not None and incident is not None:
        raise InvalidInput("--thread goes on with a conversation, --incident begins one: give one")
    who = operator()
    with durable(settings.load(database_url=url), application="aiops ask") as service:
        desk = chat_of(service)
        said = question.encode("utf-8", "replace").decode()
        about = thread or desk.open(who.name, incident).id
        asked = desk.take(about, who.name, who.role, said)
        reply = desk.answer(asked)
    if as_json:
        _print_json(asked, reply)
    else:
        _print(asked, reply)
    if reply.ending in ("failed", "refused"):
        raise typer.Exit(1)


def _print(asked: "Exchange", reply: "Reply") -> None:
    from aiops.analyze.wording import plain

    typer.echo(reply.text)
    if reply.cites:
        typer.echo("")
    for cited in reply.cites:
        typer.echo(f"  [{cited.id}] {plain(cited.claim)} ({plain(cited.of)})")
    if reply.basis:
        typer.echo(f"\nin the words of {plain(reply.by)}; the rules say:\n{reply.basis}")
    if reply.note:
        typer.echo(f"  {plain(reply.note)}")
    typer.echo(f'go on with: aiops ask --thread {asked.thread} "..."', err=True)


def _print_json(asked: "Exchange", reply: "Reply") -> None:
    import json
    from dataclasses import asdict

    answer = {"thread": asked.thread, "number": asked.number, **asdict(reply)}
    typer.echo(json.dumps(answer, indent=2, default=lambda at: at.isoformat()))
