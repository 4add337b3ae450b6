"""Detection, triage and localisation in one pass over the samples, as they come.

TrioXpert's three tasks (arXiv 2506.10043) without its forecaster: each sample is compared with
the usual level and variation of its column, a service is as far off as its worst column, the
system as its worst three services; thresholds come from the tails of these streams themselves
(``pot``). An incident is localised by the ranker's arithmetic on what the pass remembers: the
last healthy samples and the first of the incident. Time is linear in the samples; memory is
``MOST_BASELINE + MOST_REMEMBERED`` samples whatever the length of the stream.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze import fault_types, shifts, suspicion
from aiops.analyze.columns import bridge_gaps
from aiops.analyze.detect.incidents import (
    CONFIRM_AFTER,
    MERGE_WITHIN,
    DetectedIncident,
    IncidentLog,
)
from aiops.analyze.detect.pot import RISK, Pot
from aiops.analyze.detect.seasonal import SeasonalBaseline
from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.onset import Anomaly
from aiops.analyze.samples import measurements
from aiops.errors import AnalysisFailed
from aiops.model import FaultType, MetricTable, Series
from aiops.model.telemetry import FloatArray

MOST_BASELINE = 300
"""Healthy samples remembered: five minutes at 1 s, a day of five-minute data."""
MOST_REMEMBERED = 60
"""Samples of an incident remembered: its level is told by its first minute as well as by all."""
LEAST_CALM = 30
"""Samples after an incident from which they alone say what is usual now; fewer join the older."""
LEAST_BASELINE = 8
"""Healthy samples without which no usual variation can be told."""
SMOOTHED = 3
"""Samples averaged before comparing: a single odd scrape is no anomaly."""
COARSE_INTERVAL = 30.0
"""Seconds between samples from which a sample is an average already, and is not averaged again."""
COARSE_CONFIRM = 2
"""Anomalous samples that confirm an incident in coarse data: three would be minutes."""
WORST_SERVICES = 3
"""Services whose deviations make the system's (TrioXpert's top three)."""
TAIL_PERCENT, TAIL_VARIATIONS = 99.0, 3.0
"""The deviation one healthy sample in a hundred passes counts as three variations at most, as it
would if the column were Gaussian: a column that spikes by habit has wide variations."""
LEAST_VARIATIONS = 3.0
"""Variations a service's worst column must be off, whatever the tails say: under three sigma
nobody would look."""
_KINDS = tuple(MetricKind)


@dataclass(frozen=True, slots=True)
class Localised:
    """One incident with everything one pass says of it.

    Attributes:
        incident: when.
        suspects: services with suspicion, most first.
        fault_types: of the first suspect, with shares, most likely first.
        profile: (2 * kinds,) how far each kind of metric of the first suspect rose, and fell, in
            log variations: what triage by resemblance compares.
    """

    incident: DetectedIncident
    suspects: tuple[tuple[str, float], ...]
    fault_types: tuple[tuple[FaultType, float], ...]
    profile: FloatArray


class OnePass:
    """A detector over the columns of one metric table.

    Args:
        healthy: rows to calibrate on; nothing in them is taken for an anomaly.
        season: length of the season in seconds, where the streams have one.
        risk: probability that a healthy sample of the system passes its threshold.
        merge_within: seconds between anomalous moments of one incident.

    Raises:
        AnalysisFailed: too few rows to calibrate on, or no column with samples.
    """

    def __init__(
        self,
        healthy: MetricTable,
        *,
        season: float | None = None,
        risk: float = RISK,
        merge_within: float = MERGE_WITHIN,
    ) -> None:
        values = measurements(healthy.values)
        if len(values) < LEAST_BASELINE:
            raise AnalysisFailed(
                f"{healthy.source}: {len(values)} healthy rows; at least {LEAST_BASELINE} are "
                "needed to tell what is usual"
            )
        usable = np.flatnonzero(np.isfinite(values).any(axis=0))
        if not len(usable):
            raise AnalysisFailed(f"{healthy.source}: no column holds a sample; nothing to watch")
        # Columns of one service side by side, in an order that does not depend on the file's.
        names = [healthy.series[i].column for i in usable]
        service = suspicion.services_of([healthy.series[i] for i in usable])
        order = sorted(range(len(usable)), key=lambda i: (service[i], names[i]))
        self._columns = usable[order]
        self.series: tuple[Series, ...] = tuple(healthy.series[i] for i in self._columns)
        self._service = suspicion.services_of(self.series)
        self._starts = np.flatnonzero(np.diff(self._service, prepend=-1))
        self.services = tuple(self.series[i].entity.service_name for i in self._starts)
        self._kinds = shifts.kinds_of(self.series)
        self._season: SeasonalBaseline | None = None
        coarse = float(np.median(np.diff(healthy.times))) >= COARSE_INTERVAL
        self._smoothed = 1 if coarse else SMOOTHED
        self._log = IncidentLog(merge_within, COARSE_CONFIRM if coarse else CONFIRM_AFTER)
        self._risk = risk
        self._calibrate(healthy.times, values[:, self._columns], season)
        self._during: list[FloatArray] = []
        self._found: list[Localised] = []
        self.last_anomalous = np.zeros(1 + len(self.services), dtype=np.bool_)

    def _calibrate(self, times: FloatArray, values: FloatArray, season: float | None) -> None:
        if season is not None:
            interval = float(np.median(np.diff(times)))
            self._season = SeasonalBaseline(season, interval, values.shape[1])
            for time, sample in zip(times, values, strict=True):
                self._season.learn(float(time), sample)
            usual = [self._season.residual(float(t), v) for t, v in zip(times, values, strict=True)]
            values = np.array(usual)
        self._recent = deque((row.copy() for row in values), maxlen=MOST_BASELINE)
        self._calm = len(self._recent)
        self._rebase(values)

    def _rebase(self, values: FloatArray) -> None:
        """Usual levels, variations and thresholds anew, from (n, m) healthy samples."""
        self._before = bridge_gaps(values[-MOST_BASELINE:])
        kept = self._before.copy()
        kept[:, np.isnan(kept).all(axis=0)] = 0.0
        low, self._level, high = np.percentile(kept, [25, 50, 75], axis=0)
        spread = kept.std(axis=0)
        self._scale = np.maximum.reduce(
            [
                high - low,
                shifts.SIGMA_SHARE * spread,
                np.percentile(np.abs(kept - self._level), TAIL_PERCENT, axis=0) / TAIL_VARIATIONS,
                shifts.LEVEL_SHARE * np.abs(self._level),
            ]
        )
        self._scale = np.maximum(self._scale, self._fleet_floor())
        self._scale[self._scale <= 0] = np.inf  # nobody has ever seen this metric move
        self._window: list[FloatArray] = []
        scores = np.array([self._scores(sample) for sample in values])
        # Bonferroni: the more services are watched, the more would pass by chance.
        streams = np.full(scores.shape[1], self._risk / len(self.services))
        streams[0] = self._risk
        self._pot = Pot(scores, risk=streams, heaviest=0.0)

    def _fleet_floor(self) -> FloatArray:
        """(m,) the least variation of interest: a share of what the same metric varies by
        across services, so that one that idles at nothing is no anomaly for doing a little."""
        metrics = sorted({one.metric for one in self.series})
        number = {metric: i for i, metric in enumerate(metrics)}
        of = np.array([number[one.metric] for one in self.series], dtype=np.intp)
        mean = np.bincount(of, weights=self._scale) / np.bincount(of)
        floor: FloatArray = shifts.FLEET_SYMPTOM * mean[of]
        return floor

    def step(self, time: float, row: FloatArray) -> bool:
        """Takes one (columns,) row in the order of the calibration table.

        Returns:
            Whether an incident was confirmed by it.
        """
        sample = measurements(row)[self._columns]
        residual = sample if self._season is None else self._season.residual(time, sample)
        scores = self._scores(residual)
        self.last_anomalous = self._pot.step(scores) & (scores >= np.log1p(LEAST_VARIATIONS))
        anomalous = bool(self.last_anomalous.any())
        ended = len(self._log.closed)
        confirmed = self._log.step(time, anomalous)
        if len(self._log.closed) > ended:
            self._close(self._log.closed[-1])
            # The level may have stayed where the incident left it: that is usual now.
            rows = self._calm if self._calm >= LEAST_CALM else len(self._recent)
            self._rebase(np.array(self._recent)[-rows:])
        if confirmed:
            self._before = bridge_gaps(np.array(self._recent))
        self._remember(time, sample, residual, anomalous=anomalous)
        return confirmed

    def _remember(
        self, time: float, sample: FloatArray, residual: FloatArray, *, anomalous: bool
    ) -> None:
        if anomalous:
            self._calm = 0
            self._during.append(residual)
            del self._during[MOST_REMEMBERED:]
            return
        self._calm += 1
        self._recent.append(residual)
        if self._log.open is None:
            self._during.clear()
            if self._season is not None:
                self._season.learn(time, sample)

    @property
    def in_incident(self) -> bool:
        """Whether an incident is going on as of the last sample."""
        return self._log.open is not None

    def finish(self) -> tuple[Localised, ...]:
        """Every incident of the stream, localised, oldest first; the open one ends here."""
        if self._log.open is not None:
            self._close(self._log.open)
            self._log.closed.append(self._log.open)
            self._log.open = None
        return tuple(self._found)

    def _scores(self, residual: FloatArray) -> FloatArray:
        """(1 + services,) log variations of the system and of each service."""
        self._window = [*self._window, residual][-self._smoothed :]
        recent = np.array(self._window)
        known = np.isfinite(recent)
        total = np.where(known, recent, 0.0).sum(axis=0)
        mean = total / np.maximum(known.sum(axis=0), 1)
        apart = np.where(known.any(axis=0), np.abs(mean - self._level) / self._scale, 0.0)
        worst = np.log1p(np.maximum.reduceat(np.nan_to_num(apart), self._starts))
        leading = np.sort(worst)[-WORST_SERVICES:]
        return np.concatenate([[leading.mean()], worst])

    def _close(self, incident: DetectedIncident) -> None:
        during = bridge_gaps(np.array(self._during))
        during = np.where(np.isnan(during), self._level, during)
        before = np.where(np.isnan(self._before), self._level, self._before)
        values = np.vstack([before, during])
        kinds = self._kinds.copy()
        shifts.failures(values, kinds, self.series)
        anomaly = Anomaly(len(before), len(values), found=True)
        moved = shifts.measure(values, self.series, kinds, anomaly)
        weight = suspicion.weights(self.series, kinds)
        score = suspicion.strengths(moved, weight) * weight
        score = suspicion.corroborated(score, kinds, self._service)
        score = suspicion.memory_first(score, moved, self._service)
        best = np.maximum.reduceat(score, self._starts)
        ranked = sorted(range(len(best)), key=lambda s: (-best[s], self.services[s]))
        first = ranked[0]
        own = np.flatnonzero(self._service == self._service[self._starts[first]])
        column = int(own[score[own].argmax()])
        self._found.append(
            Localised(
                incident,
                tuple((self.services[s], float(best[s])) for s in ranked),
                fault_types.candidates(moved, self._service, column),
                _profile(moved.material[own], kinds[own]),
            )
        )
        self._during.clear()


def _profile(material: FloatArray, kinds: npt.NDArray[np.object_]) -> FloatArray:
    profile = np.zeros(2 * len(_KINDS))
    for size, kind in zip(material.tolist(), kinds, strict=True):
        place = _KINDS.index(kind) + (0 if size > 0 else len(_KINDS))
        profile[place] = max(profile[place], float(np.log1p(abs(size))))
    return profile


def aligned(healthy: MetricTable, series: Sequence[Series]) -> MetricTable:
    """``healthy`` with the columns of ``series``, in their order; NaN where it has no such one."""
    place = {one.column: i for i, one in enumerate(healthy.series)}
    values = np.full((len(healthy.times), len(series)), np.nan)
    for i, one in enumerate(series):
        if one.column in place:
            values[:, i] = healthy.values[:, place[one.column]]
    return MetricTable(healthy.times, values, tuple(series), healthy.source)
