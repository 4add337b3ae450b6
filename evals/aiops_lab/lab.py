"""A lab: topology, processes, network, users, and what there is to see of them."""

from __future__ import annotations

import itertools
import json
import os
import random
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiops.errors import AiopsError, InvalidInput, NotKept
from aiops_lab.folder import STATE, TARGETS, Folder
from aiops_lab.kubelet.container import Backoff
from aiops_lab.kubelet.runtime import ProcessRuntime, Site
from aiops_lab.kubelet.usage import Usage
from aiops_lab.load.record import Seen
from aiops_lab.net.addresses import Block, claim_block
from aiops_lab.pods.setup import bound
from aiops_lab.scrape import Scrape, scrape
from aiops_lab.standalone import Orchestrator, Standalone
from aiops_lab.status import LabStatus, ProgramStatus, ServiceStatus, to_json
from aiops_lab.topology.load import load
from aiops_lab.topology.manifests import manifests

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from aiops_lab.topology.model import Topology

SAMPLE_S = 2.0
DRAIN_S = 2.0
UP_S = 60.0


class PortInUse(InvalidInput):
    """The port asked for is taken."""

    def __init__(self, port: int, option: str = "--port") -> None:
        super().__init__(
            f"port {port} is in use by another process; choose another {option}, or leave it out"
        )


class LabNotReady(AiopsError):
    """Not every service became ready in time; the text names them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to bring up.

    Attributes:
        replicas: of every service that keeps no state; ``None``: as the topology says.
        port: of the front end on 127.0.0.1; 0: a free one.
        seed: of everything that is drawn by chance.
        otlp: base URL that pods send their spans and logs to; empty: nowhere.
        sample: share of traces that are sent.
    """

    topology: Path
    folder: Path
    replicas: int | None = None
    port: int = 0
    seed: int = 1
    otlp: str = ""
    sample: float = 1.0
    backoff: Backoff = field(default_factory=Backoff)


class Lab:
    """Everything of one lab, up from ``open`` to ``close``.

    Args:
        now: the clock, with a time zone.
        orchestrator: made of the manifests; who decides which pods there are.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        now: Callable[[], datetime],
        orchestrator: Callable[[list[dict[str, Any]]], Orchestrator] = Standalone,
    ) -> None:
        self.topology: Topology = load(wanted.topology)
        self._wanted, self._now = wanted, now
        self._make = orchestrator
        self.folder = Folder(wanted.folder)
        self._started = now()
        self._scraped: dict[str, Scrape] = {}
        self._rates: dict[str, Scrape] = {}
        self._sampled = time.monotonic()
        self._elapsed = SAMPLE_S
        self._own: dict[int, Usage] = {}
        self._report: dict[str, Any] = {}
        self._load: socket.socket | None = None
        self._rate, self._surge = 0.0, 1.0
        self._held = ExitStack()
        self._done = threading.Event()
        self._threads: list[threading.Thread] = []
        self.front_end = ""
        self.programs: Callable[[], tuple[ProgramStatus, ...]] = tuple
        """What runs beside the lab; whoever starts it says so here."""

    def open(self) -> None:
        """Bring it up; returns when the pods are started, not yet ready.

        Raises:
            LabRunning, CannotWrite, NotOurs: the folder cannot be had.
            PortInUse: the front end's port cannot be had.
            NoFreeAddresses, ZygoteFailed: this machine cannot run a lab now.
        """
        port = _free_port(self._wanted.port)
        with ExitStack() as held:
            self.folder.acquire()
            held.callback(self.folder.release)
            block = claim_block()
            held.callback(block.close)
            self._open(port, block, held)
            self._held = held.pop_all()

    def _open(self, port: int, block: Block, held: ExitStack) -> None:
        wanted, topology = self._wanted, self.topology
        rng = random.Random(wanted.seed)  # noqa: S311 - a lab's password guards nothing
        environment: list[tuple[str, str]] = []
        if wanted.otlp:
            environment.append(("OTEL_EXPORTER_OTLP_ENDPOINT", wanted.otlp))
            environment.append(("OTEL_TRACES_SAMPLER_ARG", str(wanted.sample)))
        objects = manifests(
            topology,
            now=self._started,
            password=f"{rng.getrandbits(48):012x}",
            replicas=wanted.replicas,
            environment=tuple(environment),
        )
        self.orchestrator = self._make(objects)
        self.runtime = ProcessRuntime(
            Site(
                topology=topology,
                topology_file=wanted.topology.absolute(),
                folder=self.folder.path,
                block=block,
                resolve=self.orchestrator.resolve,
                now=self._now,
                seed=wanted.seed,
                backoff=wanted.backoff,
            )
        )
        held.callback(self.runtime.close)
        self.runtime.open()
        entry = topology.services[topology.entry]
        self.runtime.network.expose(f"{topology.namespace}/{entry.name}:{entry.service_port}", port)
        self.front_end = f"http://127.0.0.1:{port}"
        self.orchestrator.open(self.runtime)
        self.sample()
        self._spawn(self._sample_on, "lab-samples")

    def users(self, rate: float) -> None:
        """Have users send so many requests a second; 0: none.

        Raises:
            ZygoteFailed: the load generator cannot be started.
        """
        self._rate = rate
        if self._load is None and rate <= 0:
            return
        rate *= self._surge
        if self._load is None:
            self._load = self.runtime.load(rate, lambda _code: self._users_gone())
            self._spawn(self._listen, "lab-users")
        else:
            self._load.sendall(json.dumps({"rate": rate}).encode() + b"\n")

    def surge(self, factor: float) -> None:
        """Have users send so many times what ``users`` says; 1: just that."""
        if factor != self._surge:
            self._surge = factor
            self.users(self._rate)

    def _users_gone(self) -> None:
        self._load = None

    def _listen(self) -> None:
        load = self._load
        if load is None:
            return
        with load, load.makefile("rb") as lines:
            for line in lines:
                self._report = json.loads(line)

    def _spawn(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _sample_on(self) -> None:
        while not self._done.wait(SAMPLE_S):
            self.sample()

    def sample(self) -> None:
        """Scrape every pod, and write what is known to the folder; bring lost users back."""
        if self._rate and self._load is None:
            self.users(self._rate)
        now, scraped = time.monotonic(), {}
        rates: dict[str, Scrape] = {}
        elapsed = max(now - self._sampled, 1e-3)
        for service, _, uid, port in self.orchestrator.pods():
            try:
                ip = self.runtime.state(uid).ip
            except NotKept:
                continue
            found = scrape(ip, bound(port, self.runtime.shift))
            if found is not None:
                scraped[uid] = found
                delta = found.since(self._scraped.get(uid, Scrape()))
                rates[service] = rates.get(service, Scrape()) + delta
        self._rates, self._elapsed = rates, elapsed
        self._scraped, self._sampled = scraped, now
        for pid in self._own_pids():
            self._own.setdefault(pid, Usage(pid)).look(now)
        self.folder.write(STATE, to_json(self.status()))
        self.folder.write(TARGETS, self.targets())

    def _own_pids(self) -> list[int]:
        return [os.getpid(), *(pid for pid in self.runtime.processes().values() if pid)]

    def pids(self) -> list[int]:
        """Every process of the lab, itself first."""
        pods = [
            container.pid
            for _, _, uid, _ in self.orchestrator.pods()
            for container in self.runtime.state(uid).containers
            if container.pid is not None
        ]
        return [*self._own_pids(), *pods]

    def targets(self) -> list[dict[str, Any]]:
        """What Prometheus is to scrape, in the format of its file_sd."""
        namespace = self.topology.namespace
        return [
            {
                "targets": [f"{self.runtime.state(uid).ip}:{bound(port, self.runtime.shift)}"],
                "labels": {"job": service, "namespace": namespace, "instance": name},
            }
            for service, name, uid, port in self.orchestrator.pods()
        ]

    def status(self) -> LabStatus:
        """Everything as it is now; rates as of the last sample."""
        own = [self._own[pid] for pid in self._own_pids() if pid in self._own]
        return LabStatus(
            topology=self.topology.name,
            pid=os.getpid(),
            folder=str(self.folder.path),
            started=self._started.isoformat(timespec="seconds"),
            front_end=self.front_end,
            kubernetes=str(kubeconfig) if (kubeconfig := self.orchestrator.kubeconfig) else None,
            targets=str(self.folder.path / TARGETS),
            rate=self._report.get("rate", 0.0),
            services=tuple(map(self._service, self.topology.services)),
            seen=tuple(Seen(**one) for one in self._report.get("seen", ())),
            requests=self._report.get("requests", 0),
            errors=self._report.get("errors", 0),
            own_cores=sum(one.cores for one in own),
            own_resident=sum(one.resident for one in own),
            programs=self.programs(),
            at=self._now().isoformat(timespec="seconds"),
            unwritten=self.folder.unwritten,
        )

    def _service(self, name: str) -> ServiceStatus:
        uids = [uid for service, _, uid, _ in self.orchestrator.pods() if service == name]
        states = [self.runtime.state(uid) for uid in uids]
        usages = [self.runtime.usage(uid) for uid in uids]
        containers = list(itertools.chain.from_iterable(state.containers for state in states))
        rates = self._rates.get(name, Scrape())
        elapsed = self._elapsed
        return ServiceStatus(
            name=name,
            ready=sum(all(c.ready for c in state.containers) for state in states),
            pods=len(states),
            restarts=sum(c.restarts for c in containers),
            waiting=next((c.reason for c in containers if not c.ready and c.reason), ""),
            requests_s=round(rates.requests / elapsed, 1),
            p99_ms=round(rates.quantile_ms(0.99), 1),
            errors_s=round(rates.errors / elapsed, 1),
            cores=round(sum(cores for cores, _ in usages), 3),
            resident=sum(resident for _, resident in usages),
        )

    def wait_ready(
        self, timeout_s: float = UP_S, stopped: Callable[[], bool] = lambda: False
    ) -> float:
        """Seconds until every pod was ready, or until ``stopped`` says that nobody waits.

        Raises:
            LabNotReady: some are not in time.
        """
        began = time.monotonic()
        while not (status := self.status()).ready and not stopped():
            if time.monotonic() - began > timeout_s:
                late = [
                    f"{one.name} ({one.ready}/{one.pods} {one.waiting})".replace(" )", ")")
                    for one in status.services
                    if one.ready < one.pods
                ]
                raise LabNotReady(
                    f"not ready after {timeout_s:g} s: {', '.join(late)}; "
                    f"their logs are under {self.folder.path / 'pods'}"
                )
            time.sleep(0.05)
        return time.monotonic() - began

    def close(self) -> None:
        """Drain and end everything; what stays in the folder is what was recorded."""
        self._done.set()
        self.orchestrator.close()
        if self._load is not None:
            self._load.shutdown(socket.SHUT_RDWR)  # users leave first
        for _, _, uid, _ in self.orchestrator.pods():
            self.runtime.stop(uid, DRAIN_S)
        end = time.monotonic() + DRAIN_S
        while time.monotonic() < end and len(self.pids()) > 1 + len(self.runtime.processes()):
            time.sleep(0.05)
        for thread in self._threads:
            thread.join(SAMPLE_S + 1)
        self._held.close()


def _free_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortInUse(port) from None
        taken: int = probe.getsockname()[1]
        return taken
