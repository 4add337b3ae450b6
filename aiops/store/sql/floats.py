"""Numbers as few bytes, bit for bit: the codec under blocks of samples and batches of rows.

Each row of a matrix is kept in the way that suits it, and all rows of one way are compressed
together (a call of the compressor costs as much as some thousand numbers):

- decimal: differences of whole numbers, where a shift of the decimal point makes all of a row
  whole (counters, bytes, milliseconds);
- bits: as they are, where values repeat (who scrapes faster than the source measures);
- planes: bytes of equal significance side by side, for what shares sign, exponent and first
  digits only.
"""

import struct
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

LEVEL = 1
"""Of zstd; 3 saves 1 % (docs/design/telemetry-in-chunks.md)."""
DECIMALS = 7
"""Shifts that are tried: whole numbers to microseconds."""
REPEATS = 0.5
"""Share of values equal to the one before from which a row is kept as bits."""
SHORT = 16
"""Numbers under which all are kept as bits: a better way is at most 60 bytes shorter, and looking
for it takes ten times as long (a batch of a service's spans often holds fewer)."""
_PROBE = 4  # values of a row that are tried before all of it: most show at once what they are
_EXACT = float(2**53)
_BITS, _PLANES, _DECIMAL = 0, 1, 2
_WIDTHS = (np.uint8, np.uint16, np.uint32, np.uint64)
_LIMITS = (0xFF, 0xFFFF, 0xFFFFFFFF)
_HEAD = struct.Struct("<II")
_Mask = npt.NDArray[np.bool_]
_Ways = npt.NDArray[np.uint8]


@cache
def _zstd() -> Any:
    import pyarrow as pa

    return pa.Codec("zstd", compression_level=LEVEL)


def squeeze(data: bytes) -> bytes:
    """``data`` compressed; what reads it must know its length."""
    packed: bytes = _zstd().compress(data, asbytes=True)
    return packed


def unsqueeze(data: bytes | memoryview, size: int) -> bytes:
    """What ``squeeze`` was given, ``size`` bytes of it."""
    plain: bytes = _zstd().decompress(data, size, asbytes=True)
    return plain


def pack(matrix: FloatArray) -> bytes:
    """(m, n) floats of any kind; every bit is kept, that of NaN too."""
    rows, count = matrix.shape
    if not rows or not count:
        return _HEAD.pack(rows, count)
    matrix = np.ascontiguousarray(matrix, dtype=np.float64)
    if matrix.size < SHORT:
        bits = squeeze(matrix.tobytes())
        sizes = np.array([len(bits)] + [0] * (1 + len(_WIDTHS)), dtype="<u4")
        return b"".join([_HEAD.pack(rows, count), bytes([_BITS] * rows), sizes.tobytes(), bits])
    whole, ways = _decimals(matrix)
    repeats = (matrix[:, 1:] == matrix[:, :-1]).mean(axis=1) if count > 1 else np.zeros(rows)
    ways[(ways == _PLANES) & (repeats >= REPEATS)] = _BITS
    steps = np.diff(whole, axis=1)
    coded = ((steps << 1) ^ (steps >> 63)).view(np.uint64)
    largest = coded.max(axis=1, initial=0)
    decimal = ways >= _DECIMAL
    for limit in _LIMITS:
        ways[decimal & (largest > limit)] += 1
    streams = [
        matrix[ways == _BITS].tobytes(),
        matrix[ways == _PLANES].view(np.uint8).reshape(-1, 8).T.tobytes(),
        *(coded[rows].astype(kind).tobytes() for kind, rows in _by_width(ways)),
    ]
    packed = [squeeze(stream) if stream else b"" for stream in streams]
    sizes = np.array([len(stream) for stream in packed], dtype="<u4")
    return b"".join(
        [
            _HEAD.pack(rows, count),
            ways.tobytes(),
            sizes.tobytes(),
            whole[decimal, 0].astype("<i8").tobytes(),
            *packed,
        ]
    )


def unpack(data: bytes | memoryview) -> FloatArray:
    """The (m, n) floats that were packed."""
    rows, count = _HEAD.unpack_from(data)
    matrix = np.empty((rows, count))
    if not matrix.size:
        return matrix
    ways = np.frombuffer(data, dtype=np.uint8, count=rows, offset=_HEAD.size)
    at = _HEAD.size + rows
    sizes = np.frombuffer(data, dtype="<u4", count=2 + len(_WIDTHS), offset=at).tolist()
    at += 4 * len(sizes)
    decimal = ways >= _DECIMAL
    whole = np.empty((rows, count), dtype=np.int64) if decimal.any() else None
    if whole is not None:
        firsts = np.frombuffer(data, dtype="<i8", count=int(decimal.sum()), offset=at)
        whole[decimal, 0] = firsts
        at += firsts.nbytes
    view = memoryview(data)
    streams = []
    for size in sizes:
        streams.append(view[at : at + size])
        at += size
    for way, stream in ((_BITS, streams[0]), (_PLANES, streams[1])):
        own = ways == way
        if stream:
            matrix[own] = _plain(stream, way, int(own.sum()), count)
    if whole is not None:
        for (kind, own), stream in zip(_by_width(ways), streams[2:], strict=True):
            if stream:
                whole[own, 1:] = _steps(stream, kind, int(own.sum()), count - 1)
        scales = 10.0 ** ((ways[decimal] - _DECIMAL) // len(_WIDTHS))
        matrix[decimal] = np.cumsum(whole[decimal], axis=1) / scales[:, None]
    return matrix


def pack_row(values: FloatArray) -> bytes:
    """(n,) floats."""
    return pack(values.reshape(1, -1))


def unpack_row(data: bytes | memoryview) -> FloatArray:
    """The (n,) floats that were packed."""
    return unpack(data).reshape(-1)


def _plain(stream: memoryview, way: int, rows: int, count: int) -> FloatArray:
    plain = unsqueeze(stream, 8 * rows * count)
    if way == _BITS:
        return np.frombuffer(plain).reshape(rows, count)
    planes = np.frombuffer(plain, dtype=np.uint8).reshape(8, -1)
    return np.ascontiguousarray(planes.T).view(np.float64).reshape(rows, count)


def _steps(stream: memoryview, kind: type[Any], rows: int, count: int) -> npt.NDArray[np.int64]:
    plain = unsqueeze(stream, kind().itemsize * rows * count)
    coded = np.frombuffer(plain, dtype=kind).reshape(rows, count).astype(np.uint64)
    return (coded >> np.uint64(1)).view(np.int64) ^ -((coded & np.uint64(1)).view(np.int64))


def _by_width(ways: _Ways) -> list[tuple[type[Any], _Mask]]:
    """Which decimal rows have steps of each width."""
    width = (ways.astype(np.int16) - _DECIMAL) % len(_WIDTHS)
    decimal = ways >= _DECIMAL
    return [(kind, decimal & (width == i)) for i, kind in enumerate(_WIDTHS)]


def _decimals(matrix: FloatArray) -> tuple[npt.NDArray[np.int64], _Ways]:
    """The rows as whole numbers, and the way of each: decimal by its digits, else planes."""
    whole = np.zeros(matrix.shape, dtype=np.int64)
    ways = np.full(len(matrix), _PLANES, dtype=np.uint8)
    for digits in range(DECIMALS):
        open_ = np.flatnonzero(ways == _PLANES)
        open_ = open_[_are_whole(matrix[open_, :_PROBE], digits)]
        open_ = open_[_are_whole(matrix[open_], digits)]
        if len(open_):
            whole[open_] = np.rint(matrix[open_] * 10.0**digits).astype(np.int64)
            ways[open_] = _DECIMAL + digits * len(_WIDTHS)
    return whole, ways


def _are_whole(matrix: FloatArray, digits: int) -> _Mask:
    """(m,) whether a row comes back bit for bit from whole numbers with so many decimals."""
    scale = 10.0**digits
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = matrix * scale
        small = (np.abs(shifted) < _EXACT).all(axis=1)  # False for NaN too
        back = np.rint(shifted) / scale + 0.0  # minus zero is no whole number
    same = back.view(np.uint64) == np.ascontiguousarray(matrix).view(np.uint64)
    return np.asarray(small & same.all(axis=1))
