"""Spans into trees: parents, roots and depth of every span, whatever the recorder did to them.

Columns in, columns out: nothing here loops over spans, so that one broken million-span trace costs
no more than a million spans in good order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from aiops.model import SpanTable
from aiops.model.telemetry import FloatArray

Rows = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Oddities:
    """How many spans were not as they should be, and what became of them."""

    unreadable: int = 0  # no finite start or duration: left out
    duplicates: int = 0  # same trace and span id as an earlier row: left out
    negative: int = 0  # negative duration: taken as zero
    orphans: int = 0  # parent not recorded (a partial trace): taken as a root
    cycles: int = 0  # their own ancestor: cut where the cycle starts first
    skewed: int = 0  # start before their parent by more than CLOCK_SKEW_S: another clock

    def notes(self) -> tuple[str, ...]:
        """One sentence for each kind that occurred."""
        words = {
            "unreadable": "without a usable start or duration were left out",
            "duplicates": "repeat an earlier span id of their trace and were left out",
            "negative": "have a negative duration, which counts as zero",
            "orphans": "name a parent that was not recorded and count as roots",
            "cycles": "are their own ancestors; each cycle was cut at its first span",
            "skewed": "start before their parent: clocks differ, so only durations were compared",
        }
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        return tuple(f"Traces: {n:,} spans {words[name]}." for name, n in counts.items() if n)


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Span trees in columns, (n,) each.

    Attributes:
        spans: the spans that could be used; durations >= 0.
        rows: row of each span in the table it was read from.
        trace: number of its trace, 0 to traces - 1.
        parent: row (in ``spans``) of its parent, -1 for roots.
        root: row of its root; its own for roots.
        depth: 0 for roots.
        traces: how many traces there are.
    """

    spans: SpanTable
    rows: Rows
    trace: Rows
    parent: Rows
    root: Rows
    depth: Rows
    traces: int
    oddities: Oddities

    @property
    def ends(self) -> FloatArray:
        """(n,) unix seconds."""
        return self.spans.starts + self.spans.durations

    @property
    def service(self) -> Rows:
        """(n,) index into ``spans.services``."""
        return self.spans.service_of.astype(np.intp)

    @property
    def operation(self) -> Rows:
        """(n,) index into ``spans.operations``."""
        return self.spans.operation_of.astype(np.intp)


CLOCK_SKEW_S = 1e-3
"""Seconds by which a child may start before its parent unremarked: the millisecond that many
recorders round to."""


def forest(table: SpanTable) -> Forest:
    """The trees of ``table``. O(n log n); never fails on what the spans hold."""
    usable = np.isfinite(table.starts) & np.isfinite(table.durations)
    kept = np.flatnonzero(usable)
    trace, traces = _numbered([table.trace_ids[kept]])
    span, ids = _numbered([table.span_ids[kept], table.parent_ids[kept]])
    count = len(kept)
    key = trace[:count] * np.int64(ids) + span[:count]
    unique, first = np.unique(key, return_index=True)
    kept_once = np.sort(first)
    parent_key = trace[:count] * np.int64(ids) + span[count:]
    parent = _looked_up(parent_key[kept_once], key[kept_once])
    named = np.array([bool(text) for text in table.parent_ids[kept][kept_once]], dtype=np.bool_)
    parent[~named] = -1
    orphans = int((named & (parent < 0)).sum())
    rows = kept[kept_once]
    spans = _taken(table, rows)
    parent, cycles = _without_cycles(parent, spans.starts)
    root, depth = _roots(parent)
    child = np.flatnonzero(parent >= 0)
    early = spans.starts[child] < spans.starts[parent[child]] - CLOCK_SKEW_S
    return Forest(
        spans=spans,
        rows=rows,
        trace=trace[kept_once].astype(np.intp),
        parent=parent,
        root=root,
        depth=depth,
        traces=traces,
        oddities=Oddities(
            unreadable=int((~usable).sum()),
            duplicates=count - len(unique),
            negative=int((table.durations[rows] < 0).sum()),
            orphans=orphans,
            cycles=cycles,
            skewed=int(early.sum()),
        ),
    )


def joined(first: SpanTable, second: SpanTable) -> SpanTable:
    """The rows of both tables under one vocabulary, those of ``first`` first."""
    services = tuple(dict.fromkeys(first.services + second.services))
    operations = tuple(dict.fromkeys(first.operations + second.operations))
    instances = tuple(dict.fromkeys(first.instances + second.instances))
    tables = (first, second)
    known = all(table.instance_of is not None for table in tables)
    stated = any(table.statuses is not None for table in tables)
    return SpanTable(
        trace_ids=np.concatenate([table.trace_ids for table in tables]),
        span_ids=np.concatenate([table.span_ids for table in tables]),
        parent_ids=np.concatenate([table.parent_ids for table in tables]),
        services=services,
        service_of=_recoded([(t.services, t.service_of) for t in tables], services),
        operations=operations,
        operation_of=_recoded([(t.operations, t.operation_of) for t in tables], operations),
        starts=np.concatenate([table.starts for table in tables]),
        durations=np.concatenate([table.durations for table in tables]),
        instances=instances if known else (),
        instance_of=_recoded(
            [(t.instances, t.instance_of) for t in tables if t.instance_of is not None], instances
        )
        if known
        else None,
        statuses=np.concatenate([_statuses(table) for table in tables]) if stated else None,
        source=first.source,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Children:
    """The children of every span, each group in order of start.

    Attributes:
        rows: (k,) all spans that have a parent, grouped by it.
        bounds: (n + 1,) where the group of each span begins in ``rows``.
    """

    rows: Rows
    bounds: Rows

    def of(self, span: int) -> Rows:
        """The children of one span."""
        return self.rows[self.bounds[span] : self.bounds[span + 1]]


def children(forest: Forest) -> Children:
    """The children of every span."""
    child = np.flatnonzero(forest.parent >= 0)
    order = child[np.lexsort((forest.spans.starts[child], forest.parent[child]))]
    sizes = np.bincount(forest.parent[child], minlength=len(forest.parent))
    return Children(order, np.concatenate([[0], np.cumsum(sizes)]).astype(np.intp))


def ancestors(above: Rows) -> Rows:
    """(n,) the end of each chain of ``above``, in which the last of a chain points to itself."""
    for _ in _doublings(len(above)):
        above = above[above]
    return above


def _numbered(columns: list[npt.NDArray[np.object_]]) -> tuple[npt.NDArray[np.int64], int]:
    """A number for each text, equal for equal texts across the columns; and how many there are."""
    code: dict[str, int] = {}
    numbers = [code.setdefault(text, len(code)) for column in columns for text in column.tolist()]
    return np.array(numbers, dtype=np.int64), len(code)


def _looked_up(wanted: npt.NDArray[np.int64], keys: npt.NDArray[np.int64]) -> Rows:
    """(k,) row of each wanted key in ``keys``, -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.intp)
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][at] == wanted, order[at], -1).astype(np.intp)


def _without_cycles(parent: Rows, starts: FloatArray) -> tuple[Rows, int]:
    """Parents in which every chain ends at a root; and how many spans lay on cycles."""
    rows = np.arange(len(parent))
    above = np.where(parent < 0, rows, parent)
    rank = np.empty(len(parent), dtype=np.intp)
    rank[np.lexsort((rows, starts))] = rows
    first = rank.copy()
    for _ in _doublings(len(parent)):
        first = np.minimum(first, first[above])
        above = above[above]
    circling = np.unique(above[parent[above] >= 0])
    cut = circling[first[circling] == rank[circling]]
    cleared = parent.copy()
    cleared[cut] = -1
    return cleared, len(circling)


def _roots(parent: Rows) -> tuple[Rows, Rows]:
    """(n,) root and depth of each span, by pointer doubling: chains of any length."""
    above = np.where(parent < 0, np.arange(len(parent)), parent)
    depth = (parent >= 0).astype(np.intp)
    for _ in _doublings(len(parent)):
        depth = depth + depth[above]
        above = above[above]
    return above, depth


def _doublings(rows: int) -> Iterable[int]:
    """As many as it takes for jumps that double to pass ``rows`` steps."""
    return range(max(1, rows).bit_length())


def _taken(table: SpanTable, rows: Rows) -> SpanTable:
    kept = table.rows(rows)
    return replace(kept, durations=np.maximum(kept.durations, 0.0))


def _recoded(
    parts: list[tuple[tuple[str, ...], npt.NDArray[np.int32]]], names: tuple[str, ...]
) -> npt.NDArray[np.int32]:
    code = {name: i for i, name in enumerate(names)}
    return np.concatenate(
        [np.array([code[name] for name in own] or [0], dtype=np.int32)[of] for own, of in parts]
    )


def _statuses(table: SpanTable) -> npt.NDArray[np.object_]:
    if table.statuses is not None:
        return table.statuses
    empty = np.empty(len(table.starts), dtype=np.object_)
    empty[:] = ""
    return empty
