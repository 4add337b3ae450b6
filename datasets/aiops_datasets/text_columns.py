"""CSV files of text, streamed into columns of bounded size, whatever a damaged row holds.

A row that is broken costs itself, not its file: it is left out or read as far as it goes, counted,
and the notes say so.
"""

import codecs
import io
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aiops.errors import InvalidData
from aiops.model.telemetry import FloatArray, IntArray
from aiops_datasets.reading import head

BUDGET_BYTES = 750_000_000
"""Memory that the kept cells may take, so that a case with the analyzers' own tables stays near
1 GB; 2 M log lines of 150 characters with trace and span ids are about 700 MB."""
CELL_CHARS = 65_536
"""Characters kept of one cell: no person reads as much in one line."""
_BLOCK_BYTES = 2 << 20
_SPARSEST = 1 << 20
"""One row in a million: where even that does not fit, all rows belong together, and those that come
last are left out."""
_OBJECT_BYTES = 57
"""What a Python str takes beside its characters, with the pointer to it."""

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns to read, and as what; None is a column that the file does not have.

    Attributes:
        texts: read as they are.
        codes: few distinct values, such as services.
        numbers: read by the function given, NaN where it raises ValueError or the cell is empty.
        together: the text column whose equal cells stay together where rows must be left out.
    """

    texts: tuple[str | None, ...]
    codes: tuple[str | None, ...]
    numbers: tuple[tuple[str | None, Callable[[str], float]], ...]
    together: str | None = None


@dataclass(slots=True)
class Columns:
    """The columns read, (n,) each, by name."""

    path: Path
    rows: int = 0
    texts: dict[str, Texts] = field(default_factory=dict)
    codes: dict[str, tuple[tuple[str, ...], IntArray]] = field(default_factory=dict)
    numbers: dict[str, FloatArray] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class TextFile:
    """A CSV, plain or gzip, with names in its first row.

    Raises:
        InvalidData: here, where the header cannot be read; in ``read``, see there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names, _ = head(path, 1, data_rows=0)

    def find(self, names: Sequence[str]) -> str | None:
        """The first of ``names`` that is a column."""
        return next((name for name in names if name in self.names), None)

    def need(self, what: str, names: Sequence[str]) -> str:
        """The first of ``names`` that is a column; raises InvalidData where none is."""
        found = self.find(names)
        if found is None:
            raise InvalidData(self.path, f"has no {what} column; call it {' or '.join(names[:2])}")
        return found

    def first(self, name: str, rows: int) -> list[str]:
        """The first cells of column ``name``; none where ``read`` will have something to say."""
        at = self.names.index(name)
        try:
            _, top = head(self.path, 1, data_rows=rows)
        except InvalidData:
            return []
        return [row[at] for row in top if len(row) > at]

    def read(self, wanted: Wanted, *, budget_bytes: int = BUDGET_BYTES) -> Columns:
        """The columns wanted, in the order of the file.

        Args:
            budget_bytes: above it every second row (of what is left, again and again) is left out,
                evenly over the file; the notes say so.

        Raises:
            InvalidData: a truncated gzip, a row longer than 2 MB, no row with the header's fields,
                a column of numbers in which no cell is one.
        """
        kept = _Kept(self.path, wanted, budget_bytes)
        skipped: list[int] = []
        for batch in self._batches(kept.names, skipped):
            kept.add(batch)
        if not kept.rows and skipped:
            raise InvalidData(
                self.path,
                f"has no row with the {len(self.names)} fields of its header: "
                f"{len(skipped)} have other numbers of them",
            )
        if skipped:
            kept.notes.append(
                f"{self.path.name}: {len(skipped)} rows with too few or too many fields left out"
            )
        return kept.finish()

    def _batches(self, names: Sequence[str], skipped: list[int]) -> Iterator[list[Any]]:
        """(k,) text arrays of the columns ``names``; rows of other widths go to ``skipped``."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        def skip(row: Any) -> str:
            skipped.append(row.actual_columns)
            return "skip"

        # Positions serve as names: nothing in a header can then confuse the reader.
        places = [str(i) for i in range(len(self.names))]
        packed = "gzip" if self.path.suffix == ".gz" else None
        try:
            with pa.input_stream(str(self.path), compression=packed) as raw:
                reader = pacsv.open_csv(
                    pa.PythonFile(_Utf8(raw), mode="r"),
                    read_options=pacsv.ReadOptions(
                        column_names=places,
                        skip_rows=1,
                        block_size=_BLOCK_BYTES,
                        use_threads=False,
                    ),
                    parse_options=pacsv.ParseOptions(
                        newlines_in_values=True, invalid_row_handler=skip
                    ),
                    convert_options=pacsv.ConvertOptions(
                        column_types=dict.fromkeys(places, pa.string()),
                        include_columns=[str(self.names.index(name)) for name in names],
                        strings_can_be_null=False,
                    ),
                )
                for batch in reader:
                    yield list(batch.columns)
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):
                raise self._explained(str(error)) from error
        except (OSError, EOFError) as error:
            raise InvalidData(self.path, f"is a truncated or broken gzip file ({error})") from error

    def _explained(self, message: str) -> InvalidData:
        if "straddl" in message or "out of sync" in message:
            reason = f"a row is longer than {_BLOCK_BYTES >> 20} MB: is a quote not closed?"
            return InvalidData(self.path, reason)
        return InvalidData(self.path, f"is not a usable CSV file ({message.splitlines()[0][:120]})")


@dataclass(slots=True)
class _Batch:
    """One stretch of the file; arrays in the order of ``Wanted``."""

    rows: int
    texts: list[Texts]
    codes: list[IntArray]
    numbers: list[FloatArray]
    bytes: int

    def thinned(self, keep: npt.NDArray[np.bool_]) -> "_Batch":
        return _Batch(
            int(keep.sum()),
            [column[keep] for column in self.texts],
            [column[keep] for column in self.codes],
            [column[keep] for column in self.numbers],
            int(self.bytes * keep.mean()) if len(keep) else 0,
        )


class _Kept:
    """Batches in, at most ``budget`` bytes kept."""

    def __init__(self, path: Path, wanted: Wanted, budget: int) -> None:
        self.path, self.budget = path, budget
        self.notes: list[str] = []
        self.rows = 0
        self._texts = [name for name in wanted.texts if name is not None]
        self._codes = [name for name in wanted.codes if name is not None]
        self._numbers = [(name, read) for name, read in wanted.numbers if name is not None]
        self.names = [*self._texts, *self._codes, *(name for name, _ in self._numbers)]
        self._together = self._texts.index(wanted.together) if wanted.together else None
        self._batches: list[_Batch] = []
        self._known: list[dict[str, int]] = [{} for _ in self._codes]
        self._unread = dict.fromkeys((name for name, _ in self._numbers), 0)
        self._example = dict.fromkeys(self._unread, "")
        self._cut = self._bytes = 0
        self._stride, self._first_lot = 1, 0

    def add(self, columns: list[Any]) -> None:
        """Takes one batch up: text arrays in the order of ``names``."""
        cells = [_decoded(column) for column in columns]
        split = len(self._texts)
        size = len(cells[0][1])
        texts = []
        for distinct, of in cells[:split]:
            texts.append(self._shortened(distinct, of)[of])
        codes = [
            np.array([known.setdefault(text, len(known)) for text in distinct], np.int32)[of]
            for known, (distinct, of) in zip(self._known, cells[split:], strict=False)
        ]
        numbers = [
            self._floats(name, read, distinct, of)
            for (name, read), (distinct, of) in zip(
                self._numbers, cells[split + len(codes) :], strict=True
            )
        ]
        # Equal texts of a batch are one object.
        held = sum(len(text) + _OBJECT_BYTES for distinct, _ in cells[:split] for text in distinct)
        each = 8 * len(self._texts) + 4 * len(codes) + 8 * len(numbers) + 8
        batch = _Batch(size, texts, codes, numbers, held + each * size)
        if self._together is not None and not self.rows and size:
            self._first_lot = _lot(texts[self._together][0])  # always drawn: something is kept
        self.rows += size
        self._batches.append(self._thinned(batch, self._stride))
        self._bytes += self._batches[-1].bytes
        while self._bytes > self.budget and self._stride < _SPARSEST:
            self._halve()
        if self._bytes > self.budget:  # one trace larger than memory
            self._bytes -= self._batches.pop().bytes

    def finish(self) -> Columns:
        """The columns; what was lost on the way is in their notes."""
        empty = _Batch(
            0,
            [np.empty(0, object) for _ in self._texts],
            [np.empty(0, np.int32) for _ in self._codes],
            [np.empty(0) for _ in self._numbers],
            0,
        )
        batches = self._batches or [empty]
        found = Columns(self.path, sum(batch.rows for batch in batches))
        # Popped, so that no column is held twice for longer than it takes to copy it.
        for name in reversed(self._texts):
            found.texts[name] = np.concatenate([batch.texts.pop() for batch in batches])
        for name, known in zip(reversed(self._codes), reversed(self._known), strict=True):
            codes = np.concatenate([batch.codes.pop() for batch in batches])
            found.codes[name] = tuple(known), codes
        for name, _ in reversed(self._numbers):
            found.numbers[name] = np.concatenate([batch.numbers.pop() for batch in batches])
        self._say_what_was_lost(found)
        return found

    def _say_what_was_lost(self, found: Columns) -> None:
        for name, count in self._unread.items():
            example = self._example[name]
            if count and not np.isfinite(found.numbers[name]).any():
                raise InvalidData(
                    self.path, f"{example[:40]!r} cannot be read, nor any other cell", column=name
                )
            if count:
                self.notes.append(
                    f"{self.path.name}: {count} cells of column {name!r} cannot be read, such as "
                    f"{example[:40]!r}; they count as unknown"
                )
        if self._cut:
            self.notes.append(
                f"{self.path.name}: {self._cut} cells are longer than {CELL_CHARS // 1024} k "
                "characters; their beginning was read"
            )
        if found.rows < self.rows:
            self.notes.append(
                f"{self.path.name} has {self.rows} rows; {found.rows} of them fit in memory and "
                f"were read, {'whole traces' if self._together is not None else 'lines'} drawn "
                "evenly over the file"
            )
        found.notes = tuple(self.notes)

    def _shortened(self, distinct: Texts, of: IntArray) -> Texts:
        lengths = np.fromiter(map(len, distinct), np.int64, len(distinct))
        long = lengths > CELL_CHARS
        if long.any():
            self._cut += int(long[of].sum())
            for i in np.flatnonzero(long):
                distinct[i] = distinct[i][:CELL_CHARS]
        return distinct

    def _floats(
        self, name: str, read: Callable[[str], float], distinct: Texts, of: IntArray
    ) -> FloatArray:
        found = np.full(len(distinct), np.nan)
        wrong = np.zeros(len(distinct), dtype=bool)
        for i, text in enumerate(distinct):
            if text:
                try:
                    found[i] = read(text)
                except ValueError:
                    wrong[i] = True
                    self._example[name] = self._example[name] or text
        self._unread[name] += int(wrong[of].sum())
        return found[of]

    def _halve(self) -> None:
        self._stride *= 2
        self._batches = [self._thinned(batch, 2) for batch in self._batches]
        self._bytes = sum(batch.bytes for batch in self._batches)

    def _thinned(self, batch: _Batch, stride: int) -> _Batch:
        """Every ``stride``-th row; where cells stay together, the rows of those drawn so far."""
        if stride == 1 or not batch.rows:
            return batch
        if self._together is None:
            return batch.thinned(np.arange(batch.rows) % stride == 0)
        lots = np.fromiter(map(_lot, batch.texts[self._together]), np.int64, batch.rows)
        return batch.thinned((lots - self._first_lot) % self._stride == 0)


def _lot(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "replace"))


def _decoded(column: Any) -> tuple[Texts, IntArray]:
    """The distinct cells of an array of text, and (k,) which of them each cell is."""
    encoded = column.dictionary_encode()
    of: IntArray = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return np.array(encoded.dictionary.to_numpy(zero_copy_only=False), dtype=object), of


class _Utf8(io.RawIOBase):
    """Bytes of any encoding as UTF-8: what is none becomes the replacement character."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; fewer only at the end."""
        parts, length = [self._ready], len(self._ready)
        while size < 0 or length < size:
            some = self._raw.read(max(size - length, 1 << 20))
            parts.append(self._decoder.decode(some, final=not some).encode())
            length += len(parts[-1])
            if not some:
                break
        whole = b"".join(parts)
        cut = len(whole) if size < 0 else size
        self._ready = whole[cut:]
        return whole[:cut]
