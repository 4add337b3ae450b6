"""The services an incident is about, those around them, and those nothing was recorded of."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from aiops.model import Entity, ServiceGraph, TelemetryWindow
from aiops.model.alert import Alert
from aiops.model.incident import Incident


def is_of_a_service(entity: Entity) -> bool:
    """Whether it is, or belongs to, a service; a machine or a namespace does not."""
    return entity.service is not None or entity.kind in ("service", "component", "workload")


def services_named(incident: Incident, alerts: Sequence[Alert]) -> tuple[str, ...]:
    """Which of ``incident.services`` are services, sorted: alerts also name nodes and namespaces.

    Args:
        alerts: of the incident; a name that none of them carries is taken for a service.
    """
    entities = [alert.entity for alert in alerts if alert.entity is not None]
    named = {entity.service_name for entity in entities if is_of_a_service(entity)}
    others = {entity.service_name for entity in entities} - named
    return tuple(name for name in incident.services if name not in others)


def around(graph: ServiceGraph, services: Sequence[str], hops: int) -> tuple[str, ...]:
    """These services and those within ``hops`` calls of them, either way; sorted."""
    neighbours: dict[str, set[str]] = {}
    for source, target in _ends(graph):
        neighbours.setdefault(source, set()).add(target)
        neighbours.setdefault(target, set()).add(source)
    found = set(services)
    for _ in range(hops):
        found |= {near for name in found for near in neighbours.get(name, ())}
    return tuple(sorted(found))


def touches(graph: ServiceGraph, services: Collection[str]) -> bool:
    """Whether any call of ``graph`` is by or of one of the services."""
    return any(source in services or target in services for source, target in _ends(graph))


def within(graph: ServiceGraph, services: Collection[str]) -> ServiceGraph:
    """The part of ``graph`` between these services."""
    return replace(
        graph,
        nodes=tuple(node for node in graph.nodes if node.service_name in services),
        calls=tuple(
            call
            for call, (source, target) in zip(graph.calls, _ends(graph), strict=True)
            if source in services and target in services
        ),
    )


def silent(window: TelemetryWindow, services: Sequence[str]) -> tuple[str, ...]:
    """Those of the services that ``window`` holds no metric, log line or span of."""
    heard: set[str] = set()
    if window.metrics is not None:
        heard.update(series.entity.service_name for series in window.metrics.series)
    for table in (window.logs, window.spans):
        if table is not None:
            heard.update(table.services[code] for code in set(table.service_of.tolist()))
    return tuple(name for name in services if name not in heard)


def _ends(graph: ServiceGraph) -> list[tuple[str, str]]:
    return [(call.source.service_name, call.target.service_name) for call in graph.calls]
