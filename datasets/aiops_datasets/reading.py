"""Metric CSV files, streamed into one array of bounded size."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from aiops.analyze.samples import LARGEST
from aiops.errors import InvalidData
from aiops.model.telemetry import FloatArray
from aiops_datasets import clock
from aiops_datasets.clock import Clock

# 10 M cells are 80 MB: an analyzer that makes six copies of them still stays under 1 GB.
BUDGET_CELLS = 10_000_000
TIME_COLUMNS = ("time", "timestamp", "ts", "unix_timestamp")
_BLOCK_BYTES = 4 << 20
_EMPTY = (
    *("", "NaN", "nan", "NAN", "null", "NULL", "None", "N/A", "NA", "n/a", "#N/A", "-", "?"),
    *("<nil>", "undefined", "\\N", "No data"),
)

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A metric file as it lies, columns not yet split into entity and metric.

    Attributes:
        times: (n,) seconds on ``clock``, strictly ascending.
        values: (n, m) NaN where there is no sample.
        columns: (m,) names in the source, unique.
        notes: what was noticed: the unit of time, columns dropped, rows averaged.
    """

    times: FloatArray
    values: FloatArray
    columns: tuple[str, ...]
    clock: Clock
    notes: tuple[str, ...]


class AveragingBuffer:
    """Rows in, at most ``capacity`` rows kept: when full, adjacent rows are averaged.

    Each row kept stands for ``stride`` rows of the input, carries the time of the first and the
    mean of their samples (NaN where none of them has one). ``stride`` is a power of two.
    """

    def __init__(self, columns: int, budget_cells: int) -> None:
        self.capacity = max(2, budget_cells // max(columns, 1) // 2 * 2)
        self.stride = 1
        self._filled = 0
        # np.empty takes pages only when they are written: a small file stays small.
        self._times = np.empty(self.capacity)
        self._values = np.empty((self.capacity, columns))
        self._rest: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty((0, columns)))

    def add(self, times: FloatArray, values: FloatArray) -> None:
        """Append (k,) times and (k, columns) values."""
        times = np.concatenate([self._rest[0], times])
        values = np.concatenate([self._rest[1], values])
        taken = 0
        while len(times) - taken >= self.stride:
            if self._filled == self.capacity:
                self._halve()
                continue
            rows = min((len(times) - taken) // self.stride, self.capacity - self._filled)
            end = taken + rows * self.stride
            self._keep(times[taken:end], values[taken:end], rows)
            taken = end
        self._rest = (times[taken:], values[taken:])

    def finish(self) -> tuple[FloatArray, FloatArray]:
        """The rows kept; a last group shorter than ``stride`` is averaged as it is."""
        if len(self._rest[0]):
            if self._filled == self.capacity:
                self._halve()
            self._times[self._filled] = self._rest[0][0]
            self._values[self._filled] = _means(self._rest[1][None])[0]
            self._filled += 1
        times, values = self._times[: self._filled], self._values[: self._filled]
        return times.copy(), values if self._filled * 2 > self.capacity else values.copy()

    def _keep(self, times: FloatArray, values: FloatArray, rows: int) -> None:
        where = slice(self._filled, self._filled + rows)
        self._times[where] = times[:: self.stride]
        if self.stride == 1:
            self._values[where] = values
        else:
            self._values[where] = _means(values.reshape(rows, self.stride, -1))
        self._filled += rows

    def _halve(self) -> None:
        half, block = self.capacity // 2, max(1, 1_000_000 // max(1, self._values.shape[1]))
        for start in range(0, half, block):  # in blocks: no second copy of the whole
            end = min(start + block, half)
            pairs = self._values[2 * start : 2 * end].reshape(end - start, 2, -1)
            self._values[start:end] = _means(pairs)
        self._times[:half] = self._times[::2].copy()
        self._filled, self.stride = half, self.stride * 2


def _means(groups: FloatArray) -> FloatArray:
    """(k, g, m) -> (k, m) means of the samples there are."""
    present = ~np.isnan(groups)
    counts = present.sum(axis=1)
    sums = np.where(present, groups, 0.0).sum(axis=1)
    means: FloatArray = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def read_table(
    path: Path,
    *,
    header_rows: int = 1,
    ignore: tuple[str, ...] = (),
    budget_cells: int = BUDGET_CELLS,
) -> Table:
    """Read a CSV of metrics, plain or gzip, holding at most ``budget_cells`` cells in memory.

    Args:
        header_rows: rows before the data; the fields of a column are joined with "_".
        ignore: columns that are not metrics and need not be numbers; these may stand twice.
        budget_cells: above it adjacent rows are averaged, and the notes say so.

    Raises:
        InvalidData: empty, truncated, not UTF-8, no or doubled columns, no time column, time not
            ascending, text among numbers, fewer than two rows.
    """
    header, top = head(path, header_rows)
    first = top[0] if top else []
    time_at = _time_column(path, header, ignore)
    wanted = [
        i
        for i, name in enumerate(header)
        if i != time_at and name != header[time_at] and name not in ignore
    ]
    if not wanted:
        raise InvalidData(path, "has no metric columns beside the time")
    text_time = bool(first) and not is_plain_number(first[time_at])
    rhythm = clock.ISO if text_time else clock.detect(_number(first[time_at]) if first else 0.0)
    buffer = AveragingBuffer(len(wanted), budget_cells)
    last, rows = -np.inf, 0
    sentinels = False
    for raw_times, values in _batches(path, header, header_rows, time_at, wanted, text_time):
        times = raw_times * rhythm.scale
        _check_ascending(path, header[time_at], last, times, rows)
        absurd = np.abs(values) >= LARGEST
        if absurd.any():
            sentinels, values[absurd] = True, np.nan
        buffer.add(times, values)
        last, rows = float(times[-1]), rows + len(times)
        if not (clock.representable(times[0]) and clock.representable(last)):
            raise InvalidData(path, "is no time: beyond the calendar", column=header[time_at])
    if rows < 2:
        raise InvalidData(path, f"has {rows} row{'s' if rows != 1 else ''}; two are the least")
    times, values = buffer.finish()
    columns = [header[i] for i in wanted]
    notes = [rhythm.sentence(header[time_at])]
    if buffer.stride > 1:
        notes.append(
            f"{path.name} has {rows} rows of {len(wanted)} columns; "
            f"each {buffer.stride} adjacent rows were averaged to fit in memory"
        )
    if sentinels:
        notes.append(absurd_values(path))
    empty: list[bool] = np.all(np.isnan(values), axis=0).tolist()
    if all(empty):
        raise InvalidData(path, "holds no numbers: every metric column is empty")
    if any(empty):
        dropped = [name for name, drop in zip(columns, empty, strict=True) if drop]
        columns = [name for name, drop in zip(columns, empty, strict=True) if not drop]
        values = values[:, ~np.array(empty)]
        notes.append(f"{len(dropped)} columns without a single value dropped: {_some(dropped)}")
    return Table(times, values, tuple(columns), rhythm, tuple(notes))


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"


def _number(text: str) -> float:
    """The number in ``text``; 0 for an empty cell, which the reader then refuses by its row."""
    return 0.0 if text.strip() in _EMPTY else float(text)


def is_plain_number(text: str) -> bool:
    """Whether ``text`` is a number without unit, or an empty cell."""
    try:
        _number(text)
    except ValueError:
        return False
    return True


def head(path: Path, header_rows: int, data_rows: int = 1) -> tuple[list[str], list[list[str]]]:
    """Column names and at most ``data_rows`` rows of data; raises InvalidData."""
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        # Only the header has to decode here: what else does not is refused with its column.
        with opening(
            path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as lines:
            reader = csv.reader(lines)
            top = [next(reader, []) for _ in range(header_rows)]
            rows = [row for _ in range(data_rows) if (row := next(reader, []))]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidData(path, "is a truncated or broken gzip file; copy it again") from error
    except csv.Error as error:
        raise InvalidData(path, f"is not a CSV file ({error})") from error
    except OSError as error:
        raise InvalidData(path, f"cannot be read ({error.strerror})") from error
    if not top[0]:
        raise InvalidData(path, "is empty")
    if any(_SURROGATE.search(name) for fields in top for name in fields):
        raise InvalidData(path, "is not UTF-8 text; save it as UTF-8")
    if header_rows > 1:  # the index's own name is the last header row of the first column
        joined = ["_".join(filter(None, fields)) for fields in zip_longest(*top, fillvalue="")]
        return [top[-1][0] if top[-1] else "", *joined[1:]], rows
    return [name.strip() for name in top[0]], rows


def _time_column(path: Path, header: list[str], ignore: tuple[str, ...]) -> int:
    seen: set[str] = set()
    for name in header:
        if name in seen and name not in ignore:
            raise InvalidData(path, "stands twice in the header", column=name)
        seen.add(name)
    for i, name in enumerate(header):
        if name.lower() in TIME_COLUMNS:
            return i
    raise InvalidData(path, "has no time column; call it time, timestamp or ts")


def _batches(
    path: Path,
    header: list[str],
    header_rows: int,
    time_at: int,
    wanted: list[int],
    text_time: bool,
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """(k,) raw times and (k, m) values, in the order of the file; k >= 1."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    # Positions serve as names: nothing in a header can then confuse the reader.
    names = [str(i) for i in range(len(header))]
    types = dict.fromkeys(names, pa.float64())
    if text_time:
        types[str(time_at)] = pa.string()
    # A block must hold several rows, however wide; pyarrow reads 32 of them ahead.
    block = max(_BLOCK_BYTES, 8 * 24 * len(header))
    rows = 0
    try:
        with pa.input_stream(
            str(path), compression="gzip" if path.suffix == ".gz" else None
        ) as raw:
            reader = pacsv.open_csv(
                raw,
                read_options=pacsv.ReadOptions(
                    column_names=names, skip_rows=header_rows, block_size=block, use_threads=False
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=types,
                    include_columns=[names[i] for i in [time_at, *wanted]],
                    null_values=list(_EMPTY),
                    strings_can_be_null=True,
                ),
            )
            for batch in reader:
                if not batch.num_rows:
                    continue
                times = _times(path, header[time_at], batch.column(0), text_time, rows)
                values = batch.remove_column(0).to_tensor(null_to_nan=True).to_numpy()
                rows += batch.num_rows
                yield times, values
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise _explain(path, header, header_rows, str(error)) from error
    except (OSError, EOFError) as error:
        raise InvalidData(path, f"is a truncated or broken gzip file ({error})") from error


def _times(path: Path, column: str, values: Any, text: bool, before: int) -> FloatArray:
    if not text:
        times: FloatArray = values.to_numpy(zero_copy_only=False).astype(np.float64)
        missing = ~np.isfinite(times)
        if missing.any():
            row = before + int(np.argmax(missing)) + 1
            raise InvalidData(path, "has no time", column=column, row=row)
        return times
    found = np.empty(len(values))
    for i, value in enumerate(values.to_pylist()):
        try:
            found[i] = clock.parse_iso(value or "")
        except ValueError as error:
            raise InvalidData(
                path, f"{value!r} is no time", column=column, row=before + i + 1
            ) from error
    return found


def _check_ascending(path: Path, column: str, last: float, times: FloatArray, before: int) -> None:
    steps = np.diff(times, prepend=last)
    wrong = steps <= 0
    if wrong.any():
        i = int(np.argmax(wrong))
        what = "is the same as in" if steps[i] == 0 else "is earlier than in"
        raise InvalidData(
            path,
            f"time {what} the row before; sort the rows and drop doubled ones",
            column=column,
            row=before + i + 1,
        )


def absurd_values(path: Path) -> str:
    """The note of a file with values that no measurement has."""
    return (
        f"{path.name} holds infinite values, or such beyond {LARGEST:g}; they are read as missing"
    )


def _explain(path: Path, header: list[str], header_rows: int, message: str) -> InvalidData:
    """pyarrow's message in ours: which column, which row counted after the header."""
    row = re.search(r"Row #(\d+)", message)
    at = int(row.group(1)) - header_rows if row else None
    value = re.search(r"In CSV column #(\d+):.*invalid value '(.*)'", message, re.DOTALL)
    if value:
        column = header[int(value.group(1))]
        shown = value.group(2)[:40]
        if "�" in shown:
            return InvalidData(path, "is not UTF-8 text; save it as UTF-8", column=column, row=at)
        return InvalidData(path, f"{shown!r} is not a number", column=column, row=at)
    fields = re.search(r"Expected (\d+) columns, got (\d+)", message)
    if fields:
        reason = f"has {fields.group(2)} of {fields.group(1)} fields: the file is cut off or ragged"
        return InvalidData(path, reason, row=at)
    return InvalidData(path, f"is not a CSV file ({message.splitlines()[0][:120]})")
