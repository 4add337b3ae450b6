"""From a log table to lines that can be counted: blobs split, stack traces folded, times found."""

import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from aiops.model import LogTable
from aiops.model.telemetry import FloatArray, IntArray

FOLDED_CHARS = 4_000
"""Characters kept of a line with the stack trace below it: the innermost causes are near its end,
so the last quarter of them is kept from there."""
SNAPSHOT_RECENT_S = 900.0
"""Seconds before the newest line of a snapshot that still speak of now; whole logs of containers
begin with start-up noise of days ago."""

_STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)")
_CONTINUES = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ]\S+ )?"  # what `kubectl logs --timestamps` puts in front
    r"(?:\s+at |\s*Caused by: |\s+\.\.\. \d+ (?:more|common)|\s+File \"|\s+-{3}>? "
    r"|-{3} End of |(?:[a-z]\w*\.)+\w+(?:Exception|Error)\b|\s{4,}\S|\t\S"
    r"|Traceback \(|goroutine \d|\}|\)$)"
)
# What kubectl answers instead of a container's lines: a read that failed, no line of anybody's.
_NO_LOG = re.compile(r"(?:Error: )?(?:[Ee]rror: container|Error from server|Defaulted container)")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Log lines, (n,) each, in order of time within the table's own order.

    Attributes:
        times: unix seconds; NaN where not even the line itself says when.
        service_of: index into ``services``.
        texts: str, a stack trace folded into its first line.
        spans: the id of the span; where the source has trace ids only, of the trace and service;
            None without.
        traces: the id of the trace; None without.
        split, folded, unreadable, undated: how many lines came out of records of several, went
            into the line above, were no log lines, have no time.
    """

    times: FloatArray
    services: tuple[str, ...]
    service_of: IntArray
    texts: npt.NDArray[np.object_]
    spans: npt.NDArray[np.object_] | None
    traces: npt.NDArray[np.object_] | None
    source: str
    split: int = 0
    folded: int = 0
    unreadable: int = 0
    undated: int = 0

    def __len__(self) -> int:
        return len(self.times)

    def take(self, rows: npt.NDArray[np.bool_]) -> "Lines":
        """The given rows."""
        return Lines(
            self.times[rows],
            self.services,
            self.service_of[rows],
            self.texts[rows],
            None if self.spans is None else self.spans[rows],
            None if self.traces is None else self.traces[rows],
            self.source,
            self.split,
            self.folded,
            self.unreadable,
            self.undated,
        )


def lines_of(table: LogTable) -> Lines:
    """The lines of ``table``.

    Records of several lines are split, and lines that continue the one above (frames of a stack
    trace, causes) are folded into it; containers of one service (``a.proxy`` beside ``a``) count
    as that service. A line without a time takes the stamp in its own text, else that of the last
    line of its span.
    """
    texts = np.array(
        [m if type(m) is str else "" if m is None else str(m) for m in table.messages],
        dtype=object,
    )
    rows = np.arange(len(texts))
    split = sum("\n" in text for text in texts)
    if split:
        texts, rows = _split(texts)
    services, service_of = _owners(table.services, table.service_of[rows])
    stream = _streams(table, rows)
    texts, kept, folded, unreadable = _fold(texts, stream)
    rows, service_of = rows[kept], service_of[kept]
    spans = _spans(table, rows, service_of)
    times = _times(table.times[rows], texts, spans)
    return Lines(
        times,
        services,
        service_of,
        texts,
        spans,
        None if table.trace_ids is None else table.trace_ids[rows],
        table.source,
        split,
        folded,
        unreadable,
        int(np.isnan(times).sum()),
    )


def recent(lines: Lines) -> Lines:
    """The last stretch of a snapshot (SNAPSHOT_RECENT_S); undated lines are kept."""
    if not np.isfinite(lines.times).any():
        return lines
    newest = float(np.nanmax(lines.times))
    return lines.take(~(lines.times < newest - SNAPSHOT_RECENT_S))


def _spans(
    table: LogTable, rows: npt.NDArray[np.intp], service_of: IntArray
) -> npt.NDArray[np.object_] | None:
    if table.span_ids is not None and any(table.span_ids):
        return table.span_ids[rows]
    if table.trace_ids is None or not any(table.trace_ids):
        return None
    pairs = zip(table.trace_ids[rows], service_of.tolist(), strict=True)
    return np.array([f"{trace}/{service}" if trace else "" for trace, service in pairs], object)


def _split(
    texts: npt.NDArray[np.object_],
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp]]:
    parts = [[part for part in text.split("\n") if part.strip()] or [""] for text in texts]
    rows = np.repeat(np.arange(len(texts)), [len(some) for some in parts])
    flat = np.array([part for some in parts for part in some], dtype=object)
    return flat, rows


def _owners(services: tuple[str, ...], service_of: IntArray) -> tuple[tuple[str, ...], IntArray]:
    known = set(services)
    names = [head if (head := name.partition(".")[0]) in known else name for name in services]
    distinct = tuple(sorted(set(names)))
    place = {name: i for i, name in enumerate(distinct)}
    to = np.array([place[name] for name in names], dtype=np.int32)
    return distinct, to[service_of]


def _streams(table: LogTable, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    stream = table.service_of.astype(np.int64)
    if table.instance_of is not None:
        stream = stream * (len(table.instances) + 1) + table.instance_of
    return np.asarray(stream[rows], dtype=np.int64)


def _fold(
    texts: npt.NDArray[np.object_], stream: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_], int, int]:
    """Texts of the kept rows, which were kept, and how many were folded or no log lines."""
    match = _CONTINUES.match
    continues = np.fromiter(
        (match(text) is not None for text in texts), dtype=np.bool_, count=len(texts)
    )
    keep = np.ones(len(texts), dtype=np.bool_)
    folded = 0
    grown: dict[int, list[str]] = {}
    if continues.any():
        head: dict[int, int] = {}
        # Only the neighbourhood of continuations matters, but heads are found by walking.
        for i, (more, one) in enumerate(zip(continues.tolist(), stream.tolist(), strict=True)):
            if more and one in head:
                grown.setdefault(head[one], []).append(texts[i])
                keep[i] = False
                folded += 1
            else:
                head[one] = i
        texts = texts.copy()
        for i, frames in grown.items():
            texts[i] = _cut("\n".join([texts[i], *frames]))
    no_log = np.fromiter(
        (_NO_LOG.match(text) is not None for text in texts), dtype=np.bool_, count=len(texts)
    )
    keep &= ~no_log
    return texts[keep], keep, folded, int(no_log.sum())


def _cut(text: str) -> str:
    if len(text) <= FOLDED_CHARS:
        return text
    return text[: FOLDED_CHARS * 3 // 4] + " ... " + text[-FOLDED_CHARS // 4 :]


def _times(
    times: FloatArray, texts: npt.NDArray[np.object_], spans: npt.NDArray[np.object_] | None
) -> FloatArray:
    undated = np.flatnonzero(np.isnan(times))
    if not len(undated):
        return times
    times = times.copy()
    for i in undated:
        times[i] = _stamp(texts[i])
    undated = np.flatnonzero(np.isnan(times))
    if spans is not None and len(undated):
        wanted = {spans[i] for i in undated} - {""}
        last: dict[object, float] = {}
        for span, time in zip(spans, times.tolist(), strict=True):
            if span in wanted and not np.isnan(time):
                last[span] = max(time, last.get(span, -np.inf))
        for row in undated:
            times[row] = last.get(spans[row], np.nan)
    return times


def _stamp(text: str) -> float:
    """The time a line begins with, unix seconds; NaN where it does not, or names no zone."""
    found = _STAMP.match(text)
    if found is None:
        return float("nan")
    whole = found.group().replace(",", ".").replace("Z", "+00:00")
    # Nanoseconds are more than datetime holds.
    whole = re.sub(r"(\.\d{6})\d+", r"\1", whole)
    try:
        return datetime.fromisoformat(whole).timestamp()
    except ValueError:
        return float("nan")
