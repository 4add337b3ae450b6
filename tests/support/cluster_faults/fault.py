"""A fault of a cluster as the API tells it, beside the same cluster without it."""

from dataclasses import dataclass, field
from typing import Any

from clusters import Api, deployment, event, healthy, pod, service

WEB = "web"


@dataclass(frozen=True)
class Fault:
    """A cluster with one fault, and the same cluster without.

    Attributes:
        broken, healed: objects; healed ones are those of a healthy web where none are given.
        events: of both.
    """

    kind: str
    broken: list[Api]
    events: list[Api] = field(default_factory=list)
    healed: list[Api] = field(default_factory=lambda: healthy(WEB))
    logs: dict[str, str] = field(default_factory=dict)
    entity: tuple[str, str] = ("service", WEB)


def waiting(kind: str, reason: str, message: str, because: str = "Failed", **spec: Any) -> Fault:
    """The kubelet cannot start a container."""
    return Fault(
        kind,
        [deployment(WEB, 0, **spec), pod(WEB, reason, **spec), service(WEB)],
        [event("Pod", "web-1", because, message)],
    )
