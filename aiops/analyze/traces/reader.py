"""Traces as hypotheses: who is slow by itself, whose answers stop requests, where errors begin."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.claims import Claims
from aiops.analyze.traces.contrasts import Phase, phases
from aiops.analyze.traces.errors import failed
from aiops.analyze.traces.forest import Mask, forest, joined
from aiops.analyze.traces.hypotheses import hypotheses
from aiops.analyze.traces.recursion import Step, conclusion, read_down, usual_durations
from aiops.analyze.traces.signs import Recording, recorded, signs
from aiops.analyze.traces.suspicion import failing_requests, spectrum
from aiops.model import CaseData, Episode, Evidence, Hypothesis, Reading, SpanTable

FOLLOWED = 3
"""Hypotheses for which one failing request is followed down; the others have their counts."""


class TraceReader:
    """Reads the spans."""

    name = "traces"
    modality = "traces"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """Hypotheses about services that spans were recorded of; see Reader.read."""
        del seed  # nothing here is drawn
        table = case.window.spans
        if table is None or not len(table.starts):
            return Reading(missing=True)
        recording = _recording(case, table)
        trees = recording.forest
        notes = trees.oddities.notes()
        phase = phases(
            trees.spans.starts,
            recording.reference,
            episode.onset.timestamp(),
            episode.end.timestamp(),
        )
        during = phase == Phase.DURING
        past = (phase == Phase.BEFORE) | (phase == Phase.REFERENCE)
        if not during.any():
            return Reading(missing=True, notes=(*notes, "Traces: no span began in the episode."))
        if not past.any():
            notes = (*notes, "Traces: there is no span before the episode to compare with.")
        failing = failing_requests(trees, past, during, failed(trees))
        claims = Claims(trees, phase, table.source)
        raised = hypotheses(signs(recording, phase), spectrum(trees, failing, during), claims)
        return Reading(_followed(raised, recording, failing, past, claims), notes=notes)


def _recording(case: CaseData, table: SpanTable) -> Recording:
    reference = case.window.reference
    normal = reference.spans if reference is not None else None
    trees = forest(table if normal is None else joined(table, normal))
    place = {name: i for i, name in enumerate(trees.spans.services)}
    graph = case.window.graph
    pairs = (
        (place.get(call.source.service_name), place.get(call.target.service_name))
        for call in (graph.calls if graph is not None else ())
    )
    known = frozenset((a, b) for a, b in pairs if a is not None and b is not None)
    return recorded(trees, trees.rows >= len(table.starts), known)


def _followed(
    raised: Sequence[Hypothesis],
    recording: Recording,
    failing: Mask,
    past: npt.NDArray[np.bool_],
    claims: Claims,
) -> tuple[Hypothesis, ...]:
    """The hypotheses, strongest first; the first ones with a failing request that shows it."""
    ordered = sorted(raised, key=lambda one: (-one.strength, one.entity, one.kind))
    if not past.any():
        return tuple(ordered)
    usual = usual_durations(recording.forest, past)
    for i, hypothesis in enumerate(ordered[:FOLLOWED]):
        shown = _request(hypothesis.entity.service_name, recording, failing, usual, claims)
        if shown is not None:
            ordered[i] = replace(hypothesis, support=(*hypothesis.support, shown))
    return tuple(ordered)


def _request(
    service: str,
    recording: Recording,
    failing: Mask,
    usual: npt.NDArray[np.float64],
    claims: Claims,
) -> Evidence | None:
    """The slowest failing request through ``service``, if following it down ends there."""
    trees = recording.forest
    number = trees.spans.services.index(service)
    roots = np.unique(trees.root[(trees.service == number) & failing[trees.root]])
    if not len(roots):
        return None
    root = int(roots[trees.spans.durations[roots].argmax()])
    path = conclusion(read_down(trees, root, usual))
    return claims.request(path) if number in _touched(path[-1], recording) else None


def _touched(step: Step, recording: Recording) -> set[int]:
    """The service of a step, and those at the other end of it where it is a call."""
    trees = recording.forest
    rows = np.flatnonzero(np.isin(trees.parent, step.spans))
    return {step.service, *trees.service[rows].tolist()}
