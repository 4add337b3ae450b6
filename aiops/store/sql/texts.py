"""Columns of text as few bytes: each text once, then which one stands where."""

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import IntArray
from aiops.store.sql.floats import squeeze, unsqueeze

Texts = npt.NDArray[np.object_]
_HEAD = struct.Struct("<III")
_CODES = (np.uint8, np.uint16, np.uint32)
# Lone surrogates stand for bytes that were no UTF-8; they go in and out as they are.
_SURROGATES = "surrogatepass"


def pack(texts: Sequence[str]) -> bytes:
    """(n,) texts of any content; no bytes for no texts."""
    if not len(texts):
        return b""
    code = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    lengths = np.fromiter(map(len, code), dtype="<u4", count=len(code))
    parts = [lengths.tobytes(), "".join(code).encode("utf-8", _SURROGATES)]
    if 1 < len(code) < len(texts):
        codes = np.fromiter(map(code.__getitem__, texts), dtype="<u4", count=len(texts))
        parts.append(codes.astype(_narrowest(len(code))).tobytes())
    plain = b"".join(parts)
    return _HEAD.pack(len(texts), len(code), len(plain)) + squeeze(plain)


def unpack(packed: bytes) -> Texts:
    """The (n,) texts that were packed."""
    texts, codes = unpack_coded(packed)
    distinct = column(texts)
    return distinct if len(distinct) == len(codes) else distinct[codes]


def unpack_coded(packed: bytes) -> tuple[list[str], IntArray]:
    """The distinct texts in order of appearance, and (n,) which of them stands where."""
    if not packed:
        return [], np.empty(0, dtype=np.int32)
    count, distinct, size = _HEAD.unpack_from(packed)
    plain = unsqueeze(memoryview(packed)[_HEAD.size :], size)
    ends = np.cumsum(np.frombuffer(plain, dtype="<u4", count=distinct)).tolist()
    kind = _narrowest(distinct)
    coded = kind().itemsize * count if 1 < distinct < count else 0
    joined = plain[4 * distinct : size - coded].decode("utf-8", _SURROGATES)
    texts = [joined[low:high] for low, high in zip([0, *ends], ends, strict=False)]
    if coded:
        codes = np.frombuffer(plain, dtype=kind, count=count, offset=size - coded)
        return texts, codes.astype(np.int32)
    return texts, np.arange(count, dtype=np.int32) if distinct > 1 else np.zeros(count, np.int32)


def column(texts: Sequence[str]) -> Texts:
    """Texts as (n,) objects."""
    made = np.empty(len(texts), dtype=np.object_)
    made[:] = texts
    return made


def _narrowest(distinct: int) -> type[np.uint8] | type[np.uint16] | type[np.uint32]:
    return next(kind for kind in _CODES if distinct - 1 <= np.iinfo(kind).max)
