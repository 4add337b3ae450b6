"""A fit is judged on systems it never saw, whatever their sets are called."""

import numpy as np
import pytest

from aiops.model.telemetry import FloatArray
from aiops_evals.calibration import BoolArray, Predictor
from aiops_evals.left_out import systems_left_out
from aiops_evals.outcomes import Facts, Outcome


def outcome(case: str, rank: int, dataset: str, system: str) -> Outcome:
    facts = Facts(dataset, case, "cpu", ("service",), system=system)
    return Outcome(facts, "clean", "m", "ranked", {"service": rank}, "root_cause", 0.5, (2.0, 1.0))


def the_share(_scores: FloatArray, correct: BoolArray) -> Predictor:
    """Has only learnt how often it was right."""
    share = float(correct.mean())
    return lambda unseen: np.full(len(unseen), share)


def test_two_sets_of_one_system_are_left_out_together() -> None:
    outcomes = [outcome(str(i), 1, f"shop-{i % 2}", "shop") for i in range(4)]
    outcomes += [outcome(str(i), 2, "trains", "trains") for i in range(4)]
    everything, shop, trains = systems_left_out(outcomes, {"m": the_share})
    assert (everything["system"], everything["n"]) == ("all", 8)
    # Had either set of the shop stayed in, its share would not be that of the trains alone.
    assert (shop["system"], shop["n"], shop["ece_left_out"]) == ("shop", 4, pytest.approx(1))
    assert trains["ece_left_out"] == pytest.approx(1)
    assert shop["ece"] == pytest.approx(0.5)


def test_a_single_system_has_nothing_to_be_left_out_of() -> None:
    assert systems_left_out([outcome("1", 1, "shop", "shop")], {"m": the_share}) == []
