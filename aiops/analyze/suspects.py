"""Who is who: readers that name one suspect more or less fully are brought together.

Metrics and logs seldom know the namespace or cluster that the cluster's state gives. Equal names in
two namespaces or clusters are two suspects, and a bare name then is neither of them.
"""

from collections.abc import Iterable
from dataclasses import replace

from aiops.model import Entity

_NOT_A_SERVICE = frozenset({"node", "namespace"})

Key = tuple[str, str, str, str]
"""Kind, name, namespace, cluster; "" where nobody says."""


def key_of(entity: Entity) -> Key:
    """Services, their instances and workloads are one suspect; nodes and namespaces their own."""
    own = entity.kind in _NOT_A_SERVICE
    kind, name = (entity.kind, entity.name) if own else ("service", entity.service_name)
    return kind, name, entity.namespace or "", entity.cluster or ""


class Suspects:
    """Knows every way in which entities of one case are named.

    Args:
        named: the entities, with repetitions, in any order.
    """

    def __init__(self, named: Iterable[Entity]) -> None:
        self._places: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for kind, name, namespace, cluster in set(map(key_of, named)):
            self._places.setdefault((kind, name), set()).add((namespace, cluster))
        self._full: dict[Entity, Entity] = {}

    def full(self, entity: Entity) -> Entity:
        """``entity`` with the namespace and cluster that all who name it agree on."""
        if entity not in self._full:
            kind, name, *own = key_of(entity)
            places = [p for p in self._places.get((kind, name), ()) if _agree(p, tuple(own))]
            namespaces, clusters = ({value for value in values if value} for values in
                                    zip(*places, tuple(own), strict=True))  # fmt: skip
            if len(namespaces) <= 1 and len(clusters) <= 1:
                self._full[entity] = replace(
                    entity,
                    namespace=next(iter(namespaces), None),
                    cluster=next(iter(clusters), None),
                )
            else:
                self._full[entity] = entity
        return self._full[entity]

    def key(self, entity: Entity) -> Key:
        """The key of ``entity`` as fully named as it can be."""
        return key_of(self.full(entity))


def _agree(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return all(
        not mine or not yours or mine == yours for mine, yours in zip(one, other, strict=True)
    )
