"""``aiops lab inject|revert|faults``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(".aiops-lab")

Dir = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The lab's one folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]


def register(lab: typer.Typer) -> None:
    """Adds the commands to those of the lab."""
    for command in (inject, revert, faults):
        lab.command()(command)


def inject(
    aim: Annotated[str, typer.Argument(metavar="TARGET/KIND", help="Such as carts/cpu.")],
    intensity: Annotated[float, typer.Option(help="From 0 (mild) to 1 (severe).")] = 0.5,
    duration: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds; else until it is reverted.")
    ] = None,
    at: Annotated[float, typer.Option(metavar="S", help="Seconds from now to its start.")] = 0.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter.")
    ] = None,
    folder: Dir = FOLDER,
    as_json: Json = False,
) -> None:
    """Break something in the running lab; aiops lab faults lists what."""
    from aiops_lab.faults.door import ask_to_inject
    from aiops_lab.faults.orders import Order
    from aiops_lab.folder import Folder

    Folder(folder).holder()
    order = Order(aim, intensity, at, duration, tuple(settings or ()))
    truth = ask_to_inject(folder, order)
    if as_json:
        _print_json(truth)
        return
    when = f"begins in {at:g} s" if at else "has begun"
    end = f"ends {duration:g} s later" if duration else f"ends with: aiops lab revert {truth['id']}"
    typer.echo(f"{truth['id']}  {_name(truth)} {when}, {end}")
    typer.echo(f"    {_parameters(truth)}" if truth["parameters"] else "    no parameters")


def revert(
    name: Annotated[str | None, typer.Argument(metavar="ID", help="Of one fault.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is broken.")] = False,
    folder: Dir = FOLDER,
    as_json: Json = False,
) -> None:
    """Put right what was injected, and cancel what has not begun."""
    from datetime import UTC, datetime

    from aiops.errors import InvalidInput
    from aiops_lab.faults.door import ask
    from aiops_lab.faults.session import settle
    from aiops_lab.folder import Folder, NoLab

    if everything == (name is not None):
        raise InvalidInput("name one fault, or --all; aiops lab faults lists what is active")
    try:
        Folder(folder).holder()
    except NoLab:
        if not everything:
            raise
        left = settle(folder, datetime.now(UTC))
        if not left:
            raise
        typer.echo(f"the lab in {folder} was killed, and {len(left)} of its faults ended with it")
        return
    done = ask(folder, do="revert-all") if everything else ask(folder, do="revert", id=name)
    if as_json:
        _print_json(done["truths"])
        return
    for truth in done["truths"]:
        typer.echo(f"{truth['id']}  {_name(truth)} is reverted")
    if not done["truths"]:
        typer.echo("nothing is broken")


def faults(
    topology: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of this system, where no lab runs.")
    ] = None,
    folder: Dir = FOLDER,
    as_json: Json = False,
) -> None:
    """List the faults there are, with parameters, defaults and targets, and what is active."""
    from aiops_lab.faults.door import ask
    from aiops_lab.faults.listing import lines, listing
    from aiops_lab.faults.ports import Ground
    from aiops_lab.folder import Folder, NoLab
    from aiops_lab.kubernetes.server import LAB_NODE
    from aiops_lab.topology.load import SHOP, load

    try:
        Folder(folder).holder()
        found = ask(folder, do="list")
    except NoLab:
        ground = Ground(load(topology or SHOP), (LAB_NODE.name,))
        found = {"kinds": listing(ground), "truths": []}
    if as_json:
        _print_json(found)
        return
    services = max(len(kind["targets"]) for kind in found["kinds"])
    _print(lines(found["kinds"], services))
    typer.echo("\nactive:" if found["truths"] else "\nnothing is broken now")
    _print(f"    {one['id']}  {_name(one)} since {one['start']}" for one in found["truths"])


def _print(texts: Iterable[str]) -> None:
    """Line by line, folded on a terminal."""
    import shutil
    import sys
    import textwrap

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    for text in texts:
        indent = " " * (len(text) - len(text.lstrip()) + 4)
        folded = textwrap.fill(
            text, width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
        ) if width > len(indent) else text  # fmt: skip
        typer.echo(folded)


def _name(truth: dict[str, Any]) -> str:
    return f"{truth['entity']['name']}/{truth['kind']}"


def _parameters(truth: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in truth["parameters"].items())


def _print_json(document: object) -> None:
    import json

    typer.echo(json.dumps(document, indent=1))
