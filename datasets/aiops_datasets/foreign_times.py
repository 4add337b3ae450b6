"""Times as people and tools write them, told from a whole column at once."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime

import numpy as np

from aiops.model.telemetry import FloatArray
from aiops_datasets import clock
from aiops_datasets.clock import Clock

_ZONE = re.compile(r"\s*([+-]\d{2}:?\d{2})?\s*(UTC|GMT|Z)?$")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S.%f %p")
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %b %Y", "%d %B %Y", "%d/%m/%y", "%d.%m.%y")
_MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%b %d, %Y", "%b %d %Y", "%B %d, %Y", "%m/%d/%y")
_OTHERS = ("%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d")
_LOGS = ("%d/%b/%Y:%H:%M:%S %z", "%a %b %d %H:%M:%S %Y", "%Y%m%d%H%M%S", "%Y%m%d %H:%M:%S")

Reader = Callable[[str], float]


def read_times(cells: Sequence[str], name: str) -> tuple[FloatArray, Clock, str]:
    """(n,) unix seconds, or relative ones, of a column called ``name``, and what to say of them.

    Where day and month could be either, the reading in which the column spans less time counts.

    Raises:
        ValueError: with the first cell that is no time, where no form fits the column.
    """
    try:
        counts = np.array([float(cell) for cell in cells])
    except ValueError:
        return _dates(cells, name)
    if not np.isfinite(counts).all():
        raise ValueError(cells[int(np.argmin(np.isfinite(counts)))])
    rhythm = clock.detect(float(np.median(counts)) if len(counts) else 0.0)
    return counts * rhythm.scale, rhythm, rhythm.sentence(name)


def is_time(cell: str) -> bool:
    """Whether ``cell`` alone is a date with a time, or counts since 1970."""
    try:
        _, rhythm, _ = read_times([cell], "")
    except ValueError:
        return False
    return not rhythm.relative


def reader_of(cells: Sequence[str]) -> Reader:
    """How the dates of a column are read whose first cells are ``cells``, at least one.

    Raises:
        ValueError: with the first cell that is no time, where no form fits them all.
    """
    return _fitting(cells)[0]


def _dates(cells: Sequence[str], name: str) -> tuple[FloatArray, Clock, str]:
    _, times, how = _fitting(cells)
    if how is None:
        return times, clock.ISO, clock.ISO.sentence(name)
    return times, clock.ISO, f"time column {name!r} holds dates, read {how}"


def _fitting(cells: Sequence[str]) -> tuple[Reader, FloatArray, str | None]:
    """The form that fits all ``cells``, what it makes of them, and its name where it has one."""
    iso = _all(_iso, cells)
    if iso is not None:
        return _iso, iso, None
    found: list[tuple[float, int, Reader, FloatArray, str]] = []
    for order, (forms, how) in enumerate(
        ((_OTHERS, "year first"), (_DAY_FIRST, "day first"), (_MONTH_FIRST, "month first"))
    ):
        fit = _first_fitting([_strict(f"{day} {at}") for day in forms for at in _CLOCKS], cells)
        if fit is not None:
            found.append((float(np.ptp(fit[1])), order, *fit, f"{how} and as UTC"))
    if found:
        _, _, read, times, how = min(found, key=lambda one: one[:2])
        return read, times, how
    fit = _first_fitting([*map(_strict, _LOGS), _mailed], cells)
    if fit is not None:
        return *fit, "with their zones, or as UTC"
    raise ValueError(next((cell for cell in cells if _all(_iso, [cell]) is None), cells[0]))


def _first_fitting(
    readers: Sequence[Reader], cells: Sequence[str]
) -> tuple[Reader, FloatArray] | None:
    for read in readers:
        if _all(read, cells[:1]) is not None:
            times = _all(read, cells)
            if times is not None:
                return read, times
    return None


def _all(read: Reader, cells: Sequence[str]) -> FloatArray | None:
    """(n,) times, or None where one cell does not fit."""
    try:
        return np.array([read(cell.strip()) for cell in cells])
    except (ValueError, TypeError, OverflowError):
        return None


def _strict(form: str) -> Reader:
    def read(cell: str) -> float:
        zone = None if "%z" in form else _ZONE.search(cell)
        if zone is None:
            return datetime.strptime(cell, form).timestamp()  # noqa: DTZ007 - the form has %z
        shift = zone[1] or "+0000"
        return datetime.strptime(f"{cell[: zone.start()]} {shift}", f"{form} %z").timestamp()

    return read


def _mailed(cell: str) -> float:
    return parsedate_to_datetime(cell).timestamp()


def _iso(cell: str) -> float:
    """ISO 8601, with a comma before the fraction, "+0000 UTC" or "UTC" behind, as Go writes it."""
    zone = _ZONE.search(cell)
    if zone is None or not zone[0].strip():
        return clock.parse_iso(cell)
    return clock.parse_iso(f"{cell[: zone.start()]}{zone[1] or 'Z'}")
