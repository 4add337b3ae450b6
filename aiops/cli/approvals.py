"""``aiops approvals``: actions that wait for a person, and that person's answer.

On the database itself, as ``aiops token``: whoever may write it decides as an admin, under the
name that the operating system knows them by.
"""

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiops.cli.token import Url
from aiops.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from aiops.app.approvals.deciding import Decider
    from aiops.bootstrap.service import Service
    from aiops.model.approval import Approval, Decision
    from aiops.ports.approvals import Rehearsal

SHORTEST: Final = 8
"""Characters of a hash that tell an action from another one that somebody made to look like it."""
ApprovalId = Annotated[str, typer.Argument(metavar="ID", help="As 'aiops approvals list' says.")]
Hash = Annotated[
    str | None,
    typer.Option("--hash", metavar="HASH", help="Of the action you looked at; else it is asked."),
]
Reason = Annotated[str, typer.Option("--reason", help="For the timeline and the audit log.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Until it was carried out; exit 1 where it was not done.")
]
LOOK_S: Final = 0.5


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    own = typer.Typer(no_args_is_help=True, help="Actions that wait for a person's decision.")
    own.command("list")(list_)
    for command in (show, approve, reject, modify, escalate):
        own.command()(command)
    app.add_typer(own, name="approvals")


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    incident: Annotated[str | None, typer.Option("--incident", metavar="ID")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 50,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Print the actions that wait for a decision, newest first."""
    from aiops.app.approvals.agreement import agreement
    from aiops.app.approvals.picture import print_list
    from aiops.app.rendering.terminal import stdout
    from aiops.model.approval import OPEN

    with _service(url) as service:
        found = service.approvals.listed(() if everything else OPEN, incident=incident, limit=limit)
        stop, score = service.switch.state(), agreement(service.approvals)
        now = service.clock.now()
    if as_json:
        _print_json(found)
    else:
        print_list(found, stop, score, now, stdout())


def show(approval_id: ApprovalId, url: Url = None, as_json: AsJson = False) -> None:
    """Print one action: what it would change, how much that touches, how it is taken back."""
    with _service(url) as service:
        found = service.approvals.get(approval_id)
        if not as_json:
            _picture(service, found)
    if as_json:
        _print_json(found)


def approve(
    approval_id: ApprovalId,
    hash_: Hash = None,
    reason: Reason = "",
    wait: Wait = False,
    url: Url = None,
) -> None:
    """Let an action be carried out once, after looking at it; 'aiops serve' or a worker does it."""
    _decide(approval_id, "approve", hash_, reason, url)
    with _service(url) as service:
        _tell_what_follows(service, approval_id, wait)


def reject(
    approval_id: ApprovalId,
    reason: Reason,
    hash_: Hash = None,
    url: Url = None,
) -> None:
    """Have an action not carried out."""
    _decide(approval_id, "reject", hash_, reason, url)


def modify(
    approval_id: ApprovalId,
    arguments: Annotated[
        str, typer.Option("--arguments", metavar="JSON", help="All of them, as an object.")
    ],
    reason: Reason,
    hash_: Hash = None,
    url: Url = None,
) -> None:
    """Ask for the action with other arguments instead; somebody else approves that one."""
    _decide(approval_id, "modify", hash_, reason, url, arguments)


def escalate(approval_id: ApprovalId, reason: Reason, hash_: Hash = None, url: Url = None) -> None:
    """Leave the decision to an admin."""
    _decide(approval_id, "escalate", hash_, reason, url)


def operator() -> "Decider":
    """Whoever runs this command, by the system's own record: the environment can be set at will."""
    import os
    import pwd

    from aiops.app.approvals.deciding import Decider

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user that nobody named
        name = f"uid {os.getuid()}"
    return Decider(name, "admin")


def _decide(
    approval_id: str,
    decision: "Decision",
    stated: str | None,
    reason: str,
    url: str | None,
    arguments: str | None = None,
) -> None:
    import asyncio

    from aiops.app.approvals.deciding import Verdict
    from aiops.app.approvals.refusals import NotAsSeen
    from aiops.bootstrap.deciding import desk_of

    given = None if arguments is None else _object(arguments)
    with _service(url) as service:
        asked = service.approvals.get(approval_id)
        if stated is None:
            _picture(service, asked)
        action_hash = _stated(asked, stated, decision)
        verdict = Verdict(decision, action_hash, reason, given)
        try:
            with _rehearsal(service, asked.action.tool) as rehearsal:
                desk = desk_of(service, rehearsal)
                answered = asyncio.run(desk.decide(operator(), approval_id, verdict))
        except NotAsSeen as error:
            _picture(service, error.current)
            typer.echo(f"aiops: {error}", err=True)
            raise typer.Exit(1) from error
    if decision == "modify":
        typer.echo(f"approval {answered.id} stands in its place; somebody else has to approve it")
    else:
        typer.echo(f"approval {answered.id} is {answered.state}")


def _tell_what_follows(service: "Service", approval_id: str, wait: bool) -> None:
    """Who carries it out; with ``wait``, how that ended. Exits with 1 where it was not done."""
    import time

    approval = service.approvals.get(approval_id)
    if approval.mode == "shadow":
        typer.echo("in shadow mode nothing is carried out; your answer is compared, that is all")
        return
    if not wait:
        typer.echo("'aiops serve' or an 'aiops worker' carries it out; --wait shows how it ends")
        return
    while _under_way(approval, service.clock.now()):
        time.sleep(LOOK_S)
        approval = service.approvals.get(approval_id)
    nothing = f"approval {approval.id} is {approval.state}, and nobody carried it out in time"
    typer.echo(approval.outcome or nothing)
    if not (approval.outcome or "").startswith("done"):
        raise typer.Exit(1)


def _under_way(approval: "Approval", now: "datetime") -> bool:
    waits = approval.state == "approved" and now < approval.expires_at
    return approval.outcome is None and (waits or approval.state == "used")


@contextmanager
def _rehearsal(service: "Service", tool: str) -> "Iterator[Rehearsal | None]":
    """The tool that would do it, where it is configured here; else the gateway alone looks again.

    Raises:
        InvalidInput: a setting that cannot be used, by its key.
    """
    from aiops.bootstrap.tools import toolbelt_of, toolset_names

    toolset = tool.partition(".")[0]
    if toolset not in toolset_names(service.settings):
        yield None
        return
    with toolbelt_of(service, only=(toolset,)) as gateway:
        yield gateway


def _stated(asked: "Approval", stated: str | None, decision: str) -> str:
    """The hash of the action that was looked at, from the beginning of it.

    Raises:
        InvalidInput: it is too short, or nobody can be asked for it.
    """
    if stated is None:
        if not sys.stdin.isatty():
            raise InvalidInput(
                f"nobody is here to look at it: give --hash, from 'aiops approvals show {asked.id}'"
            )
        ask = f"To {decision} exactly this, type the first {SHORTEST} characters of its hash"
        stated = str(typer.prompt(ask))
    given = stated.strip().lower()
    if len(given) < SHORTEST:
        raise InvalidInput(f"--hash {stated!r}: give at least its first {SHORTEST} characters")
    return asked.action_hash if asked.action_hash.startswith(given) else given


def _object(arguments: str) -> str:
    """Canonical JSON of what was given; raises InvalidInput."""
    import json

    from aiops.model.canonical import canonical

    try:
        given = json.loads(arguments)
    except ValueError as error:
        raise InvalidInput(f"--arguments: no JSON: {error}") from error
    if not isinstance(given, dict):
        raise InvalidInput("--arguments: give an object, such as '{\"replicas\": 4}'")
    return canonical(given)


def _picture(service: "Service", approval: "Approval") -> None:
    from aiops.app.approvals.picture import print_approval
    from aiops.app.rendering.terminal import stdout

    print_approval(approval, service.clock.now(), stdout())


def _print_json(found: "Approval | tuple[Approval, ...]") -> None:
    import json

    from aiops.web.approvals import told

    many = found if isinstance(found, tuple) else (found,)
    bodies = [told(each).model_dump(mode="json") for each in many]
    typer.echo(json.dumps(bodies if isinstance(found, tuple) else bodies[0], indent=2))


@contextmanager
def _service(url: str | None) -> "Iterator[Service]":
    from aiops import settings
    from aiops.bootstrap.begun import begun
    from aiops.bootstrap.durable import durable

    with durable(begun(settings.load(database_url=url)), application="aiops approvals") as service:
        yield service
