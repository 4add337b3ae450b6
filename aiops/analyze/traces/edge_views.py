"""The same calls as their two ends measured them: columns of the caller's and the callee's view.

A mesh's sidecars name the end that measured ("source", "destination"). Where a service measures
the calls it makes and the callee measures what it serves, the callee's own column of that metric
is the other view, over all its callers.
"""

import re

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.model import Entity, Series

Edge = tuple[Entity, Entity]
Views = dict[tuple[Edge, str], tuple[int, int]]
_SIDES = re.compile(r"(source|client|outbound)|(dest(?:ination)?|server|inbound)", re.IGNORECASE)


def views(series: tuple[Series, ...], kind: MetricKind) -> Views:
    """((caller, callee), what is measured) -> columns of the caller's and of the callee's view."""
    own: dict[tuple[Entity, str], int] = {}
    called: dict[tuple[Edge, str], int] = {}
    sides: dict[tuple[Edge, str], dict[bool, int]] = {}
    for i, one in enumerate(series):
        if reading_of(one).kind is not kind:
            continue
        edge, metric = edge_of(one)
        if edge is None:
            own.setdefault((one.entity, metric), i)
            continue
        side = _SIDES.search(metric)
        if side is None:
            called.setdefault((edge, metric), i)
        else:
            measured = metric[: side.start()] + metric[side.end() :]
            sides.setdefault((edge, measured), {})[side.group(1) is not None] = i
    found = {key: (both[True], both[False]) for key, both in sides.items() if len(both) == 2}
    for (edge, metric), column in called.items():
        if (edge[1], metric) in own:
            found[edge, metric] = (column, own[edge[1], metric])
    return found


def edge_of(one: Series) -> tuple[Edge | None, str]:
    """The calls that a series is of, None where it is of an entity; and what it measures."""
    if not one.metric.startswith("edge:"):
        return None, one.metric
    caller, metric = one.metric.removeprefix("edge:").rsplit(":", 1)
    callee = one.entity
    source = Entity("service", caller, namespace=callee.namespace, cluster=callee.cluster)
    return (source, callee), metric
