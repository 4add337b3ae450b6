"""Logs as hypotheses: code that takes another way, errors that rose, and whom they accuse."""

from dataclasses import replace
from datetime import datetime

import numpy as np

from aiops.analyze.logs.accused import Witnesses
from aiops.analyze.logs.broken import broken
from aiops.analyze.logs.correlate import companion, evidence_of
from aiops.analyze.logs.recording import Recording, recording_of
from aiops.analyze.logs.troubles import Trouble, troubles
from aiops.model import CaseData, Episode, Hypothesis, LogTable, MetricTable, Reading, Window

LISTED = 60
"""Hypotheses handed on; weaker ones change no ranking."""
CORRELATED = 5
"""Hypotheses for which a metric is looked for that moves with their lines."""


class LogReader:
    """Reads the log table, beside the spans and the reference where there are any."""

    name = "logs"
    modality = "logs"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:  # noqa: ARG002
        """What the lines say; deterministic, so ``seed`` decides nothing. See Reader.read."""
        table = case.window.logs
        if table is None or not len(table.times):
            return Reading(missing=True)
        recording = recording_of(case, table, episode)
        window = _window(recording, table, episode, case)
        paths = broken(recording, window, table.source)
        said = troubles(
            recording,
            Witnesses.of(case, recording.services),
            paths.failed_at,
            window,
            table.source,
        )
        raised = sorted(
            (*paths.hypotheses, *_corroborated(recording, said, case, window)),
            key=lambda h: (-h.strength, h.entity, h.kind),
        )
        return Reading(tuple(raised[:LISTED]), notes=_notes(recording))


def _corroborated(
    recording: Recording, said: tuple[Trouble, ...], case: CaseData, window: Window
) -> tuple[Hypothesis, ...]:
    """The hypotheses, the strongest with the metric of their entity that moves with their lines."""
    ordered = sorted(said, key=lambda t: (-t.hypothesis.strength, t.hypothesis.entity))
    metrics = case.window.metrics
    known = recording.now.lines.times[np.isfinite(recording.now.lines.times)]
    if metrics is None or not len(known):
        return tuple(trouble.hypothesis for trouble in ordered)
    recorded = float(known.min()), float(known.max())
    span = _overlap(metrics, recorded, window)
    hypotheses = []
    for rank, trouble in enumerate(ordered):
        one = trouble.hypothesis
        if rank < CORRELATED and len(trouble.times) and span is not None:
            found = companion(trouble.times, recorded, metrics, one.entity.name)
            if found is not None:
                evidence = evidence_of(found, metrics, span)
                one = replace(one, support=(*one.support, evidence))
        hypotheses.append(one)
    return tuple(hypotheses)


def _overlap(metrics: MetricTable, recorded: tuple[float, float], window: Window) -> Window | None:
    """From the first to the last sample within the recorded lines."""
    low, high = np.searchsorted(metrics.times, recorded)
    if high <= low:
        return None
    zone = window.start.tzinfo
    first, last = float(metrics.times[low]), float(metrics.times[high - 1])
    return Window(datetime.fromtimestamp(first, tz=zone), datetime.fromtimestamp(last, tz=zone))


def _window(recording: Recording, table: LogTable, episode: Episode, case: CaseData) -> Window:
    """From the onset to the last line; the whole window where lines have no times."""
    times = table.times[np.isfinite(table.times)]
    if not recording.dated or not len(times):
        return Window(case.window.start, case.window.end)
    start = episode.onset
    last = datetime.fromtimestamp(float(times.max()), tz=start.tzinfo)
    if last < start:
        return Window(datetime.fromtimestamp(float(times.min()), tz=start.tzinfo), last)
    return Window(start, max(start, last))


def _notes(recording: Recording) -> tuple[str, ...]:
    lines, damage = recording.now.lines, recording.damage
    counted = (
        (lines.undated if recording.dated else 0, "log lines without a time were left out"),
        (lines.unreadable, "recorded answers that were no log lines were left out"),
        (damage.cut, "log lines are longer than 64 k characters; their beginning was read"),
        (damage.binary, "log lines hold binary or undecodable bytes"),
        (damage.coarse, "log lines were matched to templates only roughly"),
    )
    notes = [f"{n} {what}" for n, what in counted if n]
    if not recording.dated:
        notes.append("log lines carry no times; all recent ones are taken to speak of now")
    elif not recording.tallies:
        notes.append("no log lines from before the onset to compare with")
    return tuple(notes)
