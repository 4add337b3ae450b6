"""Whether a confidence of 0.8 is right eight times in ten."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

BoolArray = npt.NDArray[np.bool_]
Predictor = Callable[[FloatArray], FloatArray]


def expected_calibration_error(
    confidence: npt.ArrayLike, correct: npt.ArrayLike, bins: int = 10
) -> float:
    """Mean distance between confidence and accuracy over equal-width bins, weighted by their size.

    Naeini, Cooper and Hauskrecht 2015 (AAAI), section "Calibration metrics".

    Args:
        confidence: (n,) in [0, 1].
        correct: (n,) whether the answer was right.

    Raises:
        ValueError: lengths differ, there is nothing to count, or a confidence is outside [0, 1].
    """
    stated = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if stated.shape != right.shape or stated.size == 0:
        raise ValueError(f"{stated.size} confidences for {right.size} answers")
    if not np.all((stated >= 0) & (stated <= 1)):
        raise ValueError("a confidence is outside 0 to 1")
    # The last bin is closed above: a confidence of 1 belongs to it.
    bin_of = np.minimum((stated * bins).astype(np.intp), bins - 1)
    gap = np.bincount(bin_of, weights=stated - right, minlength=bins)
    return float(np.abs(gap).sum() / stated.size)


def leave_one_dataset_out(
    datasets: Sequence[str],
    features: FloatArray,
    correct: BoolArray,
    fit: Callable[[FloatArray, BoolArray], Predictor],
) -> FloatArray:
    """Each case's confidence from a calibration that never saw its data set.

    Args:
        datasets: (n,) the set of each case.
        features: (n, k) what the calibration reads of a case, such as its leading scores.
        correct: (n,) whether rank 1 was right.
        fit: learns from (features, correct) and returns features -> (m,) confidences.

    Returns:
        (n,) held-out confidences, in the order given.

    Raises:
        ValueError: there are fewer than two data sets.
    """
    set_of = np.asarray(datasets)
    names = sorted(set(datasets))
    if len(names) < 2:
        raise ValueError("leaving one data set out needs at least two")
    held_out = np.empty(len(set_of), dtype=np.float64)
    for name in names:
        out = set_of == name
        held_out[out] = fit(features[~out], correct[~out])(features[out])
    return held_out
