"""One container's life: image, environment, process, probes, end, back-off, again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from aiops_lab.kubelet.environment import ConfigError, Resolve, resolve_environment
from aiops_lab.kubelet.images import PAUSE
from aiops_lab.kubelet.logs import ContainerLog
from aiops_lab.kubelet.ports import ContainerState
from aiops_lab.kubelet.probes import Probe, Verdict, ask, read_probe
from aiops_lab.kubelet.zygote import Zygote, ZygoteFailed
from aiops_lab.kubernetes.quantities import parse_quantity
from aiops_lab.pods.setup import PodSetup, bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from aiops_lab.kubelet.images import Runnable

KILLED = 128 + signal.SIGKILL
CONFIG_RETRY_S = 2.0
VOLUME_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between restarts: none before the first, then doubling; a long run starts over."""

    first_s: float = 10.0
    cap_s: float = 300.0
    reset_s: float = 600.0

    def pause(self, failures: int) -> float:
        """Seconds to wait before the start that follows so many runs in a row that ended."""
        return min(self.first_s * 2 ** (failures - 2), self.cap_s) if failures > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What containers need of the node they run on.

    Attributes:
        image: what an image reference runs, with names that settle which is meant.
        sidecar: whether an image is the system's but has nothing to do here.
        volume_bytes: the room of a service's data; seed: for one process's random choices.
        shift: what is added to ports in this lab.
    """

    zygote: Zygote
    resolve: Resolve
    now: Callable[[], datetime]
    backoff: Backoff
    image: Callable[[str, list[str]], Runnable | None]
    sidecar: Callable[[str], bool]
    volume_bytes: Callable[[str], int]
    seed: Callable[[], int]
    shift: int
    dns: tuple[str, int]


class Owner(Protocol):
    """The pod, as its containers see it."""

    uid: str
    ip: str
    spec: Mapping[str, Any]
    folder: Path

    def changed(self) -> None: ...


class Container:
    """Runs in the kubelet's loop; ``state`` may be read from any thread."""

    def __init__(self, spec: Mapping[str, Any], pod: Owner, node: Surroundings) -> None:
        self._spec, self._pod, self._node = spec, pod, node
        self.name: str = spec["name"]
        self.log = ContainerLog(pod.folder / "logs" / self.name)
        limits = (spec.get("resources") or {}).get("limits") or {}
        self.memory_limit = int(parse_quantity(limits["memory"])) if "memory" in limits else None
        self._cpu_limit = float(parse_quantity(limits["cpu"])) if "cpu" in limits else None
        self._control: socket.socket | None = None
        self._ended: asyncio.Future[int] | None = None
        self._stopping = False
        self._out_of_memory = False
        self._image: str = spec.get("image", "")
        self.state = ContainerState(
            name=self.name,
            state="waiting",
            reason="ContainerCreating",
            exit_code=None,
            started_at=None,
            finished_at=None,
            ready=False,
            restarts=0,
            last_reason=None,
            last_exit_code=None,
            image=self._image,
            pid=None,
        )

    async def live(self) -> None:
        """Start, and start again, until it is stopped or its restart policy is content."""
        policy, failures = self._pod.spec.get("spec", {}).get("restartPolicy", "Always"), 0
        while not self._stopping:
            if self._is_replaced():
                self._set(image=self._image, restarts=self.state.restarts + 1)
                failures = 0
            runnable = await self._pulled()
            if self._node.sidecar(self.state.image) and not self._is_replaced():
                await self._stand_by()
            environment = None if runnable is None else await self._configured()
            if self._is_replaced():
                continue
            if runnable is None or environment is None:
                return
            began = self._node.now()
            code = await self._run(runnable, environment)
            if self._is_replaced():
                continue
            if policy == "Never" or (policy == "OnFailure" and code == 0) or self._stopping:
                return
            ran = (self._node.now() - began).total_seconds()
            failures = 1 if ran > self._node.backoff.reset_s else failures + 1
            await self._back_off(failures)

    def _is_replaced(self) -> bool:
        """Whether another image is wanted than the one it was started with."""
        return self._image != self.state.image

    def become(self, image: str) -> None:
        """Run another image from now on; what runs is ended."""
        self._image = image
        if self._is_replaced() and self.state.pid is not None:
            asyncio.get_running_loop().create_task(self._end(self.state.pid, 5.0))

    async def _pulled(self) -> Runnable | None:
        """What the image runs, waited for as long as nobody has it; None: it is not wanted."""
        image, pause = self.state.image, self._node.backoff.first_s
        hints = self._hints()
        while not self._stopping and not self._is_replaced():
            found = self._node.image(image, hints)
            if found is not None or self._node.sidecar(image):
                return found
            text = f"manifest for {image} not found: manifest unknown"
            self._set(state="waiting", reason="ErrImagePull", message=text)
            await asyncio.sleep(min(1.0, pause))
            text = f'Back-off pulling image "{image}"'
            self._set(state="waiting", reason="ImagePullBackOff", message=text)
            await asyncio.sleep(pause)
            pause = min(pause * 2, self._node.backoff.cap_s)
        return None

    def _hints(self) -> list[str]:
        labels = self._pod.spec["metadata"].get("labels") or {}
        return [*(labels[k] for k in ("name", "app") if k in labels), self.name]

    async def _configured(self) -> dict[str, str] | None:
        while not self._stopping and not self._is_replaced():
            try:
                return resolve_environment(
                    self._spec, self._pod.spec, self._pod.ip, self._node.resolve
                )
            except ConfigError as error:
                reason = "CreateContainerConfigError"
                self._set(state="waiting", reason=reason, message=str(error))
                await asyncio.sleep(CONFIG_RETRY_S)
        return None

    async def _stand_by(self) -> None:
        """An image of the system's that has nothing to do here."""
        # Nothing listens in a pause container, so what probes it finds nobody.
        ready = self.state.image != PAUSE or "readinessProbe" not in self._spec
        self._set(state="running", reason=None, started_at=self._node.now(), ready=ready)
        while not self._stopping and not self._is_replaced():
            await asyncio.sleep(0.5)
        self._finished(0, "Completed")

    async def _run(self, runnable: Runnable, environment: dict[str, str]) -> int:
        """One run of the process; its exit code."""
        self.log.begin()
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        ended = self._ended
        out, output = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(out, False)
        ours, theirs = socket.socketpair()
        self._control, self._out_of_memory = ours, False
        try:
            request = {"kind": "pod", "setup": asdict(self._setup(runnable, environment))}
            pid = await self._node.zygote.fork(
                request, output, theirs.fileno(), lambda code: ended.set_result(code)
            )
        except (ZygoteFailed, OSError) as error:
            os.close(out)
            ours.close()
            self._finished(KILLED, "ContainerCannotRun", message=str(error))
            return KILLED
        finally:
            os.close(output)
            theirs.close()
        loop.add_reader(out, self._read, out)
        self._set(
            state="running", reason=None, message=None, pid=pid, started_at=self._node.now(),
            finished_at=None, exit_code=None, ready=False,
        )  # fmt: skip
        probes = [loop.create_task(one) for one in self._probes(pid)]
        if self._stopping:
            self.signal(signal.SIGTERM)
        try:
            code = await ended
        finally:
            for task in probes:
                task.cancel()
            self._read(out)
            with contextlib.suppress(OSError):
                loop.remove_reader(out)
            os.close(out)
            ours.close()
            self._control = None
            self.log.end(self._node.now())
        reason = "Completed" if code == 0 else "Error"
        self._finished(code, "OOMKilled" if self._out_of_memory else reason)
        return code

    def _setup(self, runnable: Runnable, environment: dict[str, str]) -> PodSetup:
        volume = self._pod.folder / "data" / self.name
        volume.mkdir(parents=True, exist_ok=True)
        metadata = self._pod.spec["metadata"]
        return PodSetup(
            service=runnable.service,
            version=runnable.version,
            pod=metadata.get("name", ""),
            namespace=metadata.get("namespace", "default"),
            container=self.name,
            ip=self._pod.ip,
            dns_host=self._node.dns[0],
            dns_port=self._node.dns[1],
            port_shift=self._node.shift,
            cpu_cores=self._cpu_limit,
            volume=str(volume),
            volume_bytes=self._node.volume_bytes(runnable.service),
            env=environment,
            seed=self._node.seed(),
        )

    def _probes(self, pid: int) -> list[Any]:
        ports = [p for p in self._spec.get("ports") or () if "containerPort" in p]
        named = {p["name"]: int(p["containerPort"]) for p in ports if "name" in p}
        own = int(ports[0]["containerPort"]) if ports else 0
        startup, live, ready = (
            read_probe(self._spec.get(key), named, own)
            for key in ("startupProbe", "livenessProbe", "readinessProbe")
        )
        return [self._probe(pid, startup, live, ready)]

    async def _probe(
        self, pid: int, startup: Probe | None, live: Probe | None, ready: Probe | None
    ) -> None:
        if startup and not await self._ask_until(startup):
            self._kill(pid, "startup probe failed")
            return
        if ready is None:
            self._set(ready=True)
        async with asyncio.TaskGroup() as both:
            if ready:
                both.create_task(self._watch_readiness(ready))
            if live:
                both.create_task(self._watch_liveness(live, pid))

    async def _ask_until(self, probe: Probe) -> bool:
        """Whether a startup probe passed before it failed too often."""
        await asyncio.sleep(probe.delay_s)
        for _ in range(probe.failures):
            failure = await self._asked(probe)
            if failure is None:
                return True
            self._set(unhealthy=f"Startup probe failed: {failure}")
            await asyncio.sleep(probe.period_s)
        return False

    async def _watch_readiness(self, probe: Probe) -> None:
        verdict = Verdict(probe, healthy=False)
        await asyncio.sleep(probe.delay_s)
        while True:
            failure = await self._asked(probe)
            if failure is not None:
                self._set(unhealthy=f"Readiness probe failed: {failure}")
            if verdict.add(passed=failure is None) and verdict.healthy != self.state.ready:
                cleared = None if verdict.healthy else self.state.unhealthy
                self._set(ready=verdict.healthy, unhealthy=cleared)
            # Before the first success, ask more often: nobody waits for a period on purpose.
            await asyncio.sleep(probe.period_s if verdict.healthy else min(probe.period_s, 1.0))

    async def _watch_liveness(self, probe: Probe, pid: int) -> None:
        verdict = Verdict(probe, healthy=True)
        await asyncio.sleep(probe.delay_s)
        while True:
            await asyncio.sleep(probe.period_s)
            failure = await self._asked(probe)
            if failure is not None:
                self._set(unhealthy=f"Liveness probe failed: {failure}")
            if verdict.add(passed=failure is None):
                self._kill(pid, "liveness probe failed")
                return

    async def _asked(self, probe: Probe) -> str | None:
        return await ask(probe, self._pod.ip, bound(probe.port, self._node.shift))

    def _kill(self, pid: int, why: str) -> None:
        self._set(unhealthy=f"Container {self.name} {why}, will be restarted")
        asyncio.get_running_loop().create_task(self._end(pid, 5.0))

    async def _end(self, pid: int, grace_s: float) -> None:
        self.signal(signal.SIGTERM)
        await asyncio.sleep(grace_s)
        if self.state.pid == pid:
            self.signal(signal.SIGKILL)

    async def _back_off(self, failures: int) -> None:
        pause = self._node.backoff.pause(failures)
        if pause:
            text = f"back-off {pause:g}s restarting failed container={self.name}"
            self._set(state="waiting", reason="CrashLoopBackOff", message=text)
            await asyncio.sleep(pause)
        self._set(restarts=self.state.restarts + 1)

    def _finished(self, code: int, reason: str, message: str | None = None) -> None:
        now, before = self._node.now(), self.state
        self._set(
            state="terminated", reason=reason, message=message, exit_code=code, pid=None,
            finished_at=now, ready=False, last_reason=reason, last_exit_code=code,
            last_started_at=before.started_at, last_finished_at=now,
        )  # fmt: skip

    def _set(self, **changes: Any) -> None:
        fresh = replace(self.state, **changes)
        if fresh != self.state:
            self.state = fresh
            self._pod.changed()

    def _read(self, out: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(64):
            try:
                data = os.read(out, 1 << 16)
            except BlockingIOError:
                return
            if not data:
                loop.remove_reader(out)
                return
            self.log.write(data, self._node.now())

    def signal(self, number: int) -> None:
        """Send a signal to the running process."""
        if self.state.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.state.pid, number)

    def out_of_memory(self) -> None:
        """It uses more memory than it may: kill it, and remember why."""
        self._out_of_memory = True
        self.signal(signal.SIGKILL)

    def tell(self, line: bytes) -> None:
        """Say something to the running process over its control socket."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.sendall(line + b"\n")

    def settle(self) -> None:
        """It will not run again: one that waited has ended too."""
        if self.state.state != "terminated":
            self._finished(self.state.last_exit_code or 0, self.state.last_reason or "Completed")

    def stop(self) -> None:
        """Do not start again; ask the running process to end."""
        self._stopping = True
        self.signal(signal.SIGTERM)
