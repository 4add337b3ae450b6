"""Traces as hypotheses: who is slow by itself, whose answers stop requests, where errors begin."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aiops.analyze.traces.claims import Claims
from aiops.analyze.traces.contrasts import Phase, phases
from aiops.analyze.traces.errors import failed
from aiops.analyze.traces.forest import Children, Forest, Mask, children, forest, joined
from aiops.analyze.traces.hypotheses import hypotheses
from aiops.analyze.traces.onsets import onset_in
from aiops.analyze.traces.recursion import Step, conclusion, read_down, usual_durations
from aiops.analyze.traces.signs import Recording, recorded, signs
from aiops.analyze.traces.suspicion import failing_requests, spectrum
from aiops.analyze.traces.times import critical_path
from aiops.analyze.wording import duration
from aiops.model import CaseData, Episode, Evidence, Hypothesis, Reading, SpanTable

SHOWN_WAITS = 3
"""Services named of a request's critical path, those it waited for longest."""
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
        end = episode.end.timestamp()
        onset = onset_in(recording, episode.onset.timestamp(), end)
        phase = phases(trees.spans.starts, recording.reference, onset, end)
        if onset != episode.onset.timestamp():
            later = onset - episode.onset.timestamp()
            notes = (*notes, f"Traces: the change is clearest {_apart(later)} the given onset.")
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
    past: Mask,
    claims: Claims,
) -> tuple[Hypothesis, ...]:
    """The hypotheses, strongest first; the first ones with a failing request that shows it."""
    ordered = sorted(raised, key=lambda one: (-one.strength, one.entity, one.kind))
    if not past.any():
        return tuple(ordered)
    walk = _Walk(recording.forest, children(recording.forest), failing, past)
    for i, hypothesis in enumerate(ordered[:FOLLOWED]):
        shown = walk.request(hypothesis.entity.service_name, claims)
        if shown is not None:
            ordered[i] = replace(hypothesis, support=(*hypothesis.support, shown))
    return tuple(ordered)


class _Walk:
    """Follows failing requests down."""

    def __init__(self, trees: Forest, tree: Children, failing: Mask, past: Mask) -> None:
        self._trees, self._tree, self._failing = trees, tree, failing
        self._usual = usual_durations(trees, past)

    def request(self, service: str, claims: Claims) -> Evidence | None:
        """The slowest failing request through ``service``, if following it down ends there."""
        trees = self._trees
        number = trees.spans.services.index(service)
        visiting = (trees.service == number) & self._failing[trees.root]
        roots = np.unique(trees.root[visiting])
        if not len(roots):
            return None
        root = int(roots[trees.spans.durations[roots].argmax()])
        path = conclusion(read_down(trees, root, self._usual, self._tree))
        if number not in self._touched(path[-1]):
            return None
        waits: dict[int, float] = {}
        for row, seconds in critical_path(trees, root, self._tree):
            waited_for = int(trees.service[row])
            waits[waited_for] = waits.get(waited_for, 0.0) + seconds
        longest = sorted(waits.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_WAITS]
        return claims.request(path, tuple(longest))

    def _touched(self, step: Step) -> set[int]:
        """The service of a step, and those at the other end of it where it is a call."""
        below = np.concatenate([self._tree.of(span) for span in step.spans])
        return {step.service, *self._trees.service[below].tolist()}


def _apart(seconds: float) -> str:
    return f"{duration(seconds)} {'after' if seconds > 0 else 'before'}"
