"""PodRuntime over processes of this machine."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import signal
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from aiops.errors import NotKept
from aiops_lab.kubelet.container import Backoff, Container, Surroundings
from aiops_lab.kubelet.images import PAUSE, find_image
from aiops_lab.kubelet.pod import Pod
from aiops_lab.kubelet.zygote import Zygote, ZygoteFailed
from aiops_lab.net.network import Network
from aiops_lab.pods.setup import PodSetup, bound

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
    from pathlib import Path

    from aiops_lab.kubelet.environment import Resolve
    from aiops_lab.kubelet.ports import PodState
    from aiops_lab.net.addresses import Block
    from aiops_lab.topology.model import Behaviour, Topology

LOOK_S = 0.25
RETRY_S = 0.5
OPEN_S = 20.0
DNS_PORT = 53
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """What a runtime is given.

    Attributes:
        topology: what images mean; topology_file: where it was read, for the processes.
        folder: everything it writes is in here.
        now: the clock of states and logs; seed: of all its processes' choices.
        resolve: looks into ConfigMaps and Secrets.
    """

    topology: Topology
    topology_file: Path
    folder: Path
    block: Block
    resolve: Resolve
    now: Callable[[], datetime]
    seed: int
    backoff: Backoff = field(default_factory=Backoff)


class ProcessRuntime:
    """Runs every container as one process, forked from a zygote, on its pod's own address.

    All lives run in one event loop in a thread of its own. CPU limits are kept by the processes
    themselves (see aiops_lab.pods.throttle), memory limits by looking four times a second.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        topology = site.topology
        ports = {p for s in topology.services.values() for p in (s.port, s.service_port)}
        self.shift = site.block.shift({*ports, DNS_PORT})
        self.dns = (site.block.dns, bound(DNS_PORT, self.shift))
        self.network = Network(site.block, self.shift)
        self._seeds = itertools.count(site.seed)
        self._pods: dict[str, Pod] = {}
        self._watchers: list[Callable[[str], None]] = []
        self._extra: dict[str, int] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._closing = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="kubelet", daemon=True)
        self._log = (site.folder / "processes.log").open("ab")
        self._zygote = Zygote(site.topology_file, self._log)
        self._node = Surroundings(
            zygote=self._zygote,
            resolve=site.resolve,
            now=site.now,
            backoff=site.backoff,
            image=lambda image, hints: find_image(topology, image, hints),
            sidecar=lambda image: image == PAUSE or image in topology.sidecars,
            volume_bytes=lambda service: topology.services[service].storage.volume_bytes,
            seed=lambda: next(self._seeds),
            shift=self.shift,
            dns=self.dns,
        )

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Coroutine[Any, Any, T], timeout_s: float = OPEN_S) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout_s)

    def open(self) -> None:
        """Start the zygote and the network.

        Raises:
            ZygoteFailed: processes cannot be started here.
        """
        self._thread.start()
        self._call(self._open())
        self._call(self._start_network())

    async def _open(self) -> None:
        self._zygote.lost = self._zygote_lost
        await self._zygote.open()
        self._background.add(self._loop.create_task(self._look()))

    def _zygote_lost(self) -> None:
        """All its children died with it; the pods' back-off brings them back."""
        if not self._closing:
            self._background.add(self._loop.create_task(self._zygote.open()))

    async def _start_network(self) -> None:
        ours, theirs = socket.socketpair()
        host, port = self.dns
        request = {"kind": "net", "dns_host": host, "dns_port": port, "seed": next(self._seeds)}
        with theirs, ExitStack() as unless_started:
            unless_started.callback(ours.close)
            log, control = self._log.fileno(), theirs.fileno()
            pid = await self._zygote.fork(request, log, control, self._network_ended)
            unless_started.pop_all()
        self._extra["network"] = pid
        await self._loop.run_in_executor(None, self.network.attach, ours)

    def _network_ended(self, _code: int) -> None:
        self.network.detach()
        if not self._closing:
            self._background.add(self._loop.create_task(self._restart_network()))

    async def _restart_network(self) -> None:
        while True:
            try:
                return await self._start_network()
            except ZygoteFailed:  # it is being started again, too
                await asyncio.sleep(RETRY_S)

    async def _look(self) -> None:
        while True:
            now = time.monotonic()
            for pod in list(self._pods.values()):
                pod.look(now)
            await asyncio.sleep(LOOK_S)

    def load(self, rate: float, ended: Callable[[int], None]) -> socket.socket:
        """Start the load generator; what is returned is its control socket.

        Raises:
            ZygoteFailed: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        site = self._site
        folder = site.folder / "load"
        folder.mkdir(exist_ok=True)
        setup = PodSetup(
            service=site.topology.entry,
            version=site.topology.version,
            pod="load",
            namespace=site.topology.namespace,
            container="load",
            ip=site.block.pod(),
            dns_host=self.dns[0],
            dns_port=self.dns[1],
            port_shift=self.shift,
            cpu_cores=None,
            volume=str(folder),
            volume_bytes=0,
            env={},
            seed=next(self._seeds),
        )
        self.network.place(setup.ip, "load")
        request = {"kind": "load", "setup": asdict(setup), "rate": rate}
        with theirs, ExitStack() as unless_started:
            unless_started.callback(ours.close)
            log, control = self._log.fileno(), theirs.fileno()
            gone = partial(self._load_ended, ended)
            self._extra["load"] = self._call(self._zygote.fork(request, log, control, gone))
            unless_started.pop_all()
        return ours

    def _load_ended(self, ended: Callable[[int], None], code: int) -> None:
        self._extra.pop("load", None)
        ended(code)

    def start(self, uid: str, pod: Mapping[str, Any]) -> None:
        """See PodRuntime."""
        self._call(self._start(uid, pod))

    async def _start(self, uid: str, spec: Mapping[str, Any]) -> None:
        if uid in self._pods:
            return
        ip = self._site.block.pod()
        folder = self._site.folder / "pods" / uid
        pod = Pod(uid, spec, ip, folder, self._node, self._tell)
        self._pods[uid] = pod
        labels = spec["metadata"].get("labels") or {}
        image = pod.containers[0].state.image
        found = self._node.image(image, [*labels.values(), pod.containers[0].name])
        caller = found.service if found else labels.get("name", spec["metadata"]["name"])
        self.network.place(ip, caller)
        pod.open()

    def stop(self, uid: str, grace_s: float) -> None:
        """See PodRuntime."""
        pod = self._pod(uid)
        asyncio.run_coroutine_threadsafe(pod.stop(grace_s), self._loop)

    def evict(self, uid: str, reason: str, message: str) -> None:
        """End a pod as a node under pressure does: phase Failed, with a reason such as "Evicted".

        Raises:
            NotKept: no such pod.
        """
        pod = self._pod(uid)
        asyncio.run_coroutine_threadsafe(pod.evict(reason, message), self._loop)

    def kill(self, uid: str, container: str) -> None:
        """Kill a container's process, as a node's administrator would.

        Raises:
            NotKept: no such pod or container.
        """
        one = self._container(uid, container)
        self._loop.call_soon_threadsafe(one.signal, signal.SIGKILL)

    def become(self, uid: str, images: Mapping[str, str]) -> None:
        """See PodRuntime."""
        containers = [self._container(uid, name) for name in images]
        for one in containers:
            self._loop.call_soon_threadsafe(one.become, images[one.name])

    def forget(self, uid: str) -> None:
        """See PodRuntime."""
        if uid in self._pods:
            self._call(self._forget(uid))

    async def _forget(self, uid: str) -> None:
        pod = self._pods.pop(uid)
        await pod.stop(0.0)
        self.network.remove(pod.ip)
        shutil.rmtree(pod.folder, ignore_errors=True)

    def state(self, uid: str) -> PodState:
        """See PodRuntime."""
        return self._pod(uid).snapshot()

    def watch(self, changed: Callable[[str], None]) -> None:
        """See PodRuntime."""
        self._watchers.append(changed)

    def _tell(self, uid: str) -> None:
        for changed in self._watchers:
            changed(uid)

    def logs(
        self,
        uid: str,
        container: str,
        *,
        previous: bool,
        tail: int | None,
        since_s: float | None,
        follow: bool,
    ) -> Iterator[bytes]:
        """See PodRuntime."""
        one = self._container(uid, container)
        run = one.log.run - previous
        if run < 0:
            raise NotKept(
                "previous run of container" if previous else "log of container", container
            )
        since = self._site.now() - timedelta(seconds=since_s) if since_s is not None else None
        lines = one.log.lines(run, tail, since)
        if not follow or previous:
            return iter(lines)

        def ended() -> bool:
            return one.log.run != run or one.state.pid is None

        return itertools.chain(lines, one.log.follow(run, ended))

    def usage(self, uid: str) -> tuple[float, int]:
        """See PodRuntime."""
        processes = list(self._pod(uid).usage.values())
        return sum(u.cores for u in processes), sum(u.resident for u in processes)

    def endpoints(self, service: str, targets: Sequence[tuple[str, int]] | None) -> None:
        """See PodRuntime; pods that are gone meanwhile are left out."""
        ready = None
        if targets is not None:
            found = [(self._pods.get(uid), port) for uid, port in targets]
            ready = [(pod.ip, port) for pod, port in found if pod is not None]
        self.network.endpoints(service, ready)

    def address(self, service: str) -> str:
        """See PodRuntime."""
        return self.network.address(service)

    def strain(self, uid: str, container: str, behaviour: Behaviour | None) -> None:
        """Make a running process misbehave until its end; ``None``: as its version does.

        Raises:
            NotKept: no such pod or container.
        """
        told = asdict(behaviour) if behaviour else {}
        line = json.dumps(told).encode()
        self._loop.call_soon_threadsafe(self._container(uid, container).tell, line)

    def processes(self) -> dict[str, int]:
        """Ids of the processes beside the pods': the zygote, the network, the load generator."""
        return {"zygote": self._zygote.pid, **self._extra}

    def close(self) -> None:
        """Kill everything at once; pods that should drain are stopped before."""
        self._closing = True
        self._call(self._close())
        self.network.detach()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._log.close()
        shutil.rmtree(self._site.folder / "pods", ignore_errors=True)

    async def _close(self) -> None:
        for task in self._background:
            task.cancel()
        self._zygote.close()
        await asyncio.gather(
            *(pod.stop(0.0) for pod in self._pods.values()), return_exceptions=True
        )

    def _pod(self, uid: str) -> Pod:
        try:
            return self._pods[uid]
        except KeyError:
            raise NotKept("pod", uid) from None

    def _container(self, uid: str, name: str) -> Container:
        for one in self._pod(uid).containers:
            if one.name == name:
                return one
        raise NotKept("container", name)
