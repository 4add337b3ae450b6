"""Image references -> what of the topology they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiops_lab.topology.model import Service, Topology

REGISTRY = "lab"
# Runs and does nothing; Chaos Mesh puts it in a container's place to let a pod fail.
PAUSE = "gcr.io/google-containers/pause:latest"


@dataclass(frozen=True, slots=True)
class Runnable:
    """What an image runs here: a service in one of its versions."""

    service: str
    version: str


def find_image(topology: Topology, image: str, hints: Iterable[str]) -> Runnable | None:
    """What an image runs; ``None``: nobody here has it.

    Args:
        hints: names on the pod and container; they settle which service is meant by an image
            that several share, such as a database's.
    """
    repository, _, tag = image.partition(":")
    prefix, _, name = repository.rpartition("/")
    if prefix == REGISTRY and name in topology.services:
        tag = tag or topology.version
        return Runnable(name, tag) if tag in topology.versions else None
    sharing = [s.name for s in topology.services.values() if image in _references(s)]
    for hint in hints:
        if hint in sharing:
            return Runnable(hint, topology.version)
    return Runnable(sharing[0], topology.version) if sharing else None


def _references(service: Service) -> set[str]:
    untagged = {image for image in service.images if ":" not in image}
    return {*service.images, *(f"{image}:latest" for image in untagged)}
