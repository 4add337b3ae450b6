"""A lab's Kubernetes API without processes: objects of hundreds of pods, for tests of tools."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.folder import KUBERNETES, STATE, Folder
from aiops_lab.kubernetes.bootstrap import NodeSpec
from aiops_lab.kubernetes.no_processes import NoProcesses
from aiops_lab.status import LabStatus, to_json
from aiops_lab.topology.load import load
from aiops_lab.topology.manifests import manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.ports.clock import Clock
    from aiops_lab.lab import Wanted

NOBODY_ASKS = "objects-only"
"""The stores' password: there are none to show it to."""


ROOMY = tuple(NodeSpec(f"lab-node-{n}", cpu="256", memory="1Ti") for n in (1, 2, 3))


@contextmanager
def objects_of(wanted: Wanted, clock: Clock, *, kubernetes_port: int = 0) -> Iterator[LabStatus]:
    """A topology's objects, served from a folder that is held meanwhile.

    Raises:
        LabRunning, CannotWrite, NotOurs: the folder cannot be had.
        NotServing: the port is taken.
    """
    topology, folder = load(wanted.topology), Folder(wanted.folder)
    now = clock.now()
    api = ByKubernetes(
        manifests(topology, now=now, password=NOBODY_ASKS, replicas=wanted.replicas),
        folder=folder.path / KUBERNETES,
        clock=clock,
        seed=wanted.seed,
        port=kubernetes_port,
        nodes=ROOMY,
    )
    folder.acquire()
    try:
        api.open(NoProcesses(clock))
        status = LabStatus(
            topology=topology.name,
            pid=os.getpid(),
            folder=str(folder.path),
            started=now.isoformat(timespec="seconds"),
            front_end="",
            kubernetes=str(api.kubeconfig),
            targets="",
            rate=0.0,
            services=(),
            seen=(),
            requests=0,
            errors=0,
            own_cores=0.0,
            own_resident=0,
        )
        folder.write(STATE, to_json(status))
        yield status
    finally:
        api.close()
        folder.release()
