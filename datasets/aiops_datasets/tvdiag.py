"""Alert lists: many cases in one ``cases.jsonl.gz``, alerts and an instance graph, no telemetry."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiops.errors import InvalidData, InvalidInput
from aiops.model import AlertSignal, Call, CaseData, Entity, ServiceGraph, TelemetryWindow
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import assembly, clock, public
from aiops_datasets.folder import first_of, opaque_id
from aiops_datasets.public import PublicReader

_FILES = ("cases.jsonl.gz", "cases.jsonl")


class AlertListLayout:
    """Reads alert lists; ``read_public`` gets at a row without its answers."""

    name = "tvdiag"

    def __init__(self, read_public: PublicReader = public.apart) -> None:
        self._read_public = read_public

    def recognises(self, path: Path) -> bool:  # noqa: ARG002
        """Never: the file holds many cases; one of them is called ``dataset:name``."""
        return False

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """The cases of the list in the folder ``path``, or of the list ``path``."""
        listed = path if path.name in _FILES and path.is_file() else None
        if listed is None and path.is_dir():
            listed = first_of(path, *_FILES)
        if listed is not None:
            dataset = listed.resolve().parent.name
            for name in self._read_public("names", listed):
                yield CaseLocation(dataset, name, listed, opaque_id(dataset, name))

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The alerts and graph of one case; see the port."""
        if hints.graph is not None:
            raise InvalidInput(f"{location.path} holds its own graph; leave --graph out")
        row = self._read_public("row", location.path, location.name)
        return _case(location, row, hints)


def _case(location: CaseLocation, row: dict[str, Any], hints: CaseHints) -> CaseData:
    path = location.path
    names = _strings(path, "nodes", row["nodes"])
    graph = _graph(path, names, row["edges"])
    alerts = (
        *(_metric(path, alert, names) for alert in row["metric_alerts"]),
        *(_trace(path, alert, names) for alert in row["trace_alerts"]),
        *(_log(path, alert, names) for alert in row["log_alerts"]),
    )
    extent = _extent(path, row)
    value = hints.inject_time if hints.inject_time is not None else row.get("inject_time")
    at, notes = assembly.alert_time(path, value, None, extent)
    if extent is None:
        notes = (*notes, "nothing in the case has a time; the window is unknown")
    start, end = extent or (0.0, 0.0)
    return CaseData(
        id=location.id,
        window=TelemetryWindow(
            start=clock.moment(start),
            end=clock.moment(end),
            relative=extent is None,
            alerts=alerts,
            graph=graph,
        ),
        trigger=assembly.trigger(at, hints, {*graph.nodes, *(alert.entity for alert in alerts)}),
        notes=notes,
    )


def instance(name: str, instances: tuple[str, ...] = ()) -> Entity:
    """An instance such as ``cart-1`` or ``cart1`` of service ``cart``.

    A name that is not among the known ``instances`` is the machine an alert was raised on.
    """
    if instances and name not in instances:
        return Entity("node", name)
    return Entity("instance", name, service=re.sub(r"-?\d+$", "", name) or name)


def _graph(path: Path, names: tuple[str, ...], edges: list[Any]) -> ServiceGraph:
    nodes = tuple(instance(name) for name in names)
    calls: dict[tuple[int, int], float] = {}
    for edge in edges:
        if not isinstance(edge, list) or len(edge) != 2 or not all(_index(i, nodes) for i in edge):
            raise InvalidData(path, f"key 'edges' holds {edge!r:.40}, not two indices into nodes")
        calls[edge[0], edge[1]] = calls.get((edge[0], edge[1]), 0.0) + 1.0
    return ServiceGraph(
        nodes, tuple(Call(nodes[i], nodes[j], weight) for (i, j), weight in calls.items())
    )


def _index(value: object, nodes: tuple[Entity, ...]) -> bool:
    return isinstance(value, int) and 0 <= value < len(nodes)


def _strings(path: Path, key: str, values: Any, lengths: tuple[int, ...] = ()) -> tuple[str, ...]:
    if (
        not isinstance(values, list)
        or not all(isinstance(value, str) for value in values)
        or (lengths and len(values) not in lengths)
    ):
        raise InvalidData(path, f"key {key!r} holds {values!r:.60}, not a list of names")
    return tuple(values)


def _metric(path: Path, alert: Any, names: tuple[str, ...]) -> AlertSignal:
    fields = _strings(path, "metric_alerts", alert, (3, 4))
    host = Entity("node", fields[1]) if len(fields) == 4 else None
    return AlertSignal("metric", instance(fields[0], names), fields[-2], fields[-1], host)


def _trace(path: Path, alert: Any, names: tuple[str, ...]) -> AlertSignal:
    caller, callee, operation, detail = _strings(path, "trace_alerts", alert, (4,))
    peer = instance(caller, names) if caller in names else None  # "-1": from outside
    owner = callee if callee in names or peer is None else caller  # "": the callee is not known
    return AlertSignal("trace", instance(owner, names), operation, detail, peer)


def _log(path: Path, alert: Any, names: tuple[str, ...]) -> AlertSignal:
    owner, template = _strings(path, "log_alerts", alert, (2,))
    return AlertSignal("log", instance(owner, names), template, "")


def _extent(path: Path, row: dict[str, Any]) -> tuple[float, float] | None:
    bounds = []
    for key in ("start_time", "end_time"):
        text = row.get(key)
        if text is None:
            return None
        try:
            bounds.append(clock.parse_iso(text))
        except ValueError as error:
            raise InvalidData(path, f"key {key!r}: {text!r} is no time") from error
    return bounds[0], bounds[1]
