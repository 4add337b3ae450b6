"""Reading fields of answers, which may lack any of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def text(found: Mapping[str, Any], key: str) -> str:
    """One line; "" where it is missing."""
    return " ".join(str(found.get(key) or "").split())


def moment(value: object) -> datetime | None:
    """``value`` in UTC, where it is a time."""
    return value.astimezone(UTC) if isinstance(value, datetime) else None


def last_part(arn: object) -> str:
    """What stands after the last slash of an ARN."""
    return str(arn or "").rpartition("/")[2]


def chunks(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    """``values`` in order, at most ``size`` at a time."""
    return [values[start : start + size] for start in range(0, len(values), size)]
