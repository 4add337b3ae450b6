"""``aiops token``: keys to the API."""

import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from aiops.model.access import Token

_DAYS = re.compile(r"([1-9][0-9]{0,3})d")
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="sqlite:///FILE or postgresql://...; else as set."),
]
BY = "command line"


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    own = typer.Typer(no_args_is_help=True, help="Keys to the API and the pages.")
    own.command()(create)
    own.command("list")(list_)
    own.command()(revoke)
    app.add_typer(own, name="token")


def create(
    name: Annotated[str, typer.Argument(help="Whose it is: the actor in timelines.")],
    role: Annotated[
        str | None, typer.Option("--role", help="viewer, responder or admin: for the API.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="tools:TOOLSET[:CAPABILITY]",
            help="For tools over MCP instead of the API; repeatable.",
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="DAYS", help='Such as "90d"; else never.')
    ] = None,
    url: Url = None,
) -> None:
    """Make a token and print its secret, this once."""
    from aiops import settings
    from aiops.app import tokens
    from aiops.bootstrap.durable import durable
    from aiops.model.access import RANK

    if (role is None) == (not scope):
        raise InvalidInput("give either --role, for the API, or --scope, for tools over MCP")
    chosen = RANK[0] if scope else next((each for each in RANK if each == role), None)
    if chosen is None:
        raise InvalidInput(f"--role {role!r}: choose one of {', '.join(RANK)}")
    lifetime = _lifetime(expires)
    with durable(settings.load(database_url=url), application="aiops token") as service:
        issued = tokens.issue(
            service.tokens,
            service.ids,
            service.clock,
            secrets.token_bytes(tokens.ENTROPY_BYTES),
            name,
            chosen,
            by=BY,
            lifetime=lifetime,
            scopes=tuple(scope or ()),
        )
        service.audit.append(issued.audit)
    typer.echo(issued.secret)
    typer.echo(
        f"token {issued.token.id} for {issued.token.name} ({_opens(issued.token)}); keep the line "
        "above: it is shown once",
        err=True,
    )


def list_(
    url: Url = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Print the tokens, never their secrets."""
    import json

    from aiops import settings
    from aiops.bootstrap.durable import durable

    with durable(settings.load(database_url=url), application="aiops token") as service:
        found, now = service.tokens.all(), service.clock.now()
    if as_json:
        rows = [
            {
                "id": each.id,
                "name": each.name,
                "role": each.role,
                "scopes": list(each.scopes),
                "state": _state(each, now),
            }
            for each in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not found:
        typer.echo("no tokens yet; make one with: aiops token create NAME --role admin")
    for each in found:
        typer.echo(f"{each.id}  {_opens(each):9}  {_state(each, now):22}  {each.name}")


def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As 'aiops token list' says.")],
    url: Url = None,
) -> None:
    """End a token now."""
    from aiops import settings
    from aiops.app import tokens
    from aiops.bootstrap.durable import durable

    with durable(settings.load(database_url=url), application="aiops token") as service:
        gone, audit = tokens.revoke(service.tokens, service.clock, token_id, by=BY)
        service.audit.append(audit)
    typer.echo(f"token {gone.id} of {gone.name} is revoked")


def _opens(token: "Token") -> str:
    return " ".join(token.scopes) or token.role


def _lifetime(expires: str | None) -> timedelta | None:
    if expires is None:
        return None
    matched = _DAYS.fullmatch(expires)
    if matched is None:
        raise InvalidInput(f"--expires {expires!r}: give a number of days such as 90d")
    return timedelta(days=int(matched[1]))


def _state(token: "Token", now: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is None:
        return "valid"
    return f"{'valid until' if token.valid(now) else 'expired'} {token.expires_at:%Y-%m-%d}"
