"""What faults need of a lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.faults.effects import Lasting, OnObjects
    from aiops_lab.topology.model import Topology


@dataclass(frozen=True, slots=True)
class Ground:
    """What can be aimed at.

    Attributes:
        nodes: of the Kubernetes API; none: the lab has no such API.
    """

    topology: Topology
    nodes: tuple[str, ...] = ()


class Sight(Protocol):
    """What a fault may look at before it begins."""

    def users_rate(self) -> float:
        """Requests a second that users send now."""
        ...

    def read(self, resource: str, name: str) -> Mapping[str, Any] | None:
        """An object of the system's namespace; ``None``: there is none."""
        ...

    def pods(self, service: str | None) -> tuple[str, ...]:
        """Names of a service's pods, or of all."""
        ...


class LabControl(Sight, Protocol):
    """What faults do to a lab; every method may be called from any thread."""

    ground: Ground

    def hold(self, effects: tuple[Lasting, ...]) -> None:
        """Let exactly these hold from now on, whatever held before.

        Raises:
            AiopsError: one of them cannot.
        """
        ...

    def write(self, effect: OnObjects) -> None:
        """Change an object, once.

        Raises:
            AiopsError: the API refuses it, or the object is not there.
        """
        ...
