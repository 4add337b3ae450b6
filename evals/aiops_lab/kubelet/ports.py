"""The door between what is wanted (the Kubernetes API) and what runs (processes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from aiops.errors import AiopsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime


class CannotStart(AiopsError):
    """A pod cannot be run here at all; nothing of it was started.

    Args:
        reason: one word as in a pod's status, such as "InvalidPodSpec".
        message: what is wrong and what to do, in one clause.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(f"{reason}: {message}")


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container as it is now, in the words of a Kubernetes ``containerStatus``.

    Attributes:
        reason: why it waits or ended: "ContainerCreating", "CrashLoopBackOff", "ErrImagePull",
            "ImagePullBackOff", "CreateContainerConfigError", "OOMKilled", "Error", "Completed".
        exit_code: of the run that ended, 128 + signal where a signal ended it.
        restarts: starts after the first.
        last_reason, last_exit_code: of the run before this one.
        pid: of the running process.
        message: what a person should know besides the reason.
        last_started_at, last_finished_at: of the run before this one.
        unhealthy: what the last failed probe said, while it fails.
    """

    name: str
    state: Literal["waiting", "running", "terminated"]
    reason: str | None
    exit_code: int | None
    started_at: datetime | None
    finished_at: datetime | None
    ready: bool
    restarts: int
    last_reason: str | None
    last_exit_code: int | None
    image: str
    pid: int | None
    message: str | None = None
    last_started_at: datetime | None = None
    last_finished_at: datetime | None = None
    unhealthy: str | None = None


@dataclass(frozen=True, slots=True)
class PodState:
    """One pod as it is now.

    Attributes:
        ip: its own loopback address; its containers listen there on their container ports.
        reason, message: why the pod as a whole failed, such as "Evicted".
    """

    uid: str
    phase: Literal["Pending", "Running", "Succeeded", "Failed"]
    ip: str
    containers: tuple[ContainerState, ...]
    reason: str | None = None
    message: str | None = None


class PodRuntime(Protocol):
    """Runs pods. Every method may be called from any thread."""

    def start(self, uid: str, pod: Mapping[str, Any]) -> None:
        """Run a Kubernetes Pod object, as its JSON.

        An image the runtime does not know is no error here: its container waits with
        "ErrImagePull" and then "ImagePullBackOff".

        Raises:
            CannotStart: the object is no pod that can be run.
        """
        ...

    def stop(self, uid: str, grace_s: float) -> None:
        """End a pod: SIGTERM, and SIGKILL after the grace; returns at once, `watch` tells the end.

        After the end ``state`` still answers (all containers terminated) until ``forget``.
        """
        ...

    def become(self, uid: str, images: Mapping[str, str]) -> None:
        """Run other images from now on, by container; those that are others are restarted.

        Raises:
            aiops.errors.NotKept: no such pod or container.
        """
        ...

    def forget(self, uid: str) -> None:
        """Drop what is kept of a pod; one that still runs is killed. Unknown pods are fine."""
        ...

    def state(self, uid: str) -> PodState:
        """The pod now.

        Raises:
            aiops.errors.NotKept: no pod of that uid was started.
        """
        ...

    def watch(self, changed: Callable[[str], None]) -> None:
        """Call ``changed(uid)``, from any thread, after a pod's state changed."""
        ...

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
        """Lines, each with its newline and begun by an RFC 3339 time and a space.

        Raises:
            aiops.errors.NotKept: no such pod or container, or it has no previous run.
        """
        ...

    def usage(self, uid: str) -> tuple[float, int]:
        """CPU cores (average over the last second) and resident bytes; zeros when not running."""
        ...

    def endpoints(self, service: str, targets: Sequence[tuple[str, int]] | None) -> None:
        """What is ready behind one port of a service; what its proxy balances over.

        Args:
            service: "namespace/name:port", by the service's own port number.
            targets: (uid, container port) pairs; empty: connections are refused;
                ``None``: the service port is gone.
        """
        ...

    def address(self, service: str) -> str:
        """The cluster IP of "namespace/name": a loopback address, the same however often asked."""
        ...
