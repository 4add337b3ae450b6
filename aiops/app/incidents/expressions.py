"""Regular expressions that people give, over values that anybody sends: in linear time.

Matched by RE2, the engine of Alertmanager and Prometheus, so that an expression means the same
here: no backtracking that a value could make last for ever, and so no lookaround and no
backreference.
"""

from functools import lru_cache
from typing import Final

_REMEMBERED: Final = 10_000
"""Answers kept: in a storm most values come again and again."""


def fault_of(expression: str) -> str | None:
    """Why an expression cannot be used, in words; None where it can."""
    import pyarrow as pa

    try:
        matches(expression, "")
    except pa.ArrowInvalid as error:
        return str(error).removeprefix("Invalid regular expression: ")
    return None


@lru_cache(_REMEMBERED)
def matches(expression: str, value: str) -> bool:
    """Whether the whole of ``value`` matches; "." is any character, a line break included.

    The expression must be one without fault.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.match_substring_regex(
        pa.scalar(_encodable(value)), pattern=rf"(?s)\A(?:{_encodable(expression)})\z"
    )
    return bool(found.as_py())


def _encodable(text: str) -> str:
    """Half a surrogate pair is no character: none matches it, but one that takes any."""
    return text.encode("utf-8", "replace").decode("utf-8")
