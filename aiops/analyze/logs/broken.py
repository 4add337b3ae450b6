"""Code that takes another way, as hypotheses: which step no longer follows which."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops.analyze.logs.order import Z_SURE as SURE
from aiops.analyze.logs.order import Break, breaks
from aiops.analyze.logs.recording import Recording
from aiops.analyze.logs.requests import callers
from aiops.analyze.wording import number, plain
from aiops.model import Entity, Evidence, FaultType, Hypothesis, Indicator, Window
from aiops.model.telemetry import FloatArray

DROP_FLOOR = 0.05
"""Probability by which a step must follow less often to matter: one request in twenty that takes
another way burns an error budget, one in a hundred is a customer's typing."""
KNOWN_BRANCH = 0.4
"""Weight of a drop that only went to branches known before: other data, or another mix of
requests, moves those too."""
EXPLAINED = 0.9
"""Share of its weight that a break loses if the callee's own failure explains it in every span."""
EXPLAINING = 1.1
"""Strength (log of 1 + two floors) from which a break explains those of its callers."""
LISTED = 3
"""Hypotheses raised of one service: its first breaks; what follows them follows from them."""


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """The breaks of a recording.

    Attributes:
        failed_at: (s,) when each span gave its last sign of life before a break; NaN for others.
        calls: pairs (service that failed, service that called it and failed from it).
    """

    hypotheses: tuple[Hypothesis, ...]
    failed_at: FloatArray
    calls: frozenset[tuple[int, int]]


def broken(recording: Recording, window: Window, source: str) -> Broken:
    """What no longer follows what, since the onset, strongest first.

    A break in a caller that a later failure of its callee explains counts little.
    """
    requests = recording.now.requests
    failed_at = np.full(len(requests.starts), np.nan)
    if not recording.references or not len(recording.current.times):
        return Broken((), failed_at, frozenset())
    found = breaks(
        recording.current,
        list(recording.references),
        len(recording.steps),
        np.array([_grave(recording, step) for step in range(len(recording.steps))], dtype=np.bool_),
    )
    for one in found:
        if _strength(one) >= EXPLAINING:
            failed_at[one.lost] = np.fmax(failed_at[one.lost], one.lost_at)
    explained, calls = callers(failed_at, failed_at, requests)
    weighed = []
    for one in found:
        share = float(explained[one.lost].mean()) if len(one.lost) else 0.0
        weighed.append((_strength(one) * (1 - EXPLAINED * share), one))
    weighed.sort(key=lambda pair: (-pair[0], recording.steps[pair[1].first], pair[1].then))
    raised: dict[int, int] = {}
    hypotheses = []
    for strength, one in weighed:
        service = recording.steps[one.first][0]
        raised[service] = raised.get(service, 0) + 1
        if raised[service] <= LISTED:
            suffering = [caller for failed, caller in calls if failed == service]
            hypotheses.append(_hypothesis(recording, one, strength, suffering, window, source))
    return Broken(tuple(hypotheses), failed_at, calls)


def _grave(recording: Recording, step: int) -> bool:
    """Error lines that no longer follow are not missed."""
    statement = recording.statement(step)
    return statement is not None and statement.level == "error"


def _strength(one: Break) -> float:
    """Nats; see Hypothesis."""
    telling = min(1.0, one.z / SURE) ** 2 * (KNOWN_BRANCH + (1 - KNOWN_BRANCH) * one.novel)
    return float(np.log1p(one.drop / DROP_FLOOR)) * telling


def _hypothesis(
    recording: Recording,
    one: Break,
    strength: float,
    suffering: Sequence[int],
    window: Window,
    source: str,
) -> Hypothesis:
    service = recording.services[recording.steps[one.first][0]]
    first, then = recording.step_name(one.first), recording.step_name(one.then)
    claim = (
        f"{plain(service)}: {plain(first)} was followed by {plain(then)} in "
        f"{number(100 * one.before)} % of {one.seen_before} spans before, and in "
        f"{number(100 * one.now)} % of {one.seen_now} since the onset"
    )
    statement = recording.statement(one.first)
    return Hypothesis(
        entity=Entity("service", service),
        fault=FaultType.ERROR,
        kind="step_no_longer_follows",
        size=one.drop,
        unit="probability",
        floor=DROP_FLOOR,
        strength=strength,
        indicator=Indicator("log_template", f"{first}_{then}"),
        support=(
            Evidence("", "log", claim, source, window, statement.ref)
            if statement is not None
            else Evidence(
                "", "trace", claim, recording.spans_source, window, recording.operation(one.first)
            ),
        ),
        refuted_by=f"spans of {service} in which {then} follows {first} as often as before",
        explains=tuple(
            Entity("service", recording.services[caller]) for caller in sorted(suffering)
        ),
    )
