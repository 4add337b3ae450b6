"""When the spans say that it began, where they say so more clearly than the alert.

Spans are often kept for a few minutes only, and an alert a minute off compares fault with fault,
or dilutes it. So other moments are tried, and the one that shows the clearest sign is believed,
if it is clearer by far.
"""

import numpy as np

from aiops.analyze.traces.contrasts import phases
from aiops.analyze.traces.signs import Recording, signs

STEP_S = 15.0
"""Seconds between the moments that are tried; a few requests of each kind."""
REACH_S = 90.0
"""Seconds around the given onset in which they lie: detectors look at a minute, and fire a little
later."""
EDGE_S = 10.0
"""Seconds of spans that must lie on both sides."""
CLEARER = 0.5
"""Nats by which another moment must be clearer: the best of a dozen moments is a little clearer by
chance."""


def onset_in(recording: Recording, given: float, end: float) -> float:
    """The onset to believe, unix seconds.

    Args:
        given: the onset as the episode has it.
        end: of the episode.
    """
    starts = recording.forest.spans.starts[~recording.reference]
    low, high = float(starts.min()) + EDGE_S, min(float(starts.max()), end) - EDGE_S
    around = given + np.arange(-REACH_S, REACH_S + STEP_S / 2, STEP_S)
    tried = [moment for moment in around.tolist() if low <= moment <= high and moment != given]
    best, clearest = given, _clarity(recording, given, end) + CLEARER
    for moment in tried:
        clarity = _clarity(recording, moment, end)
        if clarity > clearest:
            best, clearest = moment, clarity
    return best


def _clarity(recording: Recording, onset: float, end: float) -> float:
    starts = recording.forest.spans.starts
    return signs(recording, phases(starts, recording.reference, onset, end)).strongest()
