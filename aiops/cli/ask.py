"""``aiops ask``: a question about incidents, answered with what the answer rests on.

On the database itself, as ``aiops approvals``: whoever may write it asks as an admin, under the
name that the operating system knows them by.
"""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiops.cli.token import Url
from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from aiops.bootstrap.service import Service
    from aiops.model.thread import Exchange, Reply

LEAD: Final = "a model writes, not checked yet: "
RECENT: Final = 200
"""Conversations, of everybody, among which one's own last one is looked for."""


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
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Go on with the conversation that you began last.")
    ] = False,
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Ask what is broken, why, since when, what changed, who is affected, what to do.

    Where a language model is set, what it writes is shown on standard error as it comes; the answer
    follows once it is known whether its words stand.
    """
    from aiops import settings
    from aiops.app.watching import Growing
    from aiops.bootstrap.begun import begun
    from aiops.bootstrap.chat import chat_of
    from aiops.bootstrap.durable import durable
    from aiops.cli.approvals import operator

    if (thread is not None) + (incident is not None) + go_on > 1:
        raise InvalidInput("of --thread, --go-on and --incident give one: go on, or begin another")
    who = operator()
    with durable(begun(settings.load(database_url=url)), application="aiops ask") as service:
        writes = Growing(lambda text: typer.echo(text, nl=False, err=True), keys=False)
        desk = chat_of(service, None if as_json else lambda piece: writes.more(piece, LEAD))
        said = question.encode("utf-8", "replace").decode()
        about = thread or (_last(service, who.name) if go_on else desk.open(who.name, incident).id)
        asked = desk.take(about, who.name, who.role, said)
        reply = desk.answer(asked)
        writes.end()
    if as_json:
        _print_json(asked, reply)
    else:
        _print(asked, reply)
    if reply.ending in ("failed", "refused"):
        raise typer.Exit(1)


def _last(service: "Service", author: str) -> str:
    """The conversation that they began last; raises InvalidInput where there is none."""
    recent = service.threads.newest(limit=RECENT)
    found = next((each.id for each in recent if each.opened_by == author), None)
    if found is None:
        raise InvalidInput("there is no conversation to go on with; ask without --go-on")
    return found


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
    typer.echo(f'go on with: aiops ask --go-on "..." (or --thread {asked.thread})', err=True)


def _print_json(asked: "Exchange", reply: "Reply") -> None:
    import json
    from dataclasses import asdict

    answer = {"thread": asked.thread, "number": asked.number, **asdict(reply)}
    typer.echo(json.dumps(answer, indent=2, default=lambda at: at.isoformat()))
