import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.analyze.onset import change_points
from aiops.analyze.stretches import stretches


def found(values: np.ndarray):
    return stretches(values, change_points(values)[0])


def test_a_stretch_unlike_the_rest_is_found_with_both_its_ends():
    values = np.random.default_rng(1).normal(size=(150, 5))
    values[60:120] += 20
    seen = found(values)
    assert (abs(seen.first - 60) <= 1).all()
    assert (abs(seen.end - 120) <= 1).all()
    assert (seen.share > 0.9).all()
    assert seen.returned.all()


def test_a_step_that_stays_has_not_returned():
    values = np.random.default_rng(2).normal(size=(150, 5))
    values[60:] += 20
    assert not found(values).returned.any()


def test_a_stretch_of_few_rows_has_not_lasted():
    values = np.zeros((150, 1))
    values[70:76] = 1.0
    assert not found(values).returned.any()


@given(
    arrays(
        np.float64, st.tuples(st.integers(2, 60), st.integers(1, 4)), elements=st.floats(-1e9, 1e9)
    )
)
def test_any_table_gives_stretches_inside_it(values):
    seen = found(values)
    assert ((seen.first >= 0) & (seen.end <= len(values)) & (seen.first <= seen.end)).all()
    assert ((seen.share >= 0) & (seen.share <= 1)).all()
