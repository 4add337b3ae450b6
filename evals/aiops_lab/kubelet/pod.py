"""A pod: its address, its folder, its containers' lives."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any, Literal

from aiops_lab.kubelet.container import Container, Surroundings
from aiops_lab.kubelet.ports import CannotStart, PodState
from aiops_lab.kubelet.usage import Usage
from aiops_lab.kubernetes.quantities import InvalidQuantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


class Pod:
    """Runs in the kubelet's loop; ``snapshot`` may be called from any thread.

    Raises:
        CannotStart: the object has no containers, or a limit of theirs is no quantity.
    """

    def __init__(
        self,
        uid: str,
        spec: Mapping[str, Any],
        ip: str,
        folder: Path,
        node: Surroundings,
        changed: Callable[[str], None],
    ) -> None:
        self.uid, self.spec, self.ip, self.folder = uid, spec, ip, folder
        self._changed, self._evicted = changed, ("", "")
        declared = (spec.get("spec") or {}).get("containers") or ()
        if not declared or not spec.get("metadata", {}).get("name"):
            raise CannotStart("InvalidPodSpec", "a pod needs a name and at least one container")
        try:
            self.containers = [Container(one, self, node) for one in declared]
        except (KeyError, InvalidQuantity) as error:
            raise CannotStart("InvalidPodSpec", f"a container cannot be read: {error}") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise CannotStart("FailedCreatePodSandBox", f"{folder}: {reason}") from None
        self.usage: dict[int, Usage] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def changed(self) -> None:
        """Something of a container changed."""
        self._changed(self.uid)

    def open(self) -> None:
        """Start every container."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(one.live()) for one in self.containers]

    async def stop(self, grace_s: float) -> None:
        """SIGTERM, SIGKILL after the grace; returns when all have ended."""
        if not self._stopping:
            self._stopping = True
            for one in self.containers:
                one.stop()
        asyncio.get_running_loop().call_later(grace_s, self._kill)
        for one, task in zip(self.containers, self._tasks, strict=True):
            # A container without a process only waits for a start that will not be.
            if one.state.pid is None:
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for one in self.containers:
            one.settle()
        self.changed()

    async def evict(self, reason: str, message: str) -> None:
        """Fail the pod as a node under pressure does."""
        self._evicted = (reason, message)
        await self.stop(1.0)

    def _kill(self) -> None:
        for one in self.containers:
            one.signal(signal.SIGKILL)

    def look(self, now: float) -> None:
        """Measure every process, and kill those over their memory limit."""
        for one in self.containers:
            if one.state.pid is None:
                continue
            usage = self.usage.setdefault(one.state.pid, Usage(one.state.pid))
            usage.look(now)
            if one.memory_limit is not None and usage.resident > one.memory_limit:
                one.out_of_memory()
        alive = {one.state.pid for one in self.containers}
        self.usage = {pid: usage for pid, usage in self.usage.items() if pid in alive}

    def snapshot(self) -> PodState:
        """The pod now."""
        states = tuple(one.state for one in self.containers)
        reason, message = self._evicted
        return PodState(
            uid=self.uid,
            phase="Failed" if reason else self._phase(),
            ip=self.ip,
            containers=states,
            reason=reason or None,
            message=message or None,
        )

    def _phase(self) -> Literal["Pending", "Running", "Succeeded", "Failed"]:
        states = [one.state for one in self.containers]
        if self._tasks and all(task.done() for task in self._tasks):
            failed = any(one.exit_code for one in states) or self._stopping
            return "Failed" if failed else "Succeeded"
        started = all(one.started_at for one in states)
        return "Running" if started else "Pending"
