"""Who calls whom."""

from dataclasses import dataclass, field

from aiops.model.entity import Entity


@dataclass(frozen=True, slots=True)
class Call:
    """A directed dependency: ``source`` calls ``target``.

    Attributes:
        last_seen: unix seconds; None where its source does not say. Equal calls may differ in it.
    """

    source: Entity
    target: Entity
    weight: float = 1.0
    last_seen: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ServiceGraph:
    """Entities and the calls between them; self-loops and cycles are allowed."""

    nodes: tuple[Entity, ...]
    calls: tuple[Call, ...]
