"""``aiops lab up|status|down``, and those of its faults, recordings and campaigns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aiops_lab.campaign.commands import register as register_campaign
from aiops_lab.faults.commands import register as register_faults
from aiops_lab.recording.commands import register as register_recording

if TYPE_CHECKING:
    from aiops_lab.lab import Lab

FOLDER = Path(".aiops-lab")
DOWN_S = 10.0
STALE_S = 20.0

Dir = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The lab's one folder.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    own = typer.Typer(no_args_is_help=True, help="A small real system to break, on this machine.")
    for command in (up, status, down):
        own.command()(command)
    register_faults(own)
    register_recording(own)
    register_campaign(own)
    app.add_typer(own, name="lab")


def up(
    topology: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What to run; else the sock shop.")
    ] = None,
    folder: Dir = FOLDER,
    rate: Annotated[float, typer.Option(min=0, max=1000, help="Users' requests a second.")] = 20.0,
    replicas: Annotated[
        int | None, typer.Option(min=1, max=20, help="Of each service that keeps no state.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the front end; 0: a free one.")
    ] = 0,
    kubernetes_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the Kubernetes API; 0: a free one.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn by chance.")] = 1,
    otlp: Annotated[
        str, typer.Option(metavar="URL", help="Where pods send spans and logs, OTLP over HTTP.")
    ] = "",
    with_monitoring: Annotated[
        bool,
        typer.Option(
            "--with-monitoring", help="Run Prometheus, Alertmanager and aiops serve over it."
        ),
    ] = False,
    aiops_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of that aiops serve; 0: a free one.")
    ] = 0,
    objects_only: Annotated[
        bool,
        typer.Option(
            "--objects-only", help="Only the Kubernetes API: its pods have no processes behind."
        ),
    ] = False,
) -> None:
    """Bring a lab up, show it, and end it all at Ctrl-C."""
    import os
    import signal
    import threading
    from contextlib import ExitStack
    from functools import partial

    from rich.console import Console

    from aiops.store.clock import SystemClock
    from aiops_lab.by_kubernetes import ByKubernetes
    from aiops_lab.faults.session import faults_of
    from aiops_lab.folder import KUBERNETES
    from aiops_lab.lab import Lab, Wanted
    from aiops_lab.objects_only import objects_of
    from aiops_lab.topology.load import SHOP
    from aiops_lab.view import follow
    from aiops_lab.watch.monitoring import Monitoring

    monitoring = Monitoring(os.environ, aiops_port) if with_monitoring else None
    wanted = Wanted(
        topology=topology or SHOP,
        folder=folder,
        replicas=replicas,
        port=port,
        seed=seed,
        otlp=otlp or (monitoring.places.aiops if monitoring else ""),
    )
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: over.set())
    clock = SystemClock()
    if objects_only:
        with objects_of(wanted, clock, kubernetes_port=kubernetes_port) as served:
            typer.echo(f"kubernetes    kubectl --kubeconfig {served.kubernetes} get pods -A")
            over.wait()
        typer.echo("the lab has ended")
        return
    kubernetes = partial(
        ByKubernetes,
        folder=folder.absolute() / KUBERNETES,
        clock=clock,
        seed=seed,
        port=kubernetes_port,
    )
    lab = Lab(wanted, now=clock.now, orchestrator=kubernetes)
    with ExitStack() as held:
        lab.open()
        held.callback(lab.close)
        held.enter_context(faults_of(lab, clock))
        if not over.is_set():
            seconds = lab.wait_ready(stopped=over.is_set)
            if monitoring:
                held.callback(monitoring.close)
                monitoring.open(lab, over.is_set)
            _say_where(lab, seconds)
            lab.users(rate)
        follow(Console(), lab.status, over.wait)
    typer.echo("the lab has ended")


def _say_where(lab: Lab, seconds: float) -> None:
    from aiops_lab.view import places

    status = lab.status()
    pods = sum(one.pods for one in status.services)
    typer.echo(f"{status.topology}: {pods} pods ready after {seconds:.1f} s")
    for name, where in places(status):
        typer.echo(f"{name:<13} {where}")


def status(
    folder: Dir = FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say how the lab is; exit 1 where a pod is not ready, or where that is not known."""
    import json
    from datetime import UTC, datetime

    from rich.console import Console

    from aiops_lab.folder import STATE, Folder
    from aiops_lab.status import from_json
    from aiops_lab.view import picture

    held = Folder(folder)
    held.holder()
    document = held.read(STATE)
    found = from_json(document)
    said = datetime.fromisoformat(found.at) if found.at else datetime.now(UTC)
    late = (datetime.now(UTC) - said).total_seconds()
    if as_json:
        typer.echo(json.dumps(document))
    else:
        Console().print(picture(found))
    if late > STALE_S:
        typer.echo(
            f"this is {late:.0f} s old: the lab has written nothing since; is the disk of "
            f"{folder} full?",
            err=True,
        )
    if not found.ready or late > STALE_S:
        raise typer.Exit(1)


def down(folder: Dir = FOLDER) -> None:
    """End the lab that runs in the folder."""
    import os
    import signal
    import time

    from aiops_lab.folder import Folder, NoLab

    held = Folder(folder)
    pid = held.holder()
    end = time.monotonic() + DOWN_S
    number = signal.SIGTERM
    while True:
        try:
            os.kill(pid, number)
            while time.monotonic() < end:
                if held.holder() != pid:
                    break
                time.sleep(0.05)
        except (NoLab, ProcessLookupError):
            typer.echo("the lab has ended")
            return
        # It does not answer; its children die with it.
        number, end = signal.SIGKILL, time.monotonic() + DOWN_S
