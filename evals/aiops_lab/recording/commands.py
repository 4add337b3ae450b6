"""``aiops lab record``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(lab: typer.Typer) -> None:
    """Adds the command to those of the lab."""
    lab.command()(record)


def record(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the case.")],
    aims: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET/KIND...", help="Such as carts/cpu; several at once."),
    ] = None,
    healthy: Annotated[bool, typer.Option("--healthy", help="Break nothing.")] = False,
    baseline: Annotated[float, typer.Option(min=1, max=3600, metavar="S")] = 60.0,
    fault: Annotated[float, typer.Option(min=1, max=3600, metavar="S")] = 60.0,
    recovery: Annotated[float, typer.Option(min=0, max=3600, metavar="S")] = 30.0,
    intensity: Annotated[float, typer.Option(help="From 0 (mild) to 1 (severe).")] = 0.5,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter.")
    ] = None,
    topology: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What to run; else the sock shop.")
    ] = None,
    rate: Annotated[float, typer.Option(min=0, max=1000, help="Users' requests a second.")] = 5.0,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn by chance.")] = 1,
) -> None:
    """Bring a lab up, break something in it, and write what was seen as a case."""
    import signal
    import tempfile

    from aiops.errors import InvalidInput
    from aiops.store.clock import SystemClock
    from aiops_lab.faults.orders import Order, read_order
    from aiops_lab.faults.ports import Ground
    from aiops_lab.kubernetes.server import LAB_NODE
    from aiops_lab.lab import Wanted
    from aiops_lab.recording.case_folder import FolderTaken
    from aiops_lab.recording.record import Phases, lab_for_recording
    from aiops_lab.recording.record import record as write_case
    from aiops_lab.topology.load import SHOP, load

    if healthy == bool(aims):
        raise InvalidInput("name what to break, as aiops lab faults lists it, or say --healthy")
    if out.exists():
        raise FolderTaken(out)
    file = topology or SHOP
    orders = [Order(aim, intensity, settings=tuple(settings or ())) for aim in aims or ()]
    for order in orders:  # before anything is started
        read_order(order, Ground(load(file), (LAB_NODE.name,)))
    phases, clock = Phases(baseline, fault, recovery), SystemClock()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="aiops-lab-") as folder:
        wanted = Wanted(topology=file, folder=Path(folder) / "lab", seed=seed)
        try:
            with lab_for_recording(wanted, rate, clock=clock) as (lab, engine):
                seconds = baseline + fault + recovery
                typer.echo(f"{lab.topology.name} is up; the case takes {seconds:g} s")
                done = write_case(lab, engine, orders, phases, out, clock=clock, seed=seed)
        except KeyboardInterrupt:
            typer.echo("stopped; nothing was written", err=True)
            raise typer.Exit(1) from None
    size = sum(path.stat().st_size for path in done.folder.iterdir())
    typer.echo(f"{done.folder}: {size / 1000:.0f} kB, busiest CPU {done.busiest_cpu:.0%}")
    for truth in done.cause:
        typer.echo(f"  broken: {truth.name} ({truth.fault_type.value})")
