"""Packed numbers, texts and samples come back bit for bit."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.store.sql import blocks, floats, texts
from aiops.store.sql.blocks import SLOT_S, WIDTH, Block

Floats = npt.NDArray[np.float64]
SLOT, NUMBER = 7, 3
START = float(SLOT * SLOT_S)


def bits(values: Floats) -> bytes:
    return np.ascontiguousarray(values, dtype=np.float64).tobytes()


def matrices(cells: st.SearchStrategy[float]) -> st.SearchStrategy[Floats]:
    return st.tuples(st.integers(1, 5), st.integers(1, 9)).flatmap(
        lambda shape: st.lists(
            cells, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
        ).map(lambda some: np.array(some, dtype=np.float64).reshape(shape))
    )


numbers = st.one_of(
    st.floats(width=64),
    st.integers(-(2**60), 2**60).map(float),
    st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 7)).map(lambda p: p[0] / 10 ** p[1]),
    st.sampled_from([0.0, -0.0, 0.1 + 0.2, 2.0**53, 1e300, 5e-324]),
)


@given(matrices(numbers))
def test_every_bit_of_a_number_is_kept(matrix: Floats) -> None:
    assert bits(floats.unpack(floats.pack(matrix))) == bits(matrix)


@given(st.integers(0, 6), st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60))
def test_decimals_are_kept(digits: int, whole: list[int]) -> None:
    row = np.array(whole, dtype=np.float64) / 10**digits
    assert bits(floats.unpack_row(floats.pack_row(row))) == bits(row)


def test_a_matrix_without_numbers_keeps_its_shape() -> None:
    for shape in ((0, 0), (3, 0), (0, 4)):
        assert floats.unpack(floats.pack(np.empty(shape))).shape == shape


def test_what_repeats_counts_or_has_few_digits_takes_little_room() -> None:
    rng = np.random.default_rng(0)
    shape = (WIDTH, SLOT_S)
    repeated = np.repeat(rng.normal(size=(WIDTH, SLOT_S // 5)), 5, axis=1)
    counters = np.cumsum(rng.integers(0, 100, shape), axis=1).astype(np.float64)
    percents = np.round(rng.uniform(0, 100, shape), 2)
    noise = rng.normal(50, 1, shape)
    for matrix, most in ((repeated, 1.7), (counters, 1.0), (percents, 2.0), (noise, 6.6)):
        assert len(floats.pack(matrix)) / matrix.size < most


def test_each_row_is_kept_in_the_way_that_suits_it() -> None:
    rng = np.random.default_rng(0)
    counters = np.cumsum(rng.integers(0, 100, (16, SLOT_S)), axis=1).astype(np.float64)
    noise = rng.normal(50, 1, (16, SLOT_S))
    apart = len(floats.pack(counters)) + len(floats.pack(noise))
    mixed = np.empty((32, SLOT_S))
    mixed[::2], mixed[1::2] = counters, noise
    assert len(floats.pack(mixed)) < 1.02 * apart


def block(times: Floats, values: Floats) -> Block | None:
    return blocks.cut(np.arange(len(values)) * 2 + WIDTH * NUMBER, times, values)


cells = st.sampled_from([1.5, 2.0, float("nan"), float("nan"), float("inf"), -0.0])
ragged = st.lists(
    st.floats(0, SLOT_S, exclude_max=True), unique=True, min_size=1, max_size=9
).flatmap(
    lambda offsets: st.tuples(
        st.just(np.unique(START + np.array(offsets))),
        st.lists(st.lists(cells, min_size=9, max_size=9), min_size=1, max_size=4),
    )
)


def samples(found: Block) -> dict[tuple[int, float], bytes]:
    return {
        (int(series), float(time)): bits(found.values[row, column])
        for row, series in enumerate(found.series)
        for column, time in enumerate(found.times)
        if not np.isnan(found.values[row, column])
    }


@given(ragged)
def test_a_block_keeps_all_samples_and_drops_only_gaps(
    given: tuple[Floats, list[list[float]]],
) -> None:
    times, rows = given
    values = np.array(rows)[:, : len(times)]
    cut = block(times, values)
    if np.isnan(values).all():
        assert cut is None
        return
    assert cut is not None
    read = blocks.decode(SLOT, NUMBER, blocks.encode(SLOT, cut))
    assert samples(read) == samples(cut)
    assert len(samples(read)) == int((~np.isnan(values)).sum())
    assert read.joined(cut).same(read)


@given(ragged, ragged)
def test_of_two_blocks_joined_the_first_sample_of_a_time_stays(
    first: tuple[Floats, list[list[float]]], second: tuple[Floats, list[list[float]]]
) -> None:
    made = [block(times, np.array(rows)[:, : len(times)]) for times, rows in (first, second)]
    if made[0] is None or made[1] is None:
        return
    assert samples(made[0].joined(made[1])) == samples(made[1]) | samples(made[0])


@pytest.mark.parametrize("step", [1.0, 15.0, 60.0], ids=str)
def test_a_regular_clock_takes_no_room_of_its_own(step: float) -> None:
    times = START + np.arange(0, SLOT_S, step)
    cut = block(times, np.ones((1, len(times))))
    assert cut is not None
    encoded = blocks.encode(SLOT, cut)
    assert len(encoded) < 90
    assert bits(blocks.decode(SLOT, NUMBER, encoded).times) == bits(times)


@given(st.lists(st.text(st.characters(), max_size=8), max_size=30))
def test_texts_come_back_in_order_whatever_they_hold(some: list[str]) -> None:
    assert list(texts.unpack(texts.pack(some))) == some


def test_texts_with_undecodable_bytes_come_back() -> None:
    some = [b"caf\xe9".decode("utf-8", "surrogateescape"), "\x00", "", "🦊", "\ud83e\udd8a"]
    assert list(texts.unpack(texts.pack(some))) == some


def test_repeated_texts_take_little_room() -> None:
    assert len(texts.pack([f"GET /orders/{i % 7} answered" for i in range(5000)])) < 400
