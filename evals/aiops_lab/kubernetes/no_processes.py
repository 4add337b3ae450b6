"""The process runtime's twin for `--objects-only`: every pod runs at once, and nothing does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiops.errors import NotKept
from aiops.ports.clock import Clock
from aiops_lab.kubelet.ports import ContainerState, PodState


class NoProcesses:
    """A PodRuntime in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pods: dict[str, PodState] = {}
        self._addresses: dict[str, str] = {}
        self._watchers: list[Callable[[str], None]] = []
        self._started = 0
        self.targets: dict[str, tuple[tuple[str, int], ...]] = {}

    def start(self, uid: str, pod: Mapping[str, Any]) -> None:
        """The pod is running."""
        now = self._clock.now()
        self._started += 1
        number = self._started
        containers = tuple(
            ContainerState(
                name=container["name"],
                state="running",
                reason=None,
                exit_code=None,
                started_at=now,
                finished_at=None,
                ready=True,
                restarts=0,
                last_reason=None,
                last_exit_code=None,
                image=container["image"],
                pid=None,
            )
            for container in pod["spec"]["containers"]
        )
        ip = f"10.244.{number // 250 % 250}.{number % 250 + 1}"
        self._put(PodState(uid, "Running", ip, containers))

    def put(self, state: PodState) -> None:
        """Make a pod be in a state: how tests let containers fail."""
        self._put(state)

    def _put(self, state: PodState) -> None:
        self._pods[state.uid] = state
        for changed in tuple(self._watchers):
            changed(state.uid)

    def stop(self, uid: str, grace_s: float) -> None:  # noqa: ARG002 - part of the port
        """The pod has ended."""
        if uid not in self._pods:
            return
        now = self._clock.now()
        old = self._pods[uid]
        ended = tuple(
            ContainerState(
                name=c.name,
                state="terminated",
                reason="Completed",
                exit_code=0,
                started_at=c.started_at,
                finished_at=now,
                ready=False,
                restarts=c.restarts,
                last_reason=c.last_reason,
                last_exit_code=c.last_exit_code,
                image=c.image,
                pid=None,
            )
            for c in old.containers
        )
        self._put(PodState(uid, "Succeeded", old.ip, ended))

    def become(self, uid: str, images: Mapping[str, str]) -> None:
        """The containers run those images, restarted where they are others."""
        old = self.state(uid)
        changed = tuple(
            replace(c, image=images[c.name], restarts=c.restarts + 1)
            if images.get(c.name, c.image) != c.image
            else c
            for c in old.containers
        )
        if changed != old.containers:
            self._put(replace(old, containers=changed))

    def forget(self, uid: str) -> None:
        """Nothing is kept of the pod."""
        self._pods.pop(uid, None)

    def state(self, uid: str) -> PodState:
        """The pod now; NotKept where it was never started."""
        if uid not in self._pods:
            raise NotKept("pod", uid)
        return self._pods[uid]

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call back when a pod changed."""
        self._watchers.append(changed)

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
        """One line that says why there are no more."""
        del container, tail, since_s, follow
        if previous:
            raise NotKept("previous run of pod", uid)
        stamp = self.state(uid).containers[0].started_at or self._clock.now()
        text = f"{stamp.isoformat()} this lab keeps objects only: no process runs in this pod\n"
        return iter([text.encode()])

    def usage(self, uid: str) -> tuple[float, int]:
        """What an idle process would take."""
        return (0.001, 16 * 2**20) if uid in self._pods else (0.0, 0)

    def endpoints(self, service: str, targets: Sequence[tuple[str, int]] | None) -> None:
        """Remember what is ready behind a service port."""
        if targets is None:
            self.targets.pop(service, None)
        else:
            self.targets[service] = tuple(targets)

    def address(self, service: str) -> str:
        """An address of the usual service network."""
        number = len(self._addresses) + 2
        return self._addresses.setdefault(service, f"10.96.{number // 250}.{number % 250 + 1}")
