"""A block: the samples of neighbouring series in one slot of time, packed on their common clock."""

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray
from aiops.store.sql import floats

SLOT_S = 300
"""Seconds of a slot."""
WIDTH = 32
"""Series of a block, by their numbers: 0 to 31, 32 to 63, ... Both sizes are measured in
docs/design/telemetry-in-chunks.md."""
_HEAD = struct.Struct("<BBH")
_SECONDS, _ANY = 0, 1
_ALL, _SOME = 0, 1

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Samples of some of the series of one block.

    Attributes:
        series: (m,) their numbers, ascending.
        times: (n,) unix seconds within the slot, strictly ascending; each has a sample.
        values: (m, n), NaN where a series has no sample.
    """

    series: Numbers
    times: FloatArray
    values: FloatArray

    def same(self, other: "Block") -> bool:
        """Whether both hold the same samples, bit for bit."""
        return (
            np.array_equal(self.series, other.series)
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.values.view(np.uint64), other.values.view(np.uint64))
        )

    def joined(self, later: "Block") -> "Block":
        """With the samples of ``later`` where there are none yet."""
        if self.same(later):
            return self
        series = np.union1d(self.series, later.series)
        times = np.union1d(self.times, later.times)
        values = np.full((len(series), len(times)), np.nan)
        for one in (later, self):
            rows = np.searchsorted(series, one.series)
            columns = np.searchsorted(times, one.times)
            place = np.ix_(rows, columns)
            values[place] = np.where(np.isnan(one.values), values[place], one.values)
        return Block(series, times, values)


def slots(low: float, high: float) -> tuple[int, int]:
    """The first and the last slot with a time in low <= time < high."""
    return int(low // SLOT_S), int(np.nextafter(high, -np.inf) // SLOT_S)


def cut(series: Numbers, times: FloatArray, values: FloatArray) -> Block | None:
    """A block of (m, n) values without the series and times that have no sample; None if empty."""
    gaps = np.isnan(values)
    if gaps.any():
        some = ~gaps.all(axis=1)
        at = ~gaps.all(axis=0)
        series, times, values = series[some], times[at], values[np.ix_(some, at)]
        if not values.size:
            return None
        values[np.isnan(values)] = np.nan  # one NaN is as good as another
    return Block(series, times, values) if values.size else None


def encode(slot: int, block: Block) -> bytes:
    """The bytes of a block; its numbers are kept relative to the block they belong to."""
    gaps = np.isnan(block.values)
    values, present = block.values, b""
    if gaps.any():
        values = _carried(values, gaps)
        present = floats.squeeze(np.packbits(~gaps).tobytes())
    clock = _clock(slot, block.times)
    return b"".join(
        [
            _HEAD.pack(_SOME if present else _ALL, len(block.series), len(clock)),
            (block.series % WIDTH).astype(np.uint8).tobytes(),
            clock,
            struct.pack("<I", len(present)),
            present,
            floats.pack(values),
        ]
    )


def decode(slot: int, number: int, data: bytes) -> Block:
    """Block ``number`` of a slot from its bytes."""
    view = memoryview(data)
    kind, rows, size = _HEAD.unpack_from(view)
    at = _HEAD.size
    series = np.frombuffer(view, dtype=np.uint8, count=rows, offset=at) + np.int64(WIDTH * number)
    at += rows
    times = _times(slot, view[at : at + size].tobytes())
    at += size
    (gaps,) = struct.unpack_from("<I", view, at)
    at += 4
    values = floats.unpack(view[at + gaps :])
    if kind == _SOME:
        bits = floats.unsqueeze(view[at : at + gaps], (values.size + 7) // 8)
        present = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=values.size)
        values[present.reshape(values.shape) == 0] = np.nan
    return Block(series, times, values)


def _carried(values: FloatArray, gaps: npt.NDArray[np.bool_]) -> FloatArray:
    """With each gap as the sample before it (0 before the first), which costs no room."""
    last = np.maximum.accumulate(np.where(gaps, -1, np.arange(values.shape[1])), axis=1)
    carried = np.take_along_axis(values, np.maximum(last, 0), axis=1)
    carried[last < 0] = 0.0
    return carried


def _clock(slot: int, times: FloatArray) -> bytes:
    """Regular whole seconds as offset, step and count; anything else number by number."""
    offset = times[0] - slot * SLOT_S
    step = times[1] - times[0] if len(times) > 1 else 1.0
    if (
        float(offset).is_integer()
        and float(step).is_integer()
        and 0 <= offset < SLOT_S
        and step <= SLOT_S
        and np.array_equal(times[0] + step * np.arange(len(times)), times)
    ):
        return struct.pack("<BHHH", _SECONDS, int(offset), int(step), len(times))
    return bytes([_ANY]) + floats.pack_row(times)


@lru_cache(maxsize=256)
def _times(slot: int, clock: bytes) -> FloatArray:
    """Blocks of one clock share their times: who joins many compares them by identity."""
    if clock[0] == _ANY:
        times = floats.unpack_row(clock[1:])
    else:
        _, offset, step, count = struct.unpack("<BHHH", clock)
        times = slot * SLOT_S + offset + step * np.arange(count, dtype=np.float64)
    times.flags.writeable = False
    return times
