"""Confidence follows the lead of the first; quiet telemetry accuses nobody."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.analyze.confidence import (
    ANOMALY,
    DEFAULT,
    QUIET,
    Calibration,
    features,
    fit,
    verdict,
)

DESCENDING = arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 60)).map(
    lambda scores: np.sort(scores)[::-1]
)


@given(DESCENDING)
def test_probabilities_lie_between_0_and_1_descend_and_sum_to_at_most_1(scores):
    probabilities = DEFAULT.of(scores)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (np.diff(probabilities) <= 1e-12).all()
    assert probabilities.sum() <= 1 + 1e-9


def test_a_larger_lead_means_more_confidence():
    leads = [DEFAULT.first(np.array([5.0, second])) for second in (5, 4, 2, 0)]
    assert leads == sorted(leads)
    assert leads[-1] > 0.9 > 0.5 > leads[0]


def test_one_service_alone_leads_by_its_whole_score():
    assert DEFAULT.of(np.array([3.0])).tolist() == [DEFAULT.first(np.array([3.0, 0.0]))]


def test_no_services_have_no_probabilities_and_scores_of_zero_give_no_confidence():
    assert DEFAULT.of(np.zeros(0)).shape == (0,)
    assert DEFAULT.of(np.zeros(3)).max() < 0.5


def test_features_are_one_the_relative_and_the_absolute_lead():
    assert features(np.array([[4.0, 1.0], [0.0, 0.0]])).tolist() == [[1, 0.75, 3], [1, 0, 0]]
    assert features(np.array([[4.0]])).tolist() == [[1, 1, 4]]


def test_a_fit_recovers_the_curve_the_answers_were_drawn_from():
    rng = np.random.default_rng(0)
    scores = np.sort(rng.uniform(0, 6, size=(4000, 2)))[:, ::-1]
    truth = Calibration(-1.0, 1.0, 0.8)
    chance = np.array([truth.first(row) for row in scores])
    fitted = fit(scores, rng.random(4000) < chance)
    told = np.array([fitted.first(row) for row in scores])
    assert np.abs(told - chance).mean() < 0.02


@pytest.mark.parametrize("right", [True, False])
def test_answers_that_were_all_right_or_all_wrong_still_fit(right):
    scores = np.sort(np.random.default_rng(1).uniform(0, 6, size=(50, 2)))[:, ::-1]
    told = fit(scores, np.full(50, right)).first(scores[0])
    assert (told > 0.9) if right else (told < 0.1)


def test_the_verdict_needs_four_usual_variations_and_nothing_below_two_is_worth_a_word():
    assert verdict(ANOMALY) == "root_cause"
    assert verdict(np.nextafter(ANOMALY, 0)) == "inconclusive"
    assert verdict(QUIET) == "inconclusive"
    assert verdict(np.nextafter(QUIET, 0)) == "healthy"
    assert verdict(0.0) == "healthy"
    by_variations = [verdict(np.log1p(moved)) for moved in (1, 1.9, 2.1, 3.9, 4.1, 1e6)]
    assert by_variations == ["healthy"] * 2 + ["inconclusive"] * 2 + ["root_cause"] * 2
