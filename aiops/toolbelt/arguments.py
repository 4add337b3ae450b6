"""Arguments as they come from whoever calls: text that has to be one plain JSON object."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, Never

from aiops.toolbelt.refusals import Refused

MOST_BYTES: Final = 256 * 1024
DEEPEST: Final = 32
_LAYOUT: Final = "\n\r\t"
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""Unicode categories that a reader cannot see: control, format (bidi, zero width), surrogates."""


def read_arguments(text: str) -> dict[str, Any]:
    """The object that ``text`` is; nothing in it means two things to two readers.

    Raises:
        Refused: "schema": no JSON object, a key given twice, a number that is none, characters
            that cannot be seen, too long or too deep.
    """
    if len(text) > MOST_BYTES:
        raise _refused(f"they are longer than {MOST_BYTES // 1024} KiB")
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _refused(f"they are no JSON ({error})") from error
    if not isinstance(found, dict):
        raise _refused("they are no JSON object")
    for word in _texts(found, 0):
        hidden = next((one for one in word if _is_hidden(one)), None)
        if hidden is not None:
            raise _refused(f"they hold the invisible character U+{ord(hidden):04X}")
    return found


def _is_hidden(one: str) -> bool:
    return unicodedata.category(one) in _HIDDEN and one not in _LAYOUT


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _no_number(word: str) -> Never:
    raise ValueError(f"{word} is no number")


def _texts(value: object, depth: int) -> Iterator[str]:
    if depth > DEEPEST:
        raise _refused(f"they are nested deeper than {DEEPEST}")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _texts(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, depth + 1)


def _refused(what: str) -> Refused:
    return Refused("schema", f"the arguments cannot be used: {what}; correct them and call again")
