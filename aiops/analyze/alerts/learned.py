"""A ranker and triager learned from past incidents of a system: alert lists with known causes.

Pointwise: which candidate of an incident is the culprit, and which fault it has, from rows that
name no entity (``features``) and, where a service has had many faults, from which service it is.
What it learns is also the roles services play in that system, so a service that never had a fault
is judged by its role alone (``roles``), and figures on such services (leave-one-service-out) stand
beside the others. Trees after Geurts et al., Extremely randomized trees
(Machine Learning 63, 2006).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops.analyze.alerts.features import Features, describe, overview, rarity_over
from aiops.analyze.alerts.graph import Incident, Place, lay_out
from aiops.analyze.alerts.learning import (
    BoolArray,
    Columns,
    Learning,
    balance,
    log_odds,
    probability_of,
)
from aiops.analyze.alerts.roles import RoleForest, by_role, newcomers_prior
from aiops.analyze.alerts.signs import template_of
from aiops.analyze.detect.triage import Familiarity
from aiops.errors import InvalidInput
from aiops.model import Entity, TelemetryWindow
from aiops.model.telemetry import FloatArray

LEAST_OF_A_SERVICE = 20
"""Past faults of a service from which its own habits are learned too, beside its role's."""
LEAST_LEAF = 2
"""Rows in a leaf of the ranker: one past incident is no rule."""
RIDGE = 0.02
"""Inverse strength of the triager's ridge: there are more features than past incidents."""
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PastIncident:
    """An incident whose cause was found.

    Attributes:
        culprit: the candidate that was at fault.
        label: the fault in the team's or benchmark's own words.
    """

    window: TelemetryWindow
    culprit: Entity
    label: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the past says of a new incident.

    Attributes:
        suspects: candidates with probabilities that add up to 1, most likely first.
        labels: faults of the first suspect with probabilities, most likely first.
        unknown: nothing like it has been seen; ``labels`` then is only the nearest resemblance.
        distance: how far it lies from the nearest past incident, in multiples of what is usual
            among the past ones; unknown from 1.
    """

    suspects: tuple[tuple[Entity, float], ...]
    labels: tuple[tuple[str, float], ...]
    unknown: bool
    distance: float

    @property
    def label(self) -> str:
        """The fault, UNKNOWN where nothing like it has been seen."""
        return UNKNOWN if self.unknown or not self.labels else self.labels[0][0]


class LearnedTriage:
    """Ranks and triages alert lists as past incidents of the same system taught it.

    Args:
        past: at least two incidents, whose culprits are among the candidates of their windows;
            those whose culprit is not are left out.

    Raises:
        InvalidInput: nothing to learn from, or scikit-learn is not installed.
    """

    def __init__(self, past: Sequence[PastIncident], *, seed: int = 0) -> None:
        laid_out = [(lay_out(one.window), one) for one in past]
        usable = [
            (incident, position, one.label)
            for incident, one in laid_out
            if (position := _position(incident, one.culprit)) is not None
        ]
        if len(usable) < 2:
            raise InvalidInput(
                f"{len(usable)} past incidents name a culprit that alerted; learning needs two"
            )
        self._rarity = rarity_over([incident for incident, _, _ in usable])
        rows: list[Features] = []
        target: list[str] = []
        stories: list[Features] = []
        labels: list[str] = []
        for incident, culprit, label in usable:
            described = describe(incident, self._rarity)
            rows += described
            target += [label if i == culprit else "" for i in range(len(described))]
            stories.append(_story(incident, described, culprit))
            labels.append(label)
        self._columns = Columns.of(rows)
        self._story_columns = Columns.of(stories)
        learning = Learning.load()
        x, y = self._columns.table(rows), np.array(target)
        guilty = y != ""
        weights = balance(guilty)
        everyone = [incident for incident, _, _ in usable]
        failures = Counter(
            incident.places[culprit].entity.service_name for incident, culprit, _ in usable
        )
        self._failed_before = frozenset(failures)
        self._well_known = sorted(
            service for service, count in failures.items() if count >= LEAST_OF_A_SERVICE
        )
        self._culprit = learning.forest(seed, LEAST_LEAF, 0.2).fit(
            self._with_identity(x, everyone), guilty, sample_weight=weights
        )
        self._which = learning.forest(seed + 1, 1, 0.2).fit(x, y, sample_weight=weights)
        strangers = self._strangers(everyone)
        # Where every service failed before, roles would be learned from the very same rows.
        self._roles: RoleForest | None = None
        if strangers.any():
            told = _with_roles(everyone, rows)
            self._roles = RoleForest(told, guilty, ~strangers, learning, seed)
        known = self._story_columns.table(stories)
        self._triagers = [
            model.fit(known, np.array(labels))
            for model in (learning.forest(seed, 1, 0.3), learning.ridge(RIDGE))
            if len(set(labels)) > 1
        ]
        self._only = labels[0]
        self._familiar = Familiarity(known)

    def diagnose(self, window: TelemetryWindow) -> Diagnosis:
        """The suspects of ``window`` and the first one's fault; no suspects without alerts."""
        return self.diagnose_all([window])[0]

    def diagnose_all(self, windows: Sequence[TelemetryWindow]) -> tuple[Diagnosis, ...]:
        """As ``diagnose``, for many at once: a forest answers a thousand rows as fast as one."""
        incidents = [lay_out(window) for window in windows]
        described = [describe(incident, self._rarity) for incident in incidents]
        filled = [i for i, incident in enumerate(incidents) if incident.places]
        found = [Diagnosis((), (), unknown=True, distance=math.inf) for _ in windows]
        if not filled:
            return tuple(found)
        odds = self._odds(
            [incidents[i] for i in filled], [row for i in filled for row in described[i]]
        )
        ends = np.cumsum([len(described[i]) for i in filled])
        suspects = [
            _ranked(incidents[i], own)
            for i, own in zip(filled, np.split(odds, ends[:-1]), strict=True)
        ]
        stories = self._story_columns.table(
            [
                _story(incidents[i], described[i], order[0][0])
                for i, order in zip(filled, suspects, strict=True)
            ]
        )
        distances = self._familiar.distance(stories)
        labels = self._labels(stories)
        for k, i in enumerate(filled):
            found[i] = Diagnosis(
                tuple((incidents[i].places[c].entity, share) for c, share in suspects[k]),
                labels[k],
                unknown=bool(distances[k] >= 1),
                distance=float(distances[k]),
            )
        return tuple(found)

    def _odds(self, incidents: Sequence[Incident], described: Sequence[Features]) -> FloatArray:
        """(rows,) log odds of being the culprit: the mean of the two forests' and the role's, and
        the role's alone for a candidate whose service never had a fault."""
        x = self._columns.table(described)
        guilty = log_odds(probability_of(self._culprit, self._with_identity(x, incidents), True))
        innocent = log_odds(probability_of(self._which, x, ""))
        odds: FloatArray = (guilty - innocent) / 2
        if self._roles is None:
            return odds
        role = self._roles.odds(_with_roles(incidents, described))
        strangers = self._strangers(incidents)
        ends = np.cumsum([len(one.places) for one in incidents])[:-1]
        prior = np.concatenate([newcomers_prior(own) for own in np.split(strangers, ends)])
        joined: FloatArray = np.where(strangers, role, (odds + role) / 2) + prior
        return joined

    def _strangers(self, incidents: Sequence[Incident]) -> BoolArray:
        """(rows,) whose service was at fault in no past incident."""
        services = _services(incidents)
        return np.array([name not in self._failed_before for name in services], dtype=np.bool_)

    def _with_identity(self, x: FloatArray, incidents: Sequence[Incident]) -> FloatArray:
        """(rows, columns + well-known services), 1 where the candidate is of that service."""
        services = np.array(_services(incidents), dtype=object)
        return np.column_stack([x, *(services == name for name in self._well_known)])

    def _labels(self, stories: FloatArray) -> list[tuple[tuple[str, float], ...]]:
        if not self._triagers:
            return [((self._only, 1.0),)] * len(stories)
        shares = np.mean([model.predict_proba(stories) for model in self._triagers], axis=0)
        names = [str(name) for name in self._triagers[0].classes_]
        return [
            tuple(sorted(zip(names, row, strict=True), key=lambda p: (-p[1], p[0])))
            for row in shares.tolist()
        ]


def _ranked(incident: Incident, odds: FloatArray) -> list[tuple[int, float]]:
    """(candidate, probability) over one incident, most likely first; ties by name."""
    weights = np.exp(odds - odds.max())
    likely = (weights / weights.sum()).tolist()
    order = sorted(range(len(likely)), key=lambda i: (-likely[i], incident.places[i].entity.name))
    return [(i, likely[i]) for i in order]


def _position(incident: Incident, culprit: Entity) -> int | None:
    key = (culprit.kind, culprit.name, culprit.namespace, culprit.cluster)
    for i, place in enumerate(incident.places):
        one = place.entity
        if (one.kind, one.name, one.namespace, one.cluster) == key:
            return i
    return None


def _services(incidents: Sequence[Incident]) -> list[str]:
    return [place.entity.service_name for one in incidents for place in one.places]


def _with_roles(incidents: Sequence[Incident], described: Sequence[Features]) -> list[Features]:
    roles = (row for incident in incidents for row in by_role(incident))
    return [{**row, **role} for row, role in zip(described, roles, strict=True)]


def _story(incident: Incident, described: Sequence[Features], culprit: int) -> Features:
    """What triage sees: the culprit's row, its log templates, and the incident as a whole."""
    return {**described[culprit], **_templates(incident.places[culprit]), **overview(incident)}


def _templates(place: Place) -> Features:
    return {f"template {template_of(a)}": 1.0 for a in place.own if a.modality == "log"}
