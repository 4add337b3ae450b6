"""Lines that came, surged or stopped, as hypotheses: what they say, and of whom."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from aiops.analyze.logs.accused import Accusation, Witnesses
from aiops.analyze.logs.counts import ERRORS_FLOOR_PER_MIN, Movement, Tally, movements
from aiops.analyze.logs.recording import Recording
from aiops.analyze.logs.requests import callers
from aiops.analyze.logs.signatures import PLAIN_ERROR, signature_of
from aiops.analyze.logs.statements import Statement
from aiops.analyze.wording import number, plain
from aiops.model import Entity, Evidence, FaultType, Hypothesis, Indicator, Window
from aiops.model.telemetry import FloatArray

SAMPLED = 64
"""Lines of one statement that are read for whom they accuse, evenly spread."""
ONCE_FLOOR = 0.5
"""Lines of what a program says only once: a single one is two floors."""
WARNING = 0.5
"""Weight of a warning that no signature knows: programs warn of what they can live with."""
PASSED = 0.2
"""Weight of what a writer said earlier but no longer says in LATEST of its lines: over by now."""
LATEST = 0.25
"""Share of a writer's lines, the last ones, that speak of now where lines have no times."""
PASSED_ON = 0.4
"""Weight of an accusation of a service that itself accuses another: it hands on what it suffers."""
CITED = 2
"""Statements put into words for one hypothesis."""
EXPLAINED = 0.9
"""Share of its weight that an error loses if failures of callees explain all its spans."""
SILENCE = 0.25
"""How telling it is that a service fell silent: services that nobody calls any more do too."""
SILENCE_FLOOR_PER_MIN = 10.0
"""Lines/min a service must have written for its silence to be noticed."""


@dataclass(frozen=True, slots=True, eq=False)
class Trouble:
    """A hypothesis and when the lines behind it were written, unix seconds, any order."""

    hypothesis: Hypothesis
    times: FloatArray


@dataclass(slots=True)
class _Case:
    """What speaks against one service."""

    accusation: Accusation
    size: float = 0.0
    weight: float = 0.0
    support: list[tuple[float, Movement]] = field(default_factory=list)
    writers: set[str] = field(default_factory=set)
    rows: list[npt.NDArray[np.intp]] = field(default_factory=list)


def troubles(
    recording: Recording,
    witnesses: Witnesses,
    failed_at: FloatArray,
    window: Window,
    source: str,
) -> tuple[Trouble, ...]:
    """One hypothesis for each (accused service, kind of trouble), in no order."""
    moved = movements(recording.tally, list(recording.tallies))
    rising = [m for m in moved if m.trend != "vanished" and _speaks(recording, m)]
    rising += _said_once(recording, {(m.service, m.statement) for m in rising})
    rows = _rows(recording, rising)
    explained = _explained(recording, rows, failed_at)
    cases: dict[tuple[str, str, bool], _Case] = {}
    for movement, mine, share in zip(rising, rows, explained, strict=True):
        writer = recording.services[movement.service]
        for accusation, part in _accusations(recording, witnesses, writer, mine):
            if accusation.kind == PLAIN_ERROR.kind and _harmless(recording, movement):
                continue
            key = accusation.service, accusation.kind, accusation.peer
            one = cases.setdefault(key, _Case(accusation))
            size = part * _size(recording, movement)
            excused = 0.0 if accusation.peer else share
            grave = _gravity(recording, movement, mine)
            one.size += size
            one.weight += size * accusation.telling * grave * (1 - EXPLAINED * excused)
            one.support.append((size, movement))
            one.rows.append(mine)
            if accusation.peer:
                one.writers.add(writer)
    _hand_on(cases)
    times = recording.now.lines.times
    raised = [
        Trouble(_hypothesis(recording, one, window, source), times[np.concatenate(one.rows)])
        for one in cases.values()
    ]
    return (*raised, *(Trouble(silent, np.empty(0)) for silent in _silent(recording)))


def _speaks(recording: Recording, movement: Movement) -> bool:
    """Errors and warnings, and what a signature knows though it calls itself harmless."""
    statement = recording.statements[movement.statement]
    return statement.level != "info" or signature_of(statement.example) is not None


def _said_once(recording: Recording, have: set[tuple[int, int]]) -> list[Movement]:
    """Statements too rare for statistics that are said only when it has happened."""
    found = []
    before = [tally.counts for tally in recording.tallies]
    for statement, known in enumerate(recording.statements):
        signature = signature_of(known.example)
        if signature is None or not signature.once:
            continue
        for service in np.flatnonzero(recording.tally.counts[:, statement]):
            if (int(service), statement) in have:
                continue
            if any(_count(counts, service, statement) for counts in before):
                continue
            seen = float(recording.tally.counts[service, statement]) / recording.tally.minutes
            found.append(Movement(int(service), statement, "new", 0.0, seen, 1.0))
    return found


def _count(counts: npt.NDArray[np.int64], service: np.intp, statement: int) -> int:
    return int(counts[service, statement])


def _rows(recording: Recording, rising: list[Movement]) -> list[npt.NDArray[np.intp]]:
    """The lines since the onset of each movement."""
    wide = len(recording.statements)
    part = recording.now
    codes = part.service_of.astype(np.int64) * wide + part.statement_of
    wanted = np.array([m.service * wide + m.statement for m in rising], dtype=np.int64)
    chosen = np.flatnonzero(recording.since & np.isin(codes, wanted))
    return [chosen[codes[chosen] == code] for code in wanted]


def _explained(
    recording: Recording, rows: list[npt.NDArray[np.intp]], failed_at: FloatArray
) -> list[float]:
    """The share of each movement's lines in spans that called a span that failed."""
    requests = recording.now.requests
    times = recording.now.lines.times
    when = failed_at.copy()
    since = np.full(len(when), np.nan)
    for mine in rows:
        spans = requests.line_span[mine]
        inside = spans >= 0
        when[spans[inside]] = np.fmax(when[spans[inside]], times[mine[inside]])
        since[spans[inside]] = requests.starts[spans[inside]]
    explained, _ = callers(since, when, requests)
    shares = []
    for mine in rows:
        spans = requests.line_span[mine]
        spans = spans[spans >= 0]
        shares.append(float(explained[spans].mean()) if len(spans) else 0.0)
    return shares


def _accusations(
    recording: Recording, witnesses: Witnesses, writer: str, rows: npt.NDArray[np.intp]
) -> list[tuple[Accusation, float]]:
    """Whom a sample of the lines accuses, with the share of lines that do."""
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLED)).astype(np.intp)]
    votes: dict[Accusation, int] = {}
    for row in some:
        accusation = witnesses.accusation(writer, recording.now.lines.texts[row])
        votes[accusation] = votes.get(accusation, 0) + 1
    return [(accusation, n / len(some)) for accusation, n in votes.items()]


def _harmless(recording: Recording, movement: Movement) -> bool:
    return recording.statements[movement.statement].level == "info"


def _gravity(recording: Recording, movement: Movement, rows: npt.NDArray[np.intp]) -> float:
    """How much a movement counts: warnings less, and in a snapshot what is over."""
    statement = recording.statements[movement.statement]
    plain_warning = statement.level == "warn" and signature_of(statement.example) is None
    gravity = WARNING if plain_warning else 1.0
    if not recording.dated:
        own = np.flatnonzero(recording.now.service_of == movement.service)
        if rows.max() < own[int(len(own) * (1 - LATEST))]:
            gravity *= PASSED
    return gravity


def _hand_on(cases: dict[tuple[str, str, bool], _Case]) -> None:
    """Weakens accusations of services that accuse others, who then explain those as well."""
    blaming: dict[str, set[str]] = {}
    for one in cases.values():
        if one.accusation.peer:
            for writer in one.writers:
                blaming.setdefault(writer, set()).add(one.accusation.service)
    for one in cases.values():
        others = blaming.get(one.accusation.service, set()) - one.writers
        if one.accusation.peer and others:
            one.weight *= PASSED_ON
            for deeper in cases.values():
                if deeper.accusation.peer and deeper.accusation.service in others:
                    deeper.writers |= one.writers


def _size(recording: Recording, movement: Movement) -> float:
    """Floors: lines/min over theirs, or lines where one is enough."""
    signature = signature_of(recording.statements[movement.statement].example)
    if signature is not None and signature.once:
        lines = movement.size * recording.tally.minutes / ONCE_FLOOR
        return max(lines, movement.size / ERRORS_FLOOR_PER_MIN)
    return movement.size / ERRORS_FLOOR_PER_MIN


def _hypothesis(recording: Recording, one: _Case, window: Window, source: str) -> Hypothesis:
    telling = one.weight / one.size if one.size else 0.0
    leading = sorted(one.support, key=lambda pair: (-pair[0], pair[1].statement, pair[1].service))
    first = recording.statements[leading[0][1].statement]
    accused = one.accusation.service
    return Hypothesis(
        entity=Entity("service", accused),
        fault=one.accusation.fault,
        kind=one.accusation.kind,
        size=one.size * ERRORS_FLOOR_PER_MIN,
        unit="lines/min",
        floor=ERRORS_FLOOR_PER_MIN,
        strength=float(np.log1p(one.size)) * telling,
        indicator=Indicator("log_template", first.key),
        support=tuple(
            _evidence(recording, movement, window, source) for _, movement in leading[:CITED]
        ),
        refuted_by=f"such lines about {accused} as often while nothing is wrong",
        explains=tuple(Entity("service", writer) for writer in sorted(one.writers - {accused})),
    )


def _evidence(recording: Recording, movement: Movement, window: Window, source: str) -> Evidence:
    statement = recording.statements[movement.statement]
    service = plain(recording.services[movement.service])
    was = (
        f"{number(movement.expected)} were to be expected"
        if movement.expected > 0
        else "none came before"
        if recording.tallies
        else "nothing is recorded to compare with"
    )
    claim = f"{service} wrote {number(movement.seen)} lines/min like {_quoted(statement)}; {was}"
    return Evidence("", "log", claim, source, window, statement.ref)


def _quoted(statement: Statement) -> str:
    text = " ".join(plain(statement.example).split())
    return f'"{text[:160]}..."' if len(text) > 160 else f'"{text}"'


def _silent(recording: Recording) -> tuple[Hypothesis, ...]:
    """Services that wrote lines and write none."""
    if not recording.tallies:
        return ()
    now = recording.tally.counts.sum(axis=1)
    rate = np.max([_rates(tally) for tally in recording.tallies], axis=0)
    return tuple(
        Hypothesis(
            entity=Entity("service", recording.services[i]),
            fault=FaultType.CRASH,
            kind="fell_silent",
            size=float(rate[i]),
            unit="lines/min",
            floor=SILENCE_FLOOR_PER_MIN,
            strength=float(np.log1p(rate[i] / SILENCE_FLOOR_PER_MIN)) * SILENCE,
            refuted_by=f"lines of {recording.services[i]} since the onset, or nobody calling it",
        )
        for i in np.flatnonzero((now == 0) & (rate >= SILENCE_FLOOR_PER_MIN))
    )


def _rates(tally: Tally) -> npt.NDArray[np.float64]:
    return np.asarray(tally.counts.sum(axis=1) / tally.minutes, dtype=np.float64)
