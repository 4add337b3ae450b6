"""A report as JSON: the design's keys in the design's order, no NaN, times ISO 8601 with Z."""

import json
import math
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from aiops.model import Window
from aiops.model.report import SCHEMA, Report, Timings


def dumps(report: Report) -> str:
    """The report as indented JSON text in ASCII, which every pipe can carry; ends in a newline."""
    return json.dumps(document(report), indent=2, allow_nan=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The report in JSON's own types (schema "aiops.report/1").

    Where the source has no wall clock, each time T also stands as T_s, in seconds from the start
    of the window.
    """
    start = report.subject.window.start if report.subject.relative else None
    return {"schema": SCHEMA, **_fields(report, start)}


def _fields(value: Any, start: datetime | None) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for field in fields(value):
        item = getattr(value, field.name)
        result[field.name] = _plain(item, start)
        if start is not None and isinstance(item, datetime):
            result[f"{field.name}_s"] = _seconds(item, start)
        elif start is not None and isinstance(item, Window):
            result[f"{field.name}_s"] = [_seconds(item.start, start), _seconds(item.end, start)]
    return result


def _plain(value: Any, start: datetime | None) -> Any:
    if isinstance(value, Window):
        return [_iso(value.start), _iso(value.end)]
    if isinstance(value, Timings):
        steps = {name: round(seconds, 4) for name, seconds in value.steps}
        return {"total_s": round(value.total_s, 4), "steps": steps}
    if is_dataclass(value):
        return _fields(value, start)
    if isinstance(value, tuple | list):
        return [_plain(item, start) for item in value]
    if isinstance(value, datetime):
        return _iso(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _iso(moment: datetime) -> str:
    spec = "milliseconds" if moment.microsecond else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")


def _seconds(moment: datetime, start: datetime) -> float:
    return (moment - start).total_seconds()
