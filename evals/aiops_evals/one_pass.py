"""Metric sets: detection, triage and localisation out of one pass, each beside its baselines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from aiops import plugins
from aiops.analyze.detect.onepass import Localised, OnePass, aligned
from aiops.analyze.detect.triage import UNKNOWN, NearestFaults
from aiops.model import CaseData, MetricTable
from aiops.model.telemetry import FloatArray
from aiops_datasets.case import Case
from aiops_evals.folds import f1, stratified

LEAST_HEALTHY = 16
"""Fault-free rows without which there is nothing to calibrate on and to raise false alarms in."""
WINDOW = 60.0
"""Seconds of a detection window; a row where samples are further apart."""
SIGMAS = 3.0
_BoolArray = npt.NDArray[np.bool_]
NOT_DETECTED = "not detected"


@dataclass(frozen=True, slots=True)
class Task:
    """The pass over one set."""

    root: Path
    dataset: str
    seeds: int
    limit: int | None = None

    def parts(self) -> tuple["Task", ...]:
        """It has none."""
        return (self,)


@dataclass(frozen=True, slots=True)
class Detection:
    """Windows of one set, counted for one detector."""

    dataset: str
    method: str
    windows: int
    faulty: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Location:
    """Service-level accuracy of one method on one set; an incident not detected counts as wrong."""

    dataset: str
    method: str
    n: int
    ac1: float
    ac3: float
    ac5: float


@dataclass(frozen=True, slots=True)
class Triage:
    """Fault-type macro-F1 over seeds; None as spread where nothing is random."""

    dataset: str
    method: str
    n: int
    classes: int
    macro_f1: float
    spread: float | None
    unknown: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One set's three tables, and what else the pass showed.

    Attributes:
        delay_s: median seconds from fault to alarm; None where nothing was detected.
        false_incidents: incidents confirmed where there was no fault.
        skipped: why the set has no tables; "" where it has.
    """

    dataset: str
    detection: tuple[Detection, ...] = ()
    location: tuple[Location, ...] = ()
    triage: tuple[Triage, ...] = ()
    delay_s: float | None = None
    detected: int = 0
    false_incidents: int = 0
    healthy_hours: float = 0.0
    skipped: str = ""


@dataclass(slots=True)
class _Tally:
    """What the windows of all streams of a set were, and what each detector said."""

    truth: list[bool]
    ours: list[bool]
    sigma: list[bool]


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """One pass: rows to calibrate on, rows to watch, and when the fault began (inf: never)."""

    healthy: MetricTable
    watched: MetricTable
    fault: float


def run(task: Task) -> Result:
    """The pass over every case of the set, and over its healthy windows."""
    from aiops_datasets.catalog import load_case, locations

    places = list(locations(task.root, task.dataset))[: task.limit]
    tally = _Tally([], [], [])
    ranked: list[tuple[str, ...]] = []
    told: list[tuple[str, ...]] = []
    profiles: list[FloatArray | None] = []
    guesses: list[str] = []
    delays: list[float] = []
    kept: list[Case] = []
    false_incidents, healthy_s = 0, 0.0
    for place in places:
        case = load_case(place)
        stream = _stream(case.data)
        if stream is None:
            continue
        kept.append(case)
        found, early = _watch(stream, tally)
        false_incidents += early
        healthy_s += _length(stream.watched.between(-np.inf, stream.fault))
        ranked.append(tuple(name for name, _ in found.suspects) if found else ())
        profiles.append(found.profile if found else None)
        guesses.append(found.fault_types[0][0].value if found else NOT_DETECTED)
        told.append(_told(case.data))
        if found:
            delays.append(max(0.0, found.incident.detected - stream.fault))
    if not kept:
        return Result(task.dataset, skipped="no fault-free rows to calibrate on")
    for stream in _healthy(task):
        _, early = _watch(stream, tally)
        false_incidents += early
        healthy_s += _length(stream.watched)
    return Result(
        task.dataset,
        _detection(task.dataset, tally),
        (
            _location(task.dataset, "one pass", kept, ranked),
            _location(task.dataset, "nsigma, told the time", kept, told),
        ),
        _triage(task, kept, profiles, guesses),
        median(delays) if delays else None,
        len(delays),
        false_incidents,
        healthy_s / 3600,
    )


def _stream(data: CaseData) -> _Stream | None:
    """Calibrated on the fault-free run kept beside the set, else on the first half before the
    fault; None where there is neither."""
    metrics, at = data.window.metrics, data.trigger.at
    if metrics is None or at is None:
        return None
    fault = at.timestamp()
    before = metrics.between(-np.inf, fault)
    reference = data.window.reference
    if reference is not None and reference.metrics is not None:
        # What lies before the fault may hold an earlier one: only the fault itself is watched.
        healthy = aligned(reference.metrics, metrics.series)
        return _Stream(healthy, metrics.between(fault, np.inf), fault)
    if len(before.times) < LEAST_HEALTHY:
        return None
    middle = float(before.times[len(before.times) // 2])
    return _Stream(before.between(-np.inf, middle), metrics.between(middle, np.inf), fault)


def _healthy(task: Task) -> list[_Stream]:
    """Fault-free windows that were cut out of a run kept beside the set."""
    from aiops.analyze.detect.onepass import aligned
    from aiops_datasets.healthy import windows_of

    streams = []
    for data in windows_of(task.root, task.dataset):
        metrics, reference = data.window.metrics, data.window.reference
        if metrics is not None and reference is not None and reference.metrics is not None:
            healthy = aligned(reference.metrics, metrics.series)
            streams.append(_Stream(healthy, metrics, np.inf))
    return streams[: task.limit]


def _watch(stream: _Stream, tally: _Tally) -> tuple[Localised | None, int]:
    """The first incident that reaches into the fault, and how many were confirmed before it."""
    detector = OnePass(stream.healthy)
    times = stream.watched.times
    open_at = np.zeros(len(times), dtype=np.bool_)
    early = 0
    for i, (time, row) in enumerate(zip(times.tolist(), stream.watched.values, strict=True)):
        confirmed = detector.step(time, row)
        early += confirmed and time < stream.fault
        open_at[i] = detector.in_incident
    deviant = _beyond(stream, SIGMAS)
    for rows in _windows(times, stream.fault):
        tally.truth.append(bool(times[rows[0]] >= stream.fault))
        tally.ours.append(bool(open_at[rows].any()))
        tally.sigma.append(bool(deviant[rows].any()))
    found = (one for one in detector.finish() if one.incident.end >= stream.fault)
    return next(found, None), early


def _windows(times: FloatArray, fault: float) -> list[npt.NDArray[np.intp]]:
    """Row numbers of each window; none reaches over the onset of the fault."""
    phase = (times >= fault).astype(np.intp)
    origin = np.where(phase == 1, fault, times[0] if len(times) else 0.0)
    number = ((times - origin) // WINDOW).astype(np.intp)
    rows = np.arange(len(times))
    keys = sorted(set(zip(phase.tolist(), number.tolist(), strict=True)))
    return [rows[(phase == p) & (number == k)] for p, k in keys]


def _beyond(stream: _Stream, sigmas: float) -> _BoolArray:
    """(n,) whether any column is further than ``sigmas`` from its healthy mean."""
    healthy = stream.healthy.values
    known = np.isfinite(healthy)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, healthy, 0.0).sum(axis=0) / counts
    spread = np.sqrt((np.where(known, healthy - mean, 0.0) ** 2).sum(axis=0) / counts)
    apart = np.abs(stream.watched.values - mean)
    deviant: _BoolArray = (np.isfinite(apart) & (spread > 0) & (apart > sigmas * spread)).any(
        axis=1
    )
    return deviant


def _detection(dataset: str, tally: _Tally) -> tuple[Detection, ...]:
    truth = np.array(tally.truth)
    return tuple(
        _counted(dataset, name, truth, np.array(said, dtype=np.bool_))
        for name, said in (
            ("one pass", tally.ours),
            ("three sigma, any metric", tally.sigma),
            ("always alarm", [True] * len(truth)),
        )
    )


def _counted(dataset: str, name: str, truth: _BoolArray, said: _BoolArray) -> Detection:
    hits = int((truth & said).sum())
    precision = hits / max(1, int(said.sum()))
    recall = hits / max(1, int(truth.sum()))
    score = 2 * hits / max(1, int(said.sum()) + int(truth.sum()))
    return Detection(dataset, name, len(truth), int(truth.sum()), precision, recall, score)


def _told(data: CaseData) -> tuple[str, ...]:
    """The services as n-sigma ranks them when told the time of the fault."""
    ranking = plugins.analyzer("nsigma").rank(data)
    return tuple(dict.fromkeys(suspect.entity.service_name for suspect in ranking.suspects))


def _location(
    dataset: str, name: str, cases: Sequence[Case], ranked: Sequence[tuple[str, ...]]
) -> Location:
    def within(k: int) -> float:
        hits = (
            any(entity.service_name in names[:k] for entity in case.answers.entities)
            for case, names in zip(cases, ranked, strict=True)
        )
        return sum(hits) / len(cases)

    return Location(dataset, name, len(cases), within(1), within(3), within(5))


def _triage(
    task: Task,
    cases: Sequence[Case],
    profiles: Sequence[FloatArray | None],
    guesses: Sequence[str],
) -> tuple[Triage, ...]:
    labels = [case.answers.fault_label for case in cases]
    classes = len(set(labels))
    strata = [(case.answers.entities[0].service_name, case.answers.fault_label) for case in cases]
    learned, majority, unknown = [], [], []
    for seed in range(task.seeds):
        folds = stratified(strata, range(len(cases)), seed)
        if len(folds) < 2:
            break
        said, frequent, strange = _by_folds(labels, profiles, folds)
        learned.append(f1(labels, said)[0])
        majority.append(f1(labels, frequent)[0])
        unknown.append(strange / len(labels))
    n = len(cases)
    by_rule = f1([case.answers.fault_type.value for case in cases], guesses)[0]
    lines = [Triage(task.dataset, "by rule, our vocabulary", n, classes, by_rule, None)]
    if learned:
        spread = float(np.std(learned))
        share = float(np.mean(unknown))
        mean = float(np.mean(learned))
        usual, usual_spread = float(np.mean(majority)), float(np.std(majority))
        lines = [
            Triage(task.dataset, "nearest past incidents", n, classes, mean, spread, share),
            *lines,
            Triage(task.dataset, "majority class", n, classes, usual, usual_spread),
        ]
    return tuple(lines)


def _by_folds(
    labels: Sequence[str],
    profiles: Sequence[FloatArray | None],
    folds: Sequence[Sequence[int]],
) -> tuple[list[str], list[str], int]:
    """(answers by resemblance, by frequency, how many were called unknown) over the folds.

    What was not detected is no past incident, and its answer is NOT_DETECTED.
    """
    said, frequent = [""] * len(labels), [""] * len(labels)
    unknown = 0
    for fold in folds:
        rest = [i for i in range(len(labels)) if i not in set(fold)]
        counts = Counter(labels[i] for i in rest)
        usual = min(counts, key=lambda one: (-counts[one], one))
        known = [(profile, labels[i]) for i in rest if (profile := profiles[i]) is not None]
        past = None
        if known:
            past = NearestFaults(np.array([row for row, _ in known]), [name for _, name in known])
        for i in fold:
            frequent[i] = usual
            profile = profiles[i]
            if profile is None or past is None:
                said[i] = NOT_DETECTED
                continue
            resemblance = past.resemblance(profile)
            said[i] = resemblance.labels[0][0]
            unknown += resemblance.label == UNKNOWN
    return said, frequent, unknown


def _length(table: MetricTable) -> float:
    return float(table.times[-1] - table.times[0]) if len(table.times) > 1 else 0.0
