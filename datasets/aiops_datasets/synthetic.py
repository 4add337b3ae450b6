"""Planted worlds as cases: incidents whose cause we know because we put it there.

A world is a small call graph of services with invented names and one fault (``worlds`` says how it
behaves). A shared load wave and shared nodes confound it without appearing as columns. One seed is
one world, to the bit, and the same seed planted "healthy" is its control: it does not differ in any
row before the onset.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from aiops.errors import InvalidInput, UnknownName
from aiops.model import (
    Call,
    CaseData,
    Entity,
    FaultType,
    MetricTable,
    Series,
    ServiceGraph,
    TelemetryWindow,
    Trigger,
)
from aiops.model.telemetry import FloatArray
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets.case import Answers, Case
from aiops_datasets.folder import opaque_id
from aiops_datasets.var_process import LaggedEdge, VarProcess, var_process
from aiops_datasets.worlds import (
    FAULTS,
    Confounder,
    Fault,
    PlantedFault,
    Topology,
    World,
    simulate,
)

__all__ = [
    "FAULTS",
    "Confounder",
    "Fault",
    "LaggedEdge",
    "SyntheticWorlds",
    "VarProcess",
    "World",
    "plant",
    "specified",
    "var_process",
    "world",
]

_DATASET = "synthetic"
_NAME = re.compile(r"synthetic:(?P<seed>\d{1,12})(?::(?P<fault>\w+))?")
_EPOCH = 1_767_600_000  # worlds start here, an hour apart by seed

_UNITS = {
    "cpu": "percent",
    "memory": "bytes",
    "request_rate": "requests/second",
    "latency_p50": "seconds",
    "latency_p95": "seconds",
    "error_ratio": "ratio",
    "disk_io": "bytes/second",
}
# The metrics each fault is planted in; whatever else moves is its effect.
_CARRIERS: dict[Fault, tuple[str, ...]] = {
    "cpu": ("cpu",),
    "memory": ("memory",),
    "latency": ("latency_p50", "latency_p95"),
    "network_delay": ("latency_p50", "latency_p95"),
    "error": ("error_ratio",),
    "traffic": ("request_rate", "requests_total"),
    "disk": ("disk_io",),
    "healthy": (),
}


def world(
    seed: int,
    *,
    services: int = 8,
    minutes: float = 10.0,
    interval_s: float = 1.0,
    fault: Fault | None = None,
    latent: tuple[Confounder, ...] = ("load", "node"),
) -> Case:
    """The case of ``World(seed, ...)`` with its answers; see ``World`` for the arguments.

    Raises:
        InvalidInput: an argument out of range.
    """
    return plant(World(seed, services, minutes, interval_s, fault, latent))


def plant(spec: World) -> Case:
    """The telemetry of a world and its planted truth. Equal specs give equal cases."""
    topology_rng, noise, sizes = (
        np.random.default_rng(child) for child in np.random.SeedSequence(spec.seed).spawn(3)
    )
    topology = Topology.drawn(spec, topology_rng)
    # Drawn whether needed or not: a seed's culprit is the same under every fault.
    kind, culprit = int(sizes.integers(len(FAULTS) - 1)), int(sizes.integers(spec.services))
    fault = PlantedFault(spec.fault or FAULTS[kind], culprit, int(spec.onset * spec.rows))
    values = simulate(spec, topology, fault, noise, sizes)
    entities = tuple(Entity("service", name) for name in topology.names)
    start = _EPOCH + (spec.seed % 10_000) * 3600.0
    times = start + spec.interval_s * np.arange(spec.rows, dtype=np.float64)
    table = _table(spec, times, values, entities)
    data = CaseData(
        id=_opaque(spec),
        window=TelemetryWindow(
            start=_utc(times[0]),
            end=_utc(times[-1]),
            metrics=table,
            graph=ServiceGraph(
                entities,
                tuple(
                    Call(entities[edge.caller], entities[edge.callee], edge.calls)
                    for edge in topology.edges
                ),
            ),
        ),
        trigger=_alert(spec, fault, times, entities[0]),
    )
    return Case(_DATASET, data, _answers(spec, fault, table, entities[culprit]))


def _table(
    spec: World, times: FloatArray, values: dict[str, FloatArray], entities: tuple[Entity, ...]
) -> MetricTable:
    columns, series = [], []
    for i, entity in enumerate(entities):
        for metric, unit in _UNITS.items():
            column = values[metric][:, i]
            if spec.counters and metric == "request_rate":
                column = np.floor(np.cumsum(column) * spec.interval_s)
                name = f"{entity.name}_requests_total"
                series.append(Series(entity, "requests_total", name, "requests", "counter"))
            else:
                series.append(Series(entity, metric, f"{entity.name}_{metric}", unit, "gauge"))
            columns.append(column)
    return MetricTable(times, np.column_stack(columns), tuple(series), source=_DATASET)


def _alert(spec: World, fault: PlantedFault, times: FloatArray, entry: Entity) -> Trigger:
    """What users of the first service notice; a healthy world's alert is a false alarm."""
    at = _utc(min(times[fault.row] + spec.alert_delay_s, times[-1]))
    if fault.kind == "error":
        return Trigger(at, entry, "error_ratio", "Users report errors.")
    return Trigger(at, entry, "latency_p95", "Users report slow answers.")


def _answers(spec: World, fault: PlantedFault, table: MetricTable, culprit: Entity) -> Answers:
    healthy = fault.kind == "healthy"
    carriers = _CARRIERS[fault.kind]
    return Answers(
        entities=() if healthy else (culprit,),
        columns=tuple(
            series.column
            for series in table.series
            if series.entity == culprit and series.metric in carriers
        ),
        metric_answer=not healthy,
        inner=None,
        fault_type=FaultType.UNKNOWN if healthy else FaultType(fault.kind),
        fault_label=fault.kind,
        inject_time_kind="alert_onset" if spec.alert_delay_s else "exact",
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


def _opaque(spec: World) -> str:
    return opaque_id(_DATASET, repr(spec))


def specified(text: str) -> World:
    """The world that ``synthetic:<seed>[:<fault>]`` asks for.

    Raises:
        InvalidInput: another form.
        UnknownName: a fault there is none of.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise InvalidInput(f"{text!r} is no synthetic case; write synthetic:<seed>[:<fault>]")
    if match["fault"] is None:
        return World(int(match["seed"]))
    for fault in FAULTS:
        if fault == match["fault"]:
            return World(int(match["seed"]), fault=fault)
    raise UnknownName("fault", match["fault"], FAULTS)


class SyntheticWorlds:
    """Cases that are made when asked for: ``synthetic:<seed>`` or ``synthetic:<seed>:<fault>``."""

    name = _DATASET

    def recognises(self, path: Path) -> bool:
        """Whether ``path`` has the form of a synthetic case; nothing is looked for on disk."""
        return _NAME.fullmatch(str(path)) is not None

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """The world that ``path`` names, if it names one.

        Raises:
            UnknownName: a fault there is none of.
        """
        if self.recognises(path):
            yield CaseLocation(_DATASET, str(path), path, _opaque(specified(str(path))))

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The world's telemetry.

        Raises:
            InvalidInput: hints were given; a world needs none.
        """
        if hints != CaseHints():
            raise InvalidInput(
                f"case {location.id} is synthetic and says everything itself; "
                "leave out --inject-time, --graph and --trigger"
            )
        return self.load_case(location).data

    def load_case(self, location: CaseLocation) -> Case:
        """The world with its answers, for evaluations."""
        return plant(specified(location.name))
