"""Confidences against what came true, and comparisons on shared cases."""

import numpy as np
import pytest

from aiops.model import Verdict
from aiops.model.telemetry import FloatArray
from aiops_evals.calibration import (
    BoolArray,
    Predictor,
    expected_calibration_error,
    leave_one_dataset_out,
)
from aiops_evals.compare import calibrations, comparisons
from aiops_evals.healthy import false_alarms
from aiops_evals.outcomes import Facts, Outcome


def outcome(
    case: str,
    method: str,
    rank: int | None,
    *,
    dataset: str = "s",
    confidence: float = 0.5,
    scores: tuple[float, ...] = (1.0,),
) -> Outcome:
    facts = Facts(dataset, case, "cpu", ("service",))
    return Outcome(
        facts, "clean", method, "ranked", {"service": rank}, "root_cause", confidence, scores
    )


def window(case: str, verdict: Verdict, *, dataset: str = "s") -> Outcome:
    return Outcome(Facts(dataset, case, healthy=True), "clean", "m", "ranked", {}, verdict)


def test_confidence_that_comes_true_as_often_as_it_says_has_no_error() -> None:
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0)


def test_sure_and_wrong_is_the_worst_error() -> None:
    assert expected_calibration_error([1.0, 1.0], [False, False]) == pytest.approx(1)


def test_bins_are_weighted_by_their_size() -> None:
    # Three answers at .9 of which none is right, one at .1 that is wrong too.
    error = expected_calibration_error([0.9, 0.9, 0.9, 0.1], [False] * 4)
    assert error == pytest.approx((3 * 0.9 + 0.1) / 4)


def test_errors_in_one_bin_cancel_and_in_two_do_not() -> None:
    assert expected_calibration_error([0.5, 0.5], [True, False]) == pytest.approx(0)
    assert expected_calibration_error([0.4, 0.6], [True, False]) == pytest.approx(0.6)


@pytest.mark.parametrize(("confidence", "correct"), [([], []), ([0.5], []), ([1.2], [True])])
def test_what_is_no_confidence_is_refused(confidence: list[float], correct: list[bool]) -> None:
    with pytest.raises(ValueError, match="confidence"):
        expected_calibration_error(confidence, correct)


def always_the_share(features: FloatArray, correct: BoolArray) -> Predictor:
    """A calibration that has only learnt how often it was right."""
    share = float(correct.mean())
    return lambda unseen: np.full(len(unseen), share)


def test_a_set_is_scored_by_a_calibration_that_never_saw_it() -> None:
    correct = np.array([True, True, False, False])
    held_out = leave_one_dataset_out(
        ["a", "a", "b", "b"], np.zeros((4, 1)), correct, always_the_share
    )
    assert held_out.tolist() == [0, 0, 1, 1]


def test_leaving_the_only_set_out_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        leave_one_dataset_out(["a"], np.zeros((1, 1)), np.array([True]), always_the_share)


def test_the_calibration_table_shows_the_error_with_each_set_left_out() -> None:
    outcomes = [outcome(str(i), "m", 1, dataset="a", confidence=0.9) for i in range(4)]
    outcomes += [outcome(str(i), "m", 2, dataset="b", confidence=0.9) for i in range(4)]
    (line,) = calibrations(outcomes, ["m"], always_the_share)
    assert line["n"] == 8
    assert line["ece"] == pytest.approx(0.4)
    assert line["ece_left_out"] == pytest.approx(1.0)


def test_a_method_that_states_no_confidence_is_not_calibrated() -> None:
    assert calibrations([outcome("1", "m", 1, confidence=0.0)], ["m"]) == []


def test_methods_are_compared_on_the_cases_they_share_pooled_and_per_set() -> None:
    outcomes = [outcome(str(i), "ours", 1, dataset="a") for i in range(7)]
    outcomes += [outcome(str(i), "baro", 2, dataset="a") for i in range(7)]
    outcomes += [outcome("x", "ours", None, dataset="b"), outcome("x", "baro", 1, dataset="b")]
    outcomes += [outcome("alone", "ours", 1, dataset="b")]
    pooled, per_set = comparisons(outcomes, ["ours", "baro"])
    assert (pooled["dataset"], pooled["n"]) == ("all", 8)
    assert (pooled["only_method"], pooled["only_baseline"]) == (7, 1)
    # Set b has one discordant pair: too few for a line of its own.
    assert (per_set["dataset"], per_set["n"], per_set["only_method"]) == ("a", 7, 7)
    assert per_set["p_value"] == pytest.approx(2 / 2**7)


def test_an_ablation_is_compared_with_the_whole_method() -> None:
    outcomes = [outcome("1", "ours", 1), outcome("1", "ours/no-graph", 2)]
    (line,) = comparisons(outcomes, ["ours", "ours/no-graph"])
    assert (line["method"], line["baseline"]) == ("ours", "ours/no-graph")


def test_an_ablation_is_not_compared_with_the_baselines() -> None:
    methods = ["ours", "baro", "ours/no-graph"]
    lines = comparisons([outcome("1", method, 1) for method in methods], methods)
    assert [(line["method"], line["baseline"]) for line in lines] == [
        ("ours", "baro"),
        ("ours", "ours/no-graph"),
    ]


def test_only_an_accusation_in_a_healthy_window_is_a_false_alarm() -> None:
    outcomes = [
        window("1", "root_cause"),
        window("2", "inconclusive"),
        window("3", "healthy"),
        window("4", "healthy", dataset="t"),
        outcome("5", "m", 1),
    ]
    lines = false_alarms(outcomes, ["m"])
    counts = {line["dataset"]: (line["n"], line["false_alarms"]) for line in lines}
    assert counts == {"s": (3, 1), "t": (1, 0), "all": (4, 1)}
    assert all(line["low"] <= line["rate"] <= line["high"] for line in lines)
