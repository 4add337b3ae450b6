"""One case's lines, statements and spans on one numbering, cut into before and since the onset."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.logs.counts import Tally
from aiops.analyze.logs.lines import Lines, lines_of, recent
from aiops.analyze.logs.order import Events
from aiops.analyze.logs.requests import Requests, Steps, requests_of
from aiops.analyze.logs.statements import Statement, Statements
from aiops.analyze.logs.templates import Damage
from aiops.model import CaseData, Episode, LogTable, SpanTable
from aiops.model.telemetry import IntArray

MIN_REFERENCE_S = 10.0
"""Seconds of lines before the onset that make a reference: in fewer a single request decides."""
_OPERATIONS = 1 << 24
"""Where operations are numbered from: above any number of statements."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One table of lines with its spans.

    Attributes:
        service_of, statement_of: (n,) of each line, on the recording's numbering.
    """

    lines: Lines
    service_of: IntArray
    statement_of: IntArray
    requests: Requests


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What a case's logs hold.

    Attributes:
        since: (n,) which lines of ``now`` were written since the onset.
        references: for the order of steps: events of the recent past, of a normal time.
        tallies: for counts: since the onset first, then one for each reference.
        spans_source: the name of the span table; "" without.
        dated: whether lines have times; without, all of them speak of now.
    """

    services: tuple[str, ...]
    statements: tuple[Statement, ...]
    operations: tuple[str, ...]
    steps: tuple[tuple[int, int], ...]
    now: Part
    since: npt.NDArray[np.bool_]
    current: Events
    references: tuple[Events, ...]
    tally: Tally
    tallies: tuple[Tally, ...]
    spans_source: str
    dated: bool
    damage: Damage

    def step_name(self, step: int) -> str:
        """A statement's key, or "<operation> start"."""
        thing = self.steps[step][1]
        if thing >= _OPERATIONS:
            return f"{self.operations[thing - _OPERATIONS]} start"
        return self.statements[thing].key

    def statement(self, step: int) -> Statement | None:
        """The statement of a step; None for the start of an operation."""
        thing = self.steps[step][1]
        return None if thing >= _OPERATIONS else self.statements[thing]

    def operation(self, step: int) -> str:
        """The operation a step starts."""
        return self.operations[self.steps[step][1] - _OPERATIONS]


def recording_of(case: CaseData, table: LogTable, episode: Episode) -> Recording:
    """Reads ``table`` and the reference beside it."""
    window, reference = case.window, case.window.reference
    now_lines = lines_of(table)
    dated = bool(np.isfinite(table.times).any())
    if not dated:
        now_lines = recent(now_lines)
    normal = reference.logs if reference is not None else None
    normal_spans = reference.spans if reference is not None else None
    normal_lines = lines_of(normal) if normal is not None and len(normal.times) else None
    numbering = _Numbering.of(now_lines, normal_lines, window.spans, normal_spans)
    now = numbering.part(now_lines, window.spans, partial=False)
    before = (
        numbering.part(normal_lines, normal_spans, partial=True)
        if normal_lines is not None
        else None
    )
    times = now.lines.times
    onset = episode.onset.timestamp() if dated else -np.inf
    since = times >= onset if dated else np.ones(len(times), dtype=np.bool_)
    if not since.any():  # the alert came after the last line: all of them are before it
        onset, since = -np.inf, np.isfinite(times)
    references, tallies = [], []
    earlier = np.isfinite(times) & ~since
    if earlier.any() and onset - times[earlier].min() >= MIN_REFERENCE_S:
        references.append(_events(now, -np.inf, onset))
        tallies.append(numbering.tally(now, earlier, float(times[earlier].min()), onset))
    if before is not None:
        known = np.isfinite(before.lines.times)
        references.append(_events(before, -np.inf, np.inf))
        if known.any():
            low, high = before.lines.times[known].min(), before.lines.times[known].max()
            tallies.append(numbering.tally(before, known, float(low), float(high)))
    end = float(np.nanmax(times)) if np.isfinite(times).any() else np.nan
    begin = max(onset, float(np.nanmin(times))) if np.isfinite(end) else np.nan
    return Recording(
        numbering.services,
        numbering.statements.settled(),
        numbering.operations,
        tuple(numbering.steps.names),
        now,
        since,
        _events(now, onset, np.inf),
        tuple(references),
        numbering.tally(now, since, begin, end),
        tuple(tallies),
        window.spans.source if window.spans is not None else "",
        dated,
        numbering.statements.miner.damage,
    )


def _events(part: Part, low: float, high: float) -> Events:
    """The events of the spans that began in [low, high)."""
    began = part.requests.starts[part.requests.events.span_of]
    return part.requests.events.take((began >= low) & (began < high))


@dataclass(slots=True)
class _Numbering:
    services: tuple[str, ...]
    operations: tuple[str, ...]
    statements: Statements
    steps: Steps

    @staticmethod
    def of(
        now: Lines, normal: Lines | None, spans: SpanTable | None, normal_spans: SpanTable | None
    ) -> "_Numbering":
        lines = [part for part in (now, normal) if part is not None]
        tables = [table for table in (spans, normal_spans) if table is not None]
        names = {name for part in lines for name in part.services}
        names |= {name for table in tables for name in table.services}
        operations = {name for table in tables for name in table.operations}
        return _Numbering(
            tuple(sorted(names)), tuple(sorted(operations)), Statements(), Steps({}, [])
        )

    def part(self, lines: Lines, spans: SpanTable | None, *, partial: bool) -> Part:
        place = {name: i for i, name in enumerate(self.services)}
        service_of = _mapped(lines.services, lines.service_of, place)
        statement_of = self.statements.number(lines)
        span_service = span_operation = np.empty(0, dtype=np.int32)
        if spans is not None:
            where = {name: i for i, name in enumerate(self.operations, start=_OPERATIONS)}
            span_service = _mapped(spans.services, spans.service_of, place)
            span_operation = _mapped(spans.operations, spans.operation_of, where)
        requests = requests_of(
            lines,
            service_of,
            statement_of,
            spans,
            span_service,
            span_operation,
            self.steps,
            partial=partial,
        )
        return Part(lines, service_of, statement_of, requests)

    def tally(self, part: Part, rows: npt.NDArray[np.bool_], low: float, high: float) -> Tally:
        """Counts of the given lines, which were written in [low, high]."""
        wide = len(self.statements.known)
        codes = part.service_of[rows].astype(np.int64) * wide + part.statement_of[rows]
        size = len(self.services) * wide
        minutes = max(high - low, 1.0) / 60 if np.isfinite(high - low) else 1.0
        handled = part.requests.handled(len(self.services), low, high).astype(np.float64)
        handled[handled == 0] = np.nan
        return Tally(
            np.bincount(codes, minlength=size).reshape(len(self.services), wide),
            minutes,
            handled / minutes,
        )


def _mapped(names: tuple[str, ...], index: IntArray, place: dict[str, int]) -> IntArray:
    if not names:
        return np.empty(0, dtype=np.int32)
    return np.array([place[name] for name in names], dtype=np.int32)[index]
