"""How long to wait before the same request is sent again."""

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 8.0


def pause_before(attempt: int, told: float | None, chance: random.Random) -> float:
    """Seconds before the next request: what we were told, else full jitter.

    Full jitter after Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.

    Args:
        attempt: requests that failed so far, from 1.
        told: by Retry-After.
    """
    if told is not None:
        return told
    return chance.uniform(0, min(LONGEST_S, FIRST_S * 2 ** (attempt - 1)))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, of a number or a date (RFC 9110, section 10.2.3); None where nothing is said."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str) -> float | None:
    try:
        at = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
