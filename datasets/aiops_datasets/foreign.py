"""Metric files of other tools, brought into ours: one row a time, one column a metric.

Taken are wide files (a column a series), long ones (a row a sample, the series named in one column
or two) and half-long ones (a row a service and time, a column a metric), with the separators,
encodings, dates and cells of ``foreign_text`` and ``foreign_times``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aiops.analyze.samples import LARGEST
from aiops.errors import InvalidData
from aiops.ingest.service_labels import SERVICE_LABELS, service_of
from aiops.model.telemetry import FloatArray
from aiops_datasets import clock, columns, foreign_times, series_names
from aiops_datasets.foreign_text import Sheet, is_number, number, read_sheet
from aiops_datasets.reading import (
    BUDGET_CELLS,
    TIME_COLUMNS,
    Table,
    absurd_values,
    head,
    is_plain_number,
    read_table,
)

_TIMES = ("time", "timestamp", "ts", "unixtimestamp", "datetime", "epoch", "t", "ds", "date")
_TIMES_IN = ("ms", "us", "ns", "s", "utc", "unix", "local")
_METRICS = ("metric", "metricname", "name", "series", "kpi", "kpiname", "measurement", "indicator")
_VALUES = ("value", "val", "metricvalue", "sample", "v")
_SERVICES = (
    *(label.replace("_", "") for label in SERVICE_LABELS),
    *("servicename", "containername", "podname", "cmdbid", "component", "entity", "instance"),
    *("host", "hostname", "node", "application", "appname"),
)
_FILLED = 0.5
"""Share of the cells that samples of series scraped together fill; fewer, and each series was
scraped at moments of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Foreign:
    """What a foreign file says: the table, and the services where the file itself names them."""

    table: Table
    services: tuple[str, ...] = ()


def read_any(path: Path) -> Foreign:
    """The metrics in ``path``: streamed where they are in our layout, else as ``read_foreign``.

    Raises:
        InvalidData: what the layout that fits better says.
    """
    return Foreign(read_table(path)) if _is_ours(path) else read_foreign(path)


def _is_ours(path: Path) -> bool:
    """Whether the first rows are a time that grows and numbers, separated by commas."""
    try:
        header, rows = head(path, 1, data_rows=2)
    except InvalidData:
        return False
    at = next((i for i, name in enumerate(header) if name.lower() in TIME_COLUMNS), None)
    if at is None or any(len(row) != len(header) for row in rows):
        return False
    others = [cell for row in rows for i, cell in enumerate(row) if i != at]
    try:
        times = [_moment(row[at]) for row in rows]
    except ValueError:
        return False
    return times == sorted(times) and all(is_plain_number(cell) for cell in others)


def _moment(cell: str) -> float:
    return float(cell) if is_plain_number(cell) else clock.parse_iso(cell)


def read_foreign(path: Path) -> Foreign:
    """The metrics in ``path``, whatever tool wrote them.

    Raises:
        InvalidData: see ``read_sheet``; no time column, text among numbers, times in disorder.
    """
    sheet = read_sheet(path)
    if len(sheet.rows) < 2:
        count = len(sheet.rows)
        raise InvalidData(path, f"has {count} row{'s' if count != 1 else ''}; two are the least")
    return _Reader(path, sheet).read()


def _plain(name: str) -> str:
    """``name`` without what tools decorate it with: "@timestamp", "_time", "Timestamp (UTC)"."""
    return re.sub(r"[^a-z]", "", name.lower())


class _Reader:
    def __init__(self, path: Path, sheet: Sheet) -> None:
        self._path, self._sheet = path, sheet
        self._notes = list(sheet.notes)

    def read(self) -> Foreign:
        self._refuse_doubled_names()
        at = self._time_column()
        cells = self._column(at)
        try:
            times, rhythm, said = foreign_times.read_times(cells, self._sheet.header[at])
        except ValueError as error:
            row = cells.index(str(error)) + 1 if str(error) in cells else None
            column = self._sheet.header[at]
            raise InvalidData(
                self._path, f"{str(error)!r} is no time", column=column, row=row
            ) from error
        self._notes.insert(0, said)
        others = [i for i in range(len(self._sheet.header)) if i != at]
        words = [i for i in others if not self._numeric(i)]
        numbers = [i for i in others if i not in words]
        metric = next((i for i in words if self._name(i) in _METRICS), None)
        service = self._service_column(words, metric)
        if metric is not None:
            values = [i for i in numbers if self._name(i) in _VALUES] or numbers
            if len(values) != 1:
                raise InvalidData(self._path, "names no column of values; call it value")
            rows = self._samples(times, metric, service, values)
        elif service is not None and numbers and self._tells_rows_apart(times, numbers):
            rows = self._samples(times, None, service, numbers)
        else:
            names, values_of = self._wide(words, numbers)
            times, values_of = self._in_order(at, times, values_of)
            table = Table(times, values_of, names, rhythm, tuple(self._notes))
            return Foreign(table)
        grid, values_of, names, services = rows
        return Foreign(Table(grid, values_of, names, rhythm, tuple(self._notes)), services)

    def _name(self, column: int) -> str:
        return _plain(self._sheet.header[column])

    def _column(self, column: int) -> list[str]:
        return [row[column] for row in self._sheet.rows]

    def _numeric(self, column: int) -> bool:
        filled = (cell for cell in self._column(column) if cell.strip())
        first = next(filled, "")
        return is_number(first, decimal_comma=self._sheet.decimal_comma)

    def _refuse_doubled_names(self) -> None:
        named = [name for name in self._sheet.header if name]
        doubled = next((name for name in named if named.count(name) > 1), None)
        if doubled is not None:
            raise InvalidData(self._path, "stands twice in the header", column=doubled)

    def _time_column(self) -> int:
        names = [self._name(i) for i in range(len(self._sheet.header))]
        for known in _TIMES:
            for i, name in enumerate(names):
                if name.removeprefix(known) in ("", *_TIMES_IN) and name.startswith(known):
                    return i
        for i in range(len(names)):  # without a name, or one in another language
            if foreign_times.is_time(self._sheet.rows[0][i]):
                return i
        raise InvalidData(self._path, "has no time column; call it time, timestamp or ts")

    def _service_column(self, words: list[int], metric: int | None) -> int | None:
        left = [i for i in words if i != metric]
        for known in _SERVICES:
            for i in left:
                if self._name(i) == known:
                    return i
        return None

    def _tells_rows_apart(self, times: FloatArray, numbers: list[int]) -> bool:
        """Whether a column of services tells rows of one time apart, or no other name has one."""
        if len(np.unique(times)) < len(times):
            return True
        named = columns.split([self._sheet.header[i] for i in numbers])
        return not named or series_names.metric_first(named)

    def _numbers(self, column: int) -> FloatArray:
        comma = self._sheet.decimal_comma
        found = np.empty(len(self._sheet.rows))
        for i, row in enumerate(self._sheet.rows):
            try:
                found[i] = number(row[column], decimal_comma=comma)
            except ValueError as error:
                reason = f"{row[column][:40]!r} is not a number"
                name = self._sheet.header[column]
                raise InvalidData(self._path, reason, column=name, row=i + 1) from error
        absurd = np.abs(found) >= LARGEST
        if absurd.any() and (said := absurd_values(self._path)) not in self._notes:
            self._notes.append(said)
        return np.where(absurd, np.nan, found)

    def _wide(self, words: list[int], numbers: list[int]) -> tuple[tuple[str, ...], FloatArray]:
        if words:
            named = ", ".join(self._sheet.header[i] for i in words[:8])
            self._notes.append(f"columns of text left out: {named}")
        found = [(self._sheet.header[i], self._numbers(i)) for i in numbers]
        kept = [(name, values) for name, values in found if name and not np.isnan(values).all()]
        if not kept:
            raise InvalidData(self._path, "holds no numbers beside the time")
        return tuple(name for name, _ in kept), np.column_stack([values for _, values in kept])

    def _in_order(
        self, at: int, times: FloatArray, values: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        steps = np.diff(times)
        if (steps < 0).all():
            self._notes.append("the newest row comes first; the rows were turned round")
            return times[::-1].copy(), values[::-1].copy()
        if (steps <= 0).any():
            i = int(np.argmax(steps <= 0))
            what = "is the same as in" if steps[i] == 0 else "is earlier than in"
            raise InvalidData(
                self._path,
                f"time {what} the row before; sort the rows and drop doubled ones",
                column=self._sheet.header[at],
                row=i + 2,
            )
        return times, values

    def _samples(
        self, times: FloatArray, metric: int | None, service: int | None, values: list[int]
    ) -> tuple[FloatArray, FloatArray, tuple[str, ...], tuple[str, ...]]:
        """Rows of samples as a grid: times, values, names of the columns, services."""
        services: dict[str, None] = {}
        names: dict[str, int] = {}
        row_at, column_at, found = [], [], []
        for column in values:
            numbers = self._numbers(column)
            for i, name in enumerate(self._names(column, metric, service, services)):
                row_at.append(i)
                column_at.append(names.setdefault(name, len(names)))
                found.append(numbers[i])
        width = len(names)
        at = times[np.array(row_at, dtype=np.intp)]
        grid, place = _grid(at, np.array(column_at, dtype=np.intp), width)
        if len(grid) * width > BUDGET_CELLS:
            reason = f"holds {width} series at {len(grid)} times, too many to read at once"
            raise InvalidData(self._path, reason)
        filled = _averaged(place, np.array(column_at, dtype=np.intp), np.array(found), len(grid))
        self._notes.append(f"read as one row a sample: {width} series at {len(grid)} times")
        return grid, filled, tuple(names), tuple(services)

    def _names(
        self, column: int, metric: int | None, service: int | None, services: dict[str, None]
    ) -> Iterator[str]:
        for row in self._sheet.rows:
            what = row[metric] if metric is not None else self._sheet.header[column]
            if service is None:
                yield what
                continue
            label = "pod" if self._name(service).startswith("pod") else ""
            owner = service_of(label, row[service].strip())
            services.setdefault(owner)
            yield f"{owner}_{what}"


def _grid(times: FloatArray, series: np.ndarray, width: int) -> tuple[FloatArray, np.ndarray]:
    """The times of the rows, and (n,) in which of them each sample belongs."""
    moments, place = np.unique(times, return_inverse=True)
    if len(moments) * width * _FILLED <= len(times):
        return moments, place
    order = np.lexsort((times, series))
    steps = np.diff(times[order])[np.diff(series[order]) == 0]
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if step <= 0:
        return moments, place
    slots, place = np.unique(np.floor((times - moments[0]) / step), return_inverse=True)
    return moments[0] + slots * step, place


def _averaged(rows: np.ndarray, columns: np.ndarray, values: FloatArray, height: int) -> FloatArray:
    """(height, width) means of the samples of each cell, NaN where there are none."""
    shape = (height, int(columns.max()) + 1)
    known = ~np.isnan(values)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (rows[known], columns[known]), values[known])
    np.add.at(counts, (rows[known], columns[known]), 1)
    means: FloatArray = np.full(shape, np.nan)
    return np.divide(sums, counts, out=means, where=counts > 0)
