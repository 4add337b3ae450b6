"""Bytes of a request as JSON values, or the reason and the place why not.

Stricter than ``json.loads`` where leniency would cost a guess later: UTF-8 only (RFC 8259, section
8.1), finite numbers, no name twice in an object, bounded depth. Characters that no database keeps
(NUL, half a surrogate pair) become U+FFFD.
"""

import json
import math
import re
from collections import Counter
from typing import Any

from aiops.errors import BadPayload

MOST_DEPTH = 32
"""Levels of nesting; monitoring systems send fewer than ten."""
MOST_DIGITS = 40
"""Digits of an integer; a count of nanoseconds has 19."""

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_FORM = re.compile(r"[a-z0-9_.\[\]-]{1,60}=(?!=)")
_ESCAPED_UNKEEPABLE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")


def decode(body: bytes) -> object:
    """The JSON value of ``body``.

    Raises:
        BadPayload: it is not UTF-8, not JSON, or JSON that cannot be kept.
    """
    text = _text(body)
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_finite,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadPayload(f"not JSON: {_instead(text) or error.msg}", place) from error
    except RecursionError as error:
        raise BadPayload(f"nested deeper than {MOST_DEPTH} levels") from error
    # Counting brackets is cheap, and few payloads hold enough of them to be looked at closer.
    if body.count(b"{") + body.count(b"[") > MOST_DEPTH:
        _refuse_depth(value)
    return _keepable(value) if _ESCAPED_UNKEEPABLE.search(text) else value


def _text(body: bytes) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) or b"\x00" in body[:4]:
        raise BadPayload("not plain UTF-8: send UTF-8 without a byte order mark", "byte 0")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadPayload("not UTF-8", f"byte {error.start}") from error


def _instead(text: str) -> str:
    """What it is that somebody sent in place of JSON, and what to set; "" where that is unclear."""
    start = text[:200].strip().lower()
    if not start:
        return "the body is empty"
    if start.startswith("<"):
        return "this looks like XML or HTML; set the sender to JSON"
    if _FORM.match(start):
        return "this is a form; set the sender's content type to application/json"
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise BadPayload(f"the name {twice[:80]!r} stands twice in one object")
    return made


def _integer(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise BadPayload(f"a number of {len(digits)} digits; at most {MOST_DIGITS} are read")
    return int(digits)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise BadPayload(f"{number[:40]} is no finite number")
    return value


def _refuse_depth(value: object) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MOST_DEPTH):
        members = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for some in members for one in some if isinstance(one, dict | list)]
        if not level:
            return
    raise BadPayload(f"nested deeper than {MOST_DEPTH} levels")


def _keepable(value: object) -> object:
    if isinstance(value, str):
        return _UNKEEPABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_keepable(one) for one in value]
    if isinstance(value, dict):
        return {str(_keepable(name)): _keepable(one) for name, one in value.items()}
    return value
