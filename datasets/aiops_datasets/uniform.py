"""The uniform layout: a folder with metrics, logs, traces, snapshots, and a case.json beside them.

A folder without case.json is taken too, when it holds a metrics file; the hints then say what
case.json would have said.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from aiops.errors import InvalidData
from aiops.model import (
    AlertSignal,
    CaseData,
    Entity,
    MetricTable,
    RecordedOutput,
    Reference,
    Series,
    ServiceGraph,
    TelemetryWindow,
)
from aiops.model.change import Change
from aiops.model.entity import EntityKind
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import assembly, clock, columns, graphs, public, records, snapshots
from aiops_datasets.changes import read_changes
from aiops_datasets.folder import csv_of, first_of, inside, opaque_id
from aiops_datasets.foreign import read_any
from aiops_datasets.public import PublicReader
from aiops_datasets.reading import Table, read_table

LOAD = Entity("workload", "load-generator")
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
READ = frozenset(
    f"{name}.{form}"
    for form, names in (
        ("csv", ("logs", "traces", "graph", "locust_baseline", "locust_anomalous")),
        ("json", ("k8s_states", "tool_cache", "alerts", "changes")),
    )
    for name in names
)
"""Files of a folder beside its metrics, plain or gzip."""
_OTHERS = frozenset({"logs", "traces", "graph", "locust_baseline", "locust_anomalous", "index"})


class UniformLayout:
    """Reads the uniform layout; ``read_public`` gets at case.json without its answers."""

    name = "uniform"

    def __init__(self, read_public: PublicReader = public.apart) -> None:
        self._read_public = read_public

    def recognises(self, path: Path) -> bool:
        """A folder with case.json or with metrics that no native layout claims, or a lone file."""
        if not path.is_dir():
            return path.is_file() and path.name.lower().endswith(TABLES)
        if (path / "case.json").is_file():
            return True
        native = ("inject_time.txt", "target.json", "normal.csv")
        return _metrics_file(path) is not None and not any((path / n).exists() for n in native)

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """``path`` itself, or the folders in it; names that begin with "_" or "." are no cases."""
        if self.recognises(path):
            full = path.resolve()
            yield _location(full.parent.name if (path / "case.json").is_file() else full.name, path)
        elif path.is_dir():
            for folder in sorted(path.iterdir()):
                if not folder.name.startswith(("_", ".")) and (folder / "case.json").is_file():
                    yield _location(path.resolve().name, folder)

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The telemetry and trigger of one case; see the port."""
        folder = location.path
        if folder.is_file():
            read = read_any(folder)
            return assembly.metrics_case(
                location, hints, folder, read.table, alert_at=None, services=read.services
            )
        said = inside(folder, "case.json")
        facts = self._read_public("case", said) if said else {}
        return _Loader(location, hints, facts, said).load()


def _location(dataset: str, folder: Path) -> CaseLocation:
    name = folder.resolve().name
    return CaseLocation(dataset, name, folder, opaque_id(dataset, name))


def _metrics_file(folder: Path) -> Path | None:
    """metrics.csv or data.csv; else the only table there is, when nothing else is known of it."""
    named = csv_of(folder, "metrics") or csv_of(folder, "data")
    if named is not None or (folder / "case.json").is_file() or folder.name.startswith("_"):
        return named
    inner = list(folder.iterdir())
    tables = [path for path in inner if _may_be_metrics(path)]
    lone = len(tables) == 1 and not any(path.is_dir() for path in inner)
    return inside(folder, tables[0].name) if lone else None


def _may_be_metrics(path: Path) -> bool:
    name = path.name.lower()
    return path.is_file() and name.endswith(TABLES) and name.partition(".")[0] not in _OTHERS


@dataclass
class _Loader:
    """One case, put together modality by modality."""

    location: CaseLocation
    hints: CaseHints
    facts: dict[str, Any]
    said: Path | None

    def __post_init__(self) -> None:
        self.folder = self.location.path
        self.notes: list[str] = []
        self.namespace: str | None = self.facts.get("namespace")
        self.entity = partial(columns.entity, namespace=self.namespace)
        self.clock: clock.Clock | None = None

    def load(self) -> CaseData:
        logs_at, traces_at = csv_of(self.folder, "logs"), csv_of(self.folder, "traces")
        logs, said_of_logs = records.read_logs(logs_at) if logs_at else (None, ())
        spans, said_of_spans = records.read_spans(traces_at) if traces_at else (None, ())
        self.notes += [*said_of_logs, *said_of_spans]
        state = self._outputs("k8s_states")
        metrics = self._metrics(snapshots.node_names(state))
        self.notes += self._unread()
        extent = assembly.extent(metrics, logs, spans)
        at, notes = self._alert_time(extent)
        self.notes += notes
        relative = bool(self.clock and self.clock.relative)
        if extent is None:
            extent, relative = self._snapshot_time()
        window = TelemetryWindow(
            start=clock.moment(extent[0]),
            end=clock.moment(extent[1]),
            relative=relative,
            metrics=metrics,
            logs=logs,
            spans=spans,
            load=self._load(),
            alerts=self._alerts(),
            cluster_state=state,
            tool_outputs=self._outputs("tool_cache"),
            graph=self._graph(metrics),
            reference=self._reference(at),
            changes=self._changes(),
        )
        if metrics is None and logs is None and spans is None and not state and not window.alerts:
            raise InvalidData(self.folder, "holds no telemetry; put a metrics.csv into it")
        target = self.facts.get("target")
        return CaseData(
            id=self.location.id,
            window=window,
            trigger=assembly.trigger(
                at,
                self.hints,
                assembly.entities(window),
                target=(target["node"], f"{target['metric']}_{target['agg']}") if target else None,
                statement=self.facts.get("query"),
            ),
            notes=tuple(self.notes),
        )

    def _metrics(self, nodes: tuple[str, ...]) -> MetricTable | None:
        path = _metrics_file(self.folder)
        if path is None:
            return None
        read = read_any(path)
        self.clock = read.table.clock
        metrics, notes = assembly.metric_table(
            path,
            read.table,
            known=(*self._graph_names(), *read.services),
            nodes=nodes,
            namespace=self.namespace,
        )
        self.notes += notes
        return metrics

    def _unread(self) -> tuple[str, ...]:
        """What lies in a folder of somebody's own and is in no form that is read."""
        if self.said is not None:
            return ()
        taken = {_metrics_file(self.folder)}
        if self.hints.graph is not None:
            taken.add(self.folder / self.hints.graph.name)
        left = [
            path.name
            for path in sorted(self.folder.iterdir())
            if path not in taken
            and not path.name.startswith((".", "_", "README"))
            and path.name.removesuffix(".gz") not in READ
        ]
        if not left:
            return ()
        shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
        return (f"not read, for their names or forms are not known: {shown}",)

    def _alert_time(
        self, extent: tuple[float, float] | None
    ) -> tuple[float | None, tuple[str, ...]]:
        if self.hints.inject_time is not None:
            where = _metrics_file(self.folder) or self.folder
            return assembly.alert_time(where, self.hints.inject_time, self.clock, extent)
        where = self.said or self.folder
        return assembly.alert_time(where, self.facts.get("inject_time"), self.clock, extent)

    def _snapshot_time(self) -> tuple[tuple[float, float], bool]:
        """When the snapshot was taken; nothing else in the case has a time."""
        taken = self.facts.get("collection_timestamp")
        if taken is None:
            self.notes.append("nothing in the case has a time; the window is unknown")
            return (0.0, 0.0), True
        try:
            unix = clock.parse_iso(taken)
        except ValueError as error:
            reason = f"key 'collection_timestamp': {taken!r} is no time"
            raise InvalidData(self.said, reason) from error
        self.notes.append("no telemetry has a time; the window is the moment of the snapshot")
        return (unix, unix), False

    def _outputs(self, name: str) -> tuple[RecordedOutput, ...]:
        path = first_of(self.folder, f"{name}.json.gz", f"{name}.json")
        return snapshots.read_outputs(path) if path else ()

    def _alerts(self) -> tuple[AlertSignal, ...]:
        path = first_of(self.folder, "alerts.json.gz", "alerts.json")
        if path is None:
            return ()
        alerts, notes = snapshots.read_alerts(path, self.entity)
        self.notes += notes
        return alerts

    def _changes(self) -> tuple[Change, ...] | None:
        path = first_of(self.folder, "changes.json.gz", "changes.json")
        return read_changes(path, self.namespace) if path else None

    def _graph_file(self) -> Path | None:
        if self.hints.graph is not None:
            return self.hints.graph
        own = csv_of(self.folder, "graph")
        if own:
            return own
        shared = self.folder.parent / "_graph"
        scenario = self.facts.get("scenario")
        names = ([f"{scenario}.graph"] if scenario else []) + ["dependency", "graph"]
        return next((path for name in names if (path := csv_of(shared, name))), None)

    def _graph_names(self) -> tuple[str, ...]:
        path = self._graph_file()
        if path is None:
            return ()
        return tuple(
            node.name for node in _read_graph(path, _written_at(path), None, "service").nodes
        )

    def _graph(self, metrics: MetricTable | None) -> ServiceGraph | None:
        path = self._graph_file()
        if path is None:
            return None
        kinds = {series.entity.kind for series in metrics.series} if metrics else set()
        # A graph of a set whose metrics are of components is of components too.
        kind: EntityKind = "component" if kinds == {"component"} else "service"
        return _read_graph(path, _written_at(path), self.namespace, kind)

    def _load(self) -> MetricTable | None:
        parts = []
        for name, shift in (
            ("locust_baseline", self.facts.get("baseline_time_shift_s") or 0.0),
            ("locust_anomalous", 0.0),
        ):
            path = csv_of(self.folder, name)
            if path:
                table = read_table(path, ignore=("Type", "Name"))
                parts.append(replace(table, times=table.times + shift))
        return _joined(parts) if parts else None

    def _reference(self, at: float | None) -> Reference | None:
        shared = self.folder.parent / "_normal"
        day = clock.moment(at).date().isoformat() if at is not None else None
        for stem in filter(None, (self.facts.get("scenario"), day)):
            files = tuple(csv_of(shared, f"{stem}.{n}") for n in ("metrics", "logs", "traces"))
            if any(files):
                return _read_reference(*files, sum(map(_written_at, files)), self.namespace)
        return None


def _written_at(path: Path | None) -> int:
    """What changes when a file is written anew: a cache must not outlive its file."""
    return path.stat().st_mtime_ns if path else 0


@lru_cache(maxsize=16)
def _read_graph(path: Path, _written: int, namespace: str | None, kind: EntityKind) -> ServiceGraph:
    return graphs.read_graph(path, partial(columns.entity, kind=kind, namespace=namespace))


@lru_cache(maxsize=4)  # one reference serves all cases of a day or scenario
def _read_reference(
    metrics: Path | None,
    logs: Path | None,
    spans: Path | None,
    _written: int,
    namespace: str | None,
) -> Reference:
    table = None
    if metrics:
        table, _ = assembly.metric_table(metrics, read_table(metrics), namespace=namespace)
    return Reference(
        table,
        records.read_logs(logs)[0] if logs else None,
        records.read_spans(spans)[0] if spans else None,
    )


def _joined(parts: list[Table]) -> MetricTable:
    """Load statistics of the runs that were stitched, on one clock; the later run wins."""
    names = [name for name in parts[-1].columns if all(name in p.columns for p in parts)]
    times, values = [], []
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        end = np.searchsorted(part.times, after.times[0]) if after else len(part.times)
        chosen = [part.columns.index(name) for name in names]
        times.append(part.times[:end])
        values.append(part.values[:end, chosen])
    series = tuple(Series(LOAD, name, name) for name in names)
    return MetricTable(np.concatenate(times), np.concatenate(values), series, "locust")
