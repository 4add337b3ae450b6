"""Who calls whom."""

from dataclasses import dataclass

from aiops.model.entity import Entity


@dataclass(frozen=True, slots=True)
class Call:
    """A directed dependency: ``source`` calls ``target``."""

    source: Entity
    target: Entity
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """Entities and the calls between them; self-loops and cycles are allowed."""

    nodes: tuple[Entity, ...]
    calls: tuple[Call, ...]
