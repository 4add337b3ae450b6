"""What is learned from past incidents, and when something new is called unknown."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.analyze.alerts.coverage import coverage
from aiops.analyze.alerts.graph import lay_out
from aiops.analyze.alerts.learned import UNKNOWN, LearnedTriage, PastIncident
from aiops.analyze.alerts.roles import NEWCOMERS, newcomers_prior
from aiops.analyze.detect.triage import Familiarity, NearestFaults
from aiops.errors import InvalidInput
from aiops.model import AlertSignal, Call, Entity, ServiceGraph, TelemetryWindow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PODS = tuple(Entity("instance", f"s{i}-0", service=f"s{i}") for i in range(6))
GRAPH = ServiceGraph(PODS, tuple(Call(PODS[0], pod) for pod in PODS[1:]))
SIGNS = {
    "hog": (("cpu_usage", "up"), ("threads", "up")),
    "leak": (("mem_usage", "up"), ("fs_usage", "up")),
}


def incident(culprit: int, label: str, seed: int) -> PastIncident:
    """The culprit shows the signs of its fault; three others show something random."""
    rng = np.random.default_rng([seed, culprit])
    alerts = [AlertSignal("metric", PODS[culprit], name, way) for name, way in SIGNS[label]]
    noisy = rng.choice(len(PODS), 3, replace=False)
    alerts += [AlertSignal("metric", PODS[i], "net_receive", "up") for i in noisy]
    alerts += [AlertSignal("trace", PODS[i], "/x", "PD", PODS[0]) for i in noisy]
    window = TelemetryWindow(NOW, NOW, alerts=tuple(alerts), graph=GRAPH)
    return PastIncident(window, PODS[culprit], label)


PAST = [
    incident(culprit, label, seed)
    for seed in range(3)
    for label in SIGNS
    for culprit in range(len(PODS))
]


@pytest.fixture(scope="module")
def learned() -> LearnedTriage:
    return LearnedTriage(PAST, seed=0)


@pytest.mark.parametrize("label", list(SIGNS))
def test_it_names_the_culprit_and_the_fault_of_a_new_incident(
    learned: LearnedTriage, label: str
) -> None:
    found = learned.diagnose(incident(4, label, seed=99).window)
    assert found.suspects[0][0] == PODS[4]
    assert found.labels[0][0] == label
    assert sum(share for _, share in found.suspects) == pytest.approx(1)
    assert sum(share for _, share in found.labels) == pytest.approx(1)


def test_a_service_without_any_past_fault_is_still_found() -> None:
    seen = [one for one in PAST if one.culprit != PODS[3]]
    found = LearnedTriage(seen, seed=0).diagnose(incident(3, "hog", seed=7).window)
    assert found.suspects[0][0] == PODS[3]


def test_a_service_whose_neighbours_failed_before_it_is_judged_by_its_role() -> None:
    elsewhere = [one for one in PAST if one.culprit not in (PODS[3], PODS[4])]
    learned = LearnedTriage(elsewhere, seed=0)
    for culprit in (3, 4):
        for label in SIGNS:
            found = learned.diagnose(incident(culprit, label, seed=31).window)
            assert found.suspects[0][0] == PODS[culprit]


def test_a_system_where_a_single_service_ever_failed_can_still_be_learned_from() -> None:
    own = [one for one in PAST if one.culprit == PODS[2]]
    found = LearnedTriage(own, seed=0).diagnose(incident(2, "leak", seed=12).window)
    assert found.suspects[0][0] == PODS[2]


def test_newcomers_share_one_prior_however_many_they_are() -> None:
    few = newcomers_prior(np.array([True, False, False, False]))
    many = newcomers_prior(np.array([True, True, True, False]))
    assert few[0] > many[0]
    for prior in (few, many):
        odds = np.exp(prior)
        assert odds[prior != 0].sum() / odds.sum() == pytest.approx(NEWCOMERS)


def test_coverage_tells_where_alerting_calls_end() -> None:
    alerts = (
        AlertSignal("trace", PODS[1], "/x", "PD", PODS[0]),
        AlertSignal("trace", PODS[2], "/y", "PD", PODS[1]),
        AlertSignal("metric", PODS[2], "cpu_usage", "up"),
    )
    rows = coverage(lay_out(TelemetryWindow(NOW, NOW, alerts=alerts, graph=GRAPH)))
    assert rows[1]["cover slow"] == 1.0
    assert rows[1]["both ways slow"] == 1.0
    assert rows[1]["callees show cpu up"] == 1.0
    assert rows[2]["ends here slow"] == 0.5
    assert rows[1]["ends here slow"] == 0.0
    assert rows[4] == {}


def test_an_incident_like_the_past_ones_is_not_unknown(learned: LearnedTriage) -> None:
    assert learned.diagnose(PAST[0].window).label == PAST[0].label


def test_an_incident_like_nothing_before_is_unknown_and_keeps_its_nearest_label(
    learned: LearnedTriage,
) -> None:
    alerts = tuple(
        AlertSignal(kind, pod, name, "up", None)
        for pod in PODS
        for kind, name in (("metric", "cpu_usage"), ("metric", "mem_usage"), ("trace", "/x"))
    )
    found = learned.diagnose(TelemetryWindow(NOW, NOW, alerts=alerts, graph=GRAPH))
    assert found.unknown
    assert found.label == UNKNOWN
    assert found.labels[0][0] in SIGNS


def test_the_same_past_and_seed_give_the_same_diagnosis(learned: LearnedTriage) -> None:
    new = incident(2, "leak", seed=5).window
    assert LearnedTriage(PAST, seed=0).diagnose(new) == learned.diagnose(new)


def test_many_at_once_are_diagnosed_as_each_alone(learned: LearnedTriage) -> None:
    windows = [incident(i, "hog", seed=50 + i).window for i in range(4)]
    together, alone = learned.diagnose_all(windows), [learned.diagnose(w) for w in windows]
    for one, other in zip(together, alone, strict=True):
        assert one.suspects[0][0] == other.suspects[0][0]
        assert one.labels[0][0] == other.labels[0][0]
        assert one.labels[0][1] == pytest.approx(other.labels[0][1])


def test_an_empty_alert_list_is_unknown_and_accuses_nobody(learned: LearnedTriage) -> None:
    found = learned.diagnose(TelemetryWindow(NOW, NOW))
    assert found.suspects == ()
    assert found.label == UNKNOWN


def test_a_past_of_one_kind_of_fault_teaches_who_but_not_what() -> None:
    hogs = [one for one in PAST if one.label == "hog"]
    found = LearnedTriage(hogs, seed=0).diagnose(incident(1, "hog", seed=8).window)
    assert found.suspects[0][0] == PODS[1]
    assert found.labels == (("hog", 1.0),)


def test_a_past_without_usable_culprits_is_refused() -> None:
    stranger = Entity("instance", "nobody-0", service="nobody")
    past = [PastIncident(PAST[0].window, stranger, "hog")] * 3
    with pytest.raises(InvalidInput, match="0 past incidents name a culprit that alerted"):
        LearnedTriage(past)


def test_a_row_far_from_all_past_ones_is_unfamiliar() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 4))
    familiar = Familiarity(rows)
    assert (familiar.distance(rows) < 1e-6).all()
    assert familiar.distance(np.full((1, 4), 30.0))[0] > 1


def test_with_hardly_any_past_nothing_is_called_unfamiliar() -> None:
    assert Familiarity(np.eye(3)).distance(np.full((1, 3), 99.0))[0] == 0


def test_the_nearest_past_incidents_vote_for_the_fault() -> None:
    rng = np.random.default_rng(1)
    rows = np.vstack([rng.normal(0, 0.3, (20, 3)), rng.normal(5, 0.3, (20, 3))])
    past = NearestFaults(rows, ["low"] * 20 + ["high"] * 20)
    assert past.resemblance(np.array([4.9, 5.1, 5.0])).label == "high"
    assert past.resemblance(np.array([0.1, 0.0, -0.1])).label == "low"
    assert past.resemblance(np.array([-40.0, 40.0, 0.0])).label == "unknown"
