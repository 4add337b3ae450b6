"""A lab whose traces come to the recorder, up and with users."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.faults.session import faults_of
from aiops_lab.folder import KUBERNETES
from aiops_lab.lab import Lab
from aiops_lab.load.sessions import THINK_S
from aiops_lab.recording.collecting import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.ports.clock import Clock
    from aiops_lab.faults.engine import Engine
    from aiops_lab.lab import Wanted
    from aiops_lab.topology.model import Topology

SENT = 0.1
"""Share of traces that pods send: at five requests a second one every other second."""


class ObservedLab(Lab):
    """A lab with a Kubernetes API whose pods send their spans to ``collector``."""

    def __init__(self, wanted: Wanted, collector: Collector, clock: Clock) -> None:
        super().__init__(
            replace(wanted, otlp=collector.url),
            now=clock.now,
            orchestrator=partial(
                ByKubernetes,
                folder=wanted.folder.absolute() / KUBERNETES,
                clock=clock,
                seed=wanted.seed,
            ),
        )
        self.collector = collector


@contextmanager
def lab_for_recording(
    wanted: Wanted,
    rate: float,
    *,
    clock: Clock | None = None,
    sent: float = SENT,
) -> Iterator[tuple[Lab, Engine]]:
    """A lab that is up, ready and used, with its faults; both end with the block.

    Args:
        wanted: its ``otlp`` and ``sample`` are chosen here.
        rate: of users' requests a second.
        sent: share of traces that pods send; ``record`` keeps no more.

    Raises:
        LabRunning, CannotWrite, NotOurs, LabNotReady: see Lab.
    """
    from aiops.store.clock import SystemClock

    clock = clock or SystemClock()
    with Collector(sent) as collector:
        lab = ObservedLab(replace(wanted, sample=sent), collector, clock)
        lab.open()
        try:
            with faults_of(lab, clock) as engine:
                lab.wait_ready()
                lab.users(rate)
                time.sleep(_settling_s(lab.topology))
                yield lab, engine
        finally:
            lab.close()


def _settling_s(topology: Topology) -> float:
    """Until users' first visits are over: no baseline should hold the time before.

    Connections are opened and caches filled then, and everybody is at the first steps of a visit.
    """
    return THINK_S * max(len(visit.requests) for visit in topology.visits)
