"""Log and span files, read into columns. Names of columns differ by tool; the lists say which."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from aiops.errors import InvalidData
from aiops.model import LogTable, SpanTable
from aiops.model.telemetry import FloatArray, IntArray
from aiops_datasets import clock

_LOG_TIME = ("time_ns", "timestamp", "time", "ts")
_LOG_SERVICE = ("service", "container_name", "service_name", "container")
_MESSAGE = ("message", "line", "body", "log")
_POD = ("pod", "pod_name", "instance")
_TRACE = ("trace_id", "traceID", "traceId")
_SPAN = ("span_id", "spanID", "spanId")
_PARENT = ("parent_id", "parentSpanID", "parent_span_id", "parentSpanId")
_SPAN_SERVICE = ("service", "serviceName", "service_name")
_OPERATION = ("operation", "operationName", "methodName", "name")
_START = ("start_ns", "startTime", "start_time", "startTimeMillis")
_STATUS = ("statusCode", "status_code", "status")
# Jaeger's "duration" counts microseconds.
_DURATION = {"duration_us": 1e-6, "duration": 1e-6, "duration_ms": 1e-3, "duration_ns": 1e-9}


def read_logs(path: Path) -> LogTable:
    """The log lines in ``path``; times are NaN where the file has none.

    Raises:
        InvalidData: unreadable, no service or no message column, a time that is not a number.
    """
    frame = _Frame(path)
    services, service_of = frame.codes(frame.need("service", _LOG_SERVICE))
    pod, time = frame.find(_POD), frame.find(_LOG_TIME)
    instances, instance_of = frame.codes(pod) if pod else ((), None)
    trace, span = frame.find(_TRACE), frame.find(_SPAN)
    return LogTable(
        times=frame.times(time) if time else np.full(frame.rows, np.nan),
        services=services,
        service_of=service_of,
        messages=frame.texts(frame.need("message", _MESSAGE)),
        instances=instances,
        instance_of=instance_of,
        trace_ids=frame.texts(trace) if trace else None,
        span_ids=frame.texts(span) if span else None,
        source=path.name,
    )


def read_spans(path: Path) -> SpanTable:
    """The spans in ``path``.

    Raises:
        InvalidData: unreadable, a column missing, a time or duration that is not a number.
    """
    frame = _Frame(path)
    services, service_of = frame.codes(frame.need("service", _SPAN_SERVICE))
    operations, operation_of = frame.codes(frame.need("operation", _OPERATION))
    pod, status = frame.find(_POD), frame.find(_STATUS)
    instances, instance_of = frame.codes(pod) if pod else ((), None)
    parent = frame.find(_PARENT)
    parents = frame.texts(parent) if parent else np.full(frame.rows, "", dtype=object)
    parents[parents == "root"] = ""
    duration = frame.need("duration", tuple(_DURATION))
    return SpanTable(
        trace_ids=frame.texts(frame.need("trace id", _TRACE)),
        span_ids=frame.texts(frame.need("span id", _SPAN)),
        parent_ids=parents,
        services=services,
        service_of=service_of,
        operations=operations,
        operation_of=operation_of,
        starts=frame.times(frame.need("start", _START)),
        durations=frame.numbers(duration) * _DURATION[duration],
        instances=instances,
        instance_of=instance_of,
        statuses=frame.texts(status) if status else None,
        source=path.name,
    )


class _Frame:
    """A CSV of text columns."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        from pyarrow import csv as pacsv

        self.path = path
        packed = "gzip" if path.suffix == ".gz" else None
        try:
            with pa.input_stream(str(path), compression=packed) as raw:
                # Types are given for names that may not occur, so that no column is guessed.
                self._table = pacsv.read_csv(
                    raw,
                    read_options=pacsv.ReadOptions(use_threads=False, block_size=8 << 20),
                    parse_options=pacsv.ParseOptions(newlines_in_values=True),
                    convert_options=pacsv.ConvertOptions(
                        column_types=dict.fromkeys(_ALL, pa.string()), strings_can_be_null=False
                    ),
                )
            self._names: list[str] = self._table.column_names
        except pa.ArrowInvalid as error:
            reason = str(error).splitlines()[0][:160]
            raise InvalidData(path, f"is not a usable CSV file ({reason})") from error
        except UnicodeDecodeError as error:
            raise InvalidData(path, "is not UTF-8 text; save it as UTF-8") from error
        except (OSError, EOFError) as error:
            raise InvalidData(path, f"is a truncated or broken gzip file ({error})") from error
        self.rows: int = self._table.num_rows

    def find(self, names: tuple[str, ...]) -> str | None:
        """The first of ``names`` that is a column."""
        return next((name for name in names if name in self._names), None)

    def need(self, what: str, names: tuple[str, ...]) -> str:
        """The first of ``names`` that is a column; raises InvalidData where none is."""
        found = self.find(names)
        if found is None:
            raise InvalidData(self.path, f"has no {what} column; call it {' or '.join(names[:2])}")
        return found

    def texts(self, name: str) -> npt.NDArray[np.object_]:
        """(n,) str."""
        array: npt.NDArray[np.object_] = self._table.column(name).to_numpy(zero_copy_only=False)
        return np.array(array, dtype=object)

    def codes(self, name: str) -> tuple[tuple[str, ...], IntArray]:
        """The distinct values, and (n,) the index of each row's."""
        encoded = self._table.column(name).combine_chunks().dictionary_encode()
        if isinstance(encoded.indices, list):  # pragma: no cover - chunked only above 2 GB
            raise InvalidData(self.path, "is too large to be read at once")
        indices: IntArray = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        return tuple(encoded.dictionary.to_pylist()), indices

    def numbers(self, name: str) -> FloatArray:
        """(n,) float; NaN for empty cells."""
        return self._converted(name, float, "is not a number")

    def times(self, name: str) -> FloatArray:
        """(n,) unix seconds, whatever the unit of the file; NaN where a cell is no time."""
        first = next((text for text in self.texts(name) if text), "")
        try:
            float(first or 0)
        except ValueError:
            return self._converted(name, clock.parse_iso, "is no time")
        counts = self.numbers(name)
        usual = counts[counts > 0]
        rhythm = clock.detect(float(np.median(usual)) if len(usual) else 0.0)
        found = counts * rhythm.scale
        # A damaged stamp costs its line the time, not the case its logs.
        damaged = np.array([not clock.representable(unix) for unix in found], dtype=bool)
        found[damaged if rhythm.relative else damaged | (found <= 0)] = np.nan
        return found

    def _converted(self, name: str, convert: Callable[[str], float], wrong: str) -> FloatArray:
        texts: Any = self.texts(name)
        found = np.full(len(texts), np.nan)
        for i, text in enumerate(texts):
            try:
                if text:
                    found[i] = convert(text)
            except ValueError as error:
                raise InvalidData(
                    self.path, f"{text[:40]!r} {wrong}", column=name, row=i + 1
                ) from error
        return found


_ALL = (
    *_LOG_TIME, *_LOG_SERVICE, *_MESSAGE, *_POD, *_TRACE, *_SPAN, *_PARENT,
    *_SPAN_SERVICE, *_OPERATION, *_START, *_STATUS, *_DURATION,
)  # fmt: skip
