"""``aiops mcp``: our toolsets as MCP servers, and other people's servers as toolsets of ours."""

import getpass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiops.errors import InvalidInput, ToolFailed, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mcp_types import Tool

    from aiops.settings import Settings
    from aiops.toolbelt.mcp_lint import Finding
    from aiops.toolbelt.mcp_third_party import ThirdParty

PORT: Final = 8090
Name = Annotated[str, typer.Argument(metavar="NAME", help="As 'aiops mcp list' says.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    own = typer.Typer(no_args_is_help=True, help="MCP servers: ours, and other people's.")
    own.command("list")(list_)
    own.command()(serve)
    own.command()(inspect)
    own.command()(pin)
    app.add_typer(own, name="mcp")


def serve(
    name: Name,
    http: Annotated[
        bool, typer.Option("--http", help="Over HTTP, for tokens with --scope tools:NAME.")
    ] = False,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")
    ] = PORT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="Clients call this machine so, too."),
    ] = None,
    capability: Annotated[
        str,
        typer.Option(
            "--capability",
            help="Of whoever starts it over standard input: observer, or probe to read clusters.",
        ),
    ] = "observer",
) -> None:
    """Serve one toolset over MCP until told to stop; every call passes the gateway."""
    import asyncio
    import secrets

    from aiops import settings
    from aiops.bootstrap.durable import durable
    from aiops.bootstrap.tools import toolbelt_of
    from aiops.toolbelt.mcp_identity import KEY_BYTES, Seal
    from aiops_mcp import serving
    from aiops_mcp.door import Door
    from aiops_mcp.http import Tokens
    from aiops_mcp.shelf import Shelf, shipped_playbooks

    unsigned = next((each for each in ("observer", "probe") if each == capability), None)
    if unsigned is None:
        raise InvalidInput(
            f"--capability {capability!r}: observer or probe; a change needs a signed caller"
        )
    chosen = settings.load()
    _must_be_ours(chosen, name)
    listening = serving.listen(host, port) if http else None
    key = chosen.gateway.identity_key
    secret = secrets.token_bytes(KEY_BYTES) if key is None else key.get_secret_value().encode()
    with (
        durable(chosen, application="aiops mcp") as service,
        toolbelt_of(service, only=(name,)) as belt,
    ):
        door = Door(Seal(secret, name), service.clock, service.ids, service.audit)
        shelf = Shelf(service.investigations, shipped_playbooks())
        if listening is None:
            asyncio.run(serving.over_stdio(name, belt, door, shelf, getpass.getuser(), unsigned))
            return
        tokens = Tokens(service.tokens, service.clock, name)
        said = f"toolset {name} is served on %s; make a token with: aiops token create WHO --scope "
        asyncio.run(
            serving.over_http(
                name,
                belt,
                door,
                shelf,
                tokens,
                listening,
                allow_host or (),
                lambda address: typer.echo(f"{said % address}tools:{name}:probe", err=True),
            )
        )


def list_(as_json: AsJson = False) -> None:
    """Print our toolsets, and the state of other people's servers."""
    import json
    from concurrent.futures import ThreadPoolExecutor

    from aiops import settings
    from aiops.bootstrap.third_parties import third_party
    from aiops.bootstrap.tools import taken_names, toolset_names

    chosen = settings.load()
    ours = toolset_names(chosen)
    theirs = [third_party(chosen, name, taken_names(chosen)) for name in sorted(chosen.mcp)]
    with ThreadPoolExecutor(max_workers=max(1, len(theirs))) as pool:  # none waits for a dead one
        states = list(pool.map(_state, theirs))
    if as_json:
        rows = [{"name": name, "of": "aiops"} for name in ours]
        rows += [
            {"name": each.name, "of": "third party", "state": state}
            for each, state in zip(theirs, states, strict=True)
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    for name in ours:
        typer.echo(f"{name:20} ours; serve it with: aiops mcp serve {name}")
    for each, state in zip(theirs, states, strict=True):
        typer.echo(f"{each.name:20} third party; {state}")


def inspect(name: Name, as_json: AsJson = False) -> None:
    """Print what another's server offers now, beside what was pinned, and what is wrong with it."""
    import json

    from aiops import settings
    from aiops.toolbelt.mcp_pins import compared, pin_of

    chosen = settings.load()
    server = _theirs(chosen, name)
    try:
        listed = server.listed()
    finally:
        server.close()
    changes, findings = compared(server.pinned, listed), _linted(chosen, server, listed)
    if as_json:
        rows = [
            {
                "tool": tool,
                "change": change,
                "used": tool in server.named,
                "sha256": next((pin_of(each).digest for each in listed if each.name == tool), None),
                "findings": [str(each) for each in findings if each.tool == ascii(tool)[1:-1]],
            }
            for tool, change in changes.items()
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    for tool, change in changes.items():
        used = "used" if tool in server.named else "not named in the configuration"
        typer.echo(f"{ascii(tool)[1:-1]:40} {change:8} {used}")
    for finding in findings:
        typer.echo(f"  ! {finding}")


def pin(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; for who has looked.")] = False,
    accept: Annotated[
        list[str] | None,
        typer.Option("--accept", metavar="TOOL", help="Pin it though something is wrong with it."),
    ] = None,
) -> None:
    """Accept another server's tools as they are now; what changes later is not called."""
    from datetime import UTC, datetime

    from aiops import settings
    from aiops.toolbelt import mcp_pins

    chosen = settings.load()
    server = _theirs(chosen, name)
    try:
        listed = server.listed()
    finally:
        server.close()
    wanted = [each for each in listed if each.name in server.named]
    if not wanted:
        offered = ", ".join(ascii(each.name)[1:-1] for each in listed[:20])
        raise InvalidInput(
            f"mcp.{name} names none of its tools; list those to be used as 'allow' (they only "
            f"read) or 'writes'; it offers: {offered or 'nothing'}"
        )
    findings = _linted(chosen, server, wanted)
    refused = [each for each in findings if each.fatal or each.tool not in (accept or ())]
    for each in wanted:
        change = mcp_pins.compared(server.pinned, listed)[each.name]
        typer.echo(f"{each.name} ({change}): {ascii(each.description or '')[1:-1][:500]}")
    if refused:
        said = "; ".join(str(each) for each in refused[:5])
        raise InvalidInput(
            f"nothing is pinned: {said}. Leave the tool out of the configuration, or, where "
            "somebody has read it and it is harmless, give --accept TOOL"
        )
    if not yes and not typer.confirm(f"Pin {len(wanted)} tools of {name} as they are now?"):
        typer.echo("nothing was pinned")
        return
    pins = tuple(mcp_pins.pin_of(each) for each in wanted)
    reach, now = server.pinned.reach, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    pinned = mcp_pins.Pinned(reach, getpass.getuser(), now, pins)
    path = server.pins_file
    mcp_pins.write(path, mcp_pins.read(path).with_server(name, pinned))
    typer.echo(f"{len(pins)} tools of {name} are pinned in {path}")


def _theirs(chosen: "Settings", name: str) -> "ThirdParty":
    from aiops.bootstrap.third_parties import third_party
    from aiops.bootstrap.tools import taken_names

    if name not in chosen.mcp:
        known = tuple(sorted(chosen.mcp)) or ("none is set under [mcp]",)
        raise UnknownName("server of others", name, known)
    return third_party(chosen, name, taken_names(chosen))


def _must_be_ours(chosen: "Settings", name: str) -> None:
    from aiops.bootstrap.tools import toolset_names

    if name not in toolset_names(chosen):
        raise UnknownName("toolset", name, toolset_names(chosen))


def _linted(
    chosen: "Settings", server: "ThirdParty", listed: "Sequence[Tool]"
) -> "tuple[Finding, ...]":
    """What is wrong with its tools, seen beside every other tool there is."""
    import asyncio

    from aiops.bootstrap.service import in_memory
    from aiops.bootstrap.tools import toolbelt_of
    from aiops.toolbelt.mcp_lint import linted
    from aiops.toolbelt.mcp_pins import pin_of

    with toolbelt_of(in_memory(chosen)) as belt:
        specs = asyncio.run(belt.specs())
    others = [spec.name for spec in specs if spec.toolset != server.name]
    return linted([pin_of(each) for each in listed], others)


def _state(server: "ThirdParty") -> str:
    try:
        return server.check()
    except ToolFailed as failed:
        return failed.reason
    finally:
        server.close()
