"""A checksum of a case: two have the same where no analyzer could tell them apart."""

import hashlib
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from aiops.model.case import CaseData


def fingerprint(case: CaseData) -> str:
    """sha256 over all that was recorded, 64 hex digits."""
    digest = hashlib.sha256()
    for part in _parts(case):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterable[bytes]:
    """``value`` in pieces, each said with its length, so that no two values have the same."""
    if isinstance(value, Enum):
        yield from _parts(value.value)
    elif is_dataclass(value) and not isinstance(value, type):
        yield type(value).__name__.encode()
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, np.ndarray) and value.dtype == object:
        # One text for all: there may be a million of them.
        yield repr(value.tolist()).encode("utf-8", "surrogatepass")
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, tuple | list):
        yield f"{type(value).__name__} {len(value)}".encode()
        for item in value:
            yield from _parts(item)
    else:
        yield f"{type(value).__name__} {value!r}".encode("utf-8", "surrogatepass")
