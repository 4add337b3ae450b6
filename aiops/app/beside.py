"""Whom to look at where nothing tells who calls whom: what runs beside the incident's services."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from aiops.analyze.wording import listed
from aiops.errors import SourceUnavailable
from aiops.model import Entity, FailedStep, MetricTable, TelemetryWindow
from aiops.model.incident import Incident
from aiops.ports.telemetry import ServiceSource

MOST = 100
"""Services looked at: with more of them each would have few of the series that a source gives."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The services of one place.

    Attributes:
        place: in words.
        services: the incident's own among them; these alone where none is known beside them.
        left_out: those too many to look at.
    """

    place: str
    services: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What the reader must know of a cause that is found there."""
        rest = ""
        if self.left_out:
            rest = (
                f" {len(self.left_out)} more were not looked at, to keep to {MOST}: "
                f"{listed(self.left_out, most=6)}."
            )
        return (
            f"the {len(self.services)} services of {self.place} were all looked at, so a cause "
            f"found may be another incident's.{rest}"
        )


def beside(
    incident: Incident,
    own: Sequence[str],
    sources: Sequence[tuple[str, object]],
    pushed: MetricTable,
    start: datetime,
    end: datetime,
    failed: list[FailedStep],
) -> Beside:
    """Whom the sources, and metrics that were pushed, know beside ``own``; at most MOST.

    Args:
        own: the incident's services.
        failed: told of sources that cannot say.
    """
    found = _named_beside(own, pushed, incident)
    for name, source in sources:
        if isinstance(source, ServiceSource):
            place = (incident.namespace, incident.cluster)
            try:
                found |= set(source.beside(own, *place, start, end))
            except SourceUnavailable as failure:
                failed.append(FailedStep(f"read names of services from {name}", str(failure)))
    others = sorted(found - set(own))
    room = max(0, MOST - len(own))
    words = _words(incident)
    return Beside(words, tuple(sorted({*own, *others[:room]})), tuple(others[room:]))


def only_there(window: TelemetryWindow, incident: Incident) -> TelemetryWindow:
    """``window`` without the metrics of services of the same name in other places."""
    table = window.metrics
    if table is None:
        return window
    inside = [n for n, one in enumerate(table.series) if _is_there(one.entity, incident)]
    kept = table.take(np.array(inside, dtype=np.intp))
    return replace(window, metrics=replace(kept, notes=table.notes) if inside else None)


def _named_beside(own: Collection[str], table: MetricTable, incident: Incident) -> set[str]:
    inside = (one.entity for one in table.series if _is_there(one.entity, incident))
    names = {entity.service_name for entity in inside if entity.kind != "node"}
    return set() if names.isdisjoint(own) else names


def _is_there(entity: Entity, incident: Incident) -> bool:
    """Whether nothing says that it is elsewhere."""
    stated = ((entity.namespace, incident.namespace), (entity.cluster, incident.cluster))
    return all(None in pair or pair[0] == pair[1] for pair in stated)


def _words(incident: Incident) -> str:
    where = f"cluster {incident.cluster!r}" if incident.cluster is not None else ""
    if incident.namespace is not None:
        return f"namespace {incident.namespace!r}" + (f" in {where}" if where else "")
    return where or "all sources"
