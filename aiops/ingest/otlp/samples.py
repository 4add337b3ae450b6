"""Samples of one request while they come in, one by one, and as tables in the end."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from aiops.analyze.service_graph import edge_metric, mesh_ends
from aiops.ingest.otlp.attributes import Origin, texts
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.traces import SOURCE, span_of
from aiops.model import Entity, MetricTable, Series, TelemetryWindow
from aiops.model.telemetry import MetricType

_MOST_COLUMN: Final = 500
"""Characters of a column's name; of a longer one the end is a hash."""
_MOST_VALUE: Final = 100
"""Characters shown of an attribute's value."""
_MOST_CELLS: Final = 4_000_000
"""Cells of one table: 32 MB. Points that share few times are cut into several tables."""
_PART: Final = 500
"""Points of each: at most its square in cells."""
_PLAIN: Final = re.compile(r"[\w./:-]+")
"""Names that need no quotes to be told from the words around them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one set of attributes of one metric is about.

    Attributes:
        labels: the attributes as text, "" without any.
        caller: on a call by whom, where attributes say so.
        metric: the metric's name.
        identity: tells apart what shares everything else.
    """

    entity: Entity
    caller: Entity | None
    metric: str
    labels: str
    identity: str

    def named(self, metric: str) -> "Subject":
        """The same under another name."""
        return Subject(self.entity, self.caller, metric, self.labels, self.identity)

    @property
    def shown(self) -> str:
        """The metric as a Series names it."""
        whole = self.metric + self.labels
        return whole if self.caller is None else edge_metric(self.caller, whole)

    @property
    def column(self) -> str:
        """Unique to it, the same in every push."""
        whole = f"{self.shown}@{self.identity}"
        if len(whole) <= _MOST_COLUMN:
            return whole
        return f"{whole[: _MOST_COLUMN - 33]}#{blake2b(whole.encode(), digest_size=16).hexdigest()}"


class Samples:
    """Collects the samples of a request."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._subjects: set[Subject] = set()
        self._series: dict[str, int] = {}
        self._meant: list[Series] = []
        self._times: list[float] = []
        self._values: list[float] = []
        self._columns: list[int] = []

    def subject(
        self, origin: Origin, metric: str, attributes: Iterable[KeyValue]
    ) -> Subject | None:
        """What a point is about; None for one series too many."""
        found = _subject(origin, metric, texts(attributes, self._limits))
        if len(self._subjects) < self._limits.series:
            self._subjects.add(found)
        return found if found in self._subjects else None

    def put(
        self,
        subject: Subject,
        at: float,
        value: float,
        unit: str | None,
        kind: MetricType = "gauge",
    ) -> None:
        """Take one sample in; what is no number is none."""
        if not np.isfinite(value):
            return
        column = subject.column
        number = self._series.get(column)
        if number is None:
            number = self._series[column] = len(self._meant)
            self._meant.append(Series(subject.entity, subject.shown, column, unit, kind))
        self._times.append(at)
        self._values.append(value)
        self._columns.append(number)

    def windows(self) -> tuple[TelemetryWindow, ...]:
        """All samples as tables that hold their own times only."""
        times = np.array(self._times)
        if len(np.unique(times)) * len(self._meant) <= _MOST_CELLS:
            return self._window(np.arange(len(times))) if len(times) else ()
        order = np.argsort(times, kind="stable")
        parts = np.split(order, np.arange(_PART, len(order), _PART))
        return tuple(window for part in parts for window in self._window(part))

    def _window(self, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> tuple[TelemetryWindow]:
        clock, row = np.unique(np.array(self._times)[rows], return_inverse=True)
        used, column = np.unique(np.array(self._columns)[rows], return_inverse=True)
        values = np.full((len(clock), len(used)), np.nan)
        values[row, column] = np.array(self._values)[rows]
        series = tuple(self._meant[i] for i in used)
        table = MetricTable(clock, values, series, SOURCE)
        return (TelemetryWindow(*span_of(clock[0], clock[-1]), metrics=table),)


def _subject(origin: Origin, metric: str, labels: dict[str, str]) -> Subject:
    ends = mesh_ends(labels)
    shown = ",".join(
        f"{name}={json.dumps(value[:_MOST_VALUE], ensure_ascii=False)}"
        for name, value in sorted(labels.items())
    )
    entity = origin.entity if ends is None else ends[1]
    owner = origin.entity
    identity = _called(owner)
    if ends is not None or any(len(value) > _MOST_VALUE for value in labels.values()):
        identity += json.dumps(labels, ensure_ascii=False)
    return Subject(
        entity=entity,
        caller=None if ends is None else ends[0],
        metric=metric,
        labels=f"{{{shown}}}" if shown else "",
        identity=identity,
    )


def _called(owner: Entity) -> str:
    """An entity as reports cite it, never two alike: "web", "instance web-1 of service web"."""
    parts = (
        (owner.kind, owner.name),
        ("in namespace", owner.namespace),
        ("in cluster", owner.cluster),
        ("of service", owner.service),
    )
    written = [
        f"{name} {value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)}"
        for name, value in parts
        if value is not None
    ]
    return " ".join(written).removeprefix("service ")
