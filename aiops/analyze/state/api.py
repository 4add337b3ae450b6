"""Reading nested API objects that may be anything: missing, null or of the wrong type."""

from collections.abc import Sequence
from typing import Any

Api = dict[str, Any]


def part(found: object, *path: str) -> Api:
    """The object at ``path``; {} where there is none."""
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def parts(found: object, *path: str) -> list[Api]:
    """The objects in the list at ``path``."""
    *most, last = path
    return [dict(one) for one in _items(part(found, *most).get(last)) if isinstance(one, dict)]


def texts(found: object, *path: str) -> tuple[str, ...]:
    """The plain values in the list at ``path``, as text."""
    *most, last = path
    inner = _items(part(found, *most).get(last))
    return tuple(str(one) for one in inner if isinstance(one, str | int | float))


def text(found: object, *path: str) -> str:
    """The plain value at ``path``, as text; "" where there is none."""
    *most, last = path
    inner = part(found, *most).get(last)
    if isinstance(inner, bool):
        return "true" if inner else "false"
    return str(inner) if isinstance(inner, str | int | float) else ""


def number(found: object, *path: str) -> int | None:
    """The whole number at ``path``; None where there is none."""
    plain = text(found, *path).removesuffix(".0")
    digits = plain.removeprefix("-")
    return int(plain) if digits.isdigit() and len(digits) <= 18 and digits.isascii() else None


def truth(found: object, *path: str) -> bool:
    """Whether the value at ``path`` is true."""
    return text(found, *path) == "true"


def pairs(found: object, *path: str) -> dict[str, str]:
    """The plain values of the object at ``path``."""
    return {
        str(key): "" if value is None else str(value)
        for key, value in part(found, *path).items()
        if value is None or isinstance(value, str | int | float)
    }


def merged(observed: Any, declared: Any, key: str = "") -> Any:
    """What was observed, with what it leaves out filled in from what was declared.

    Maps of labels are taken whole: one that is observed is complete. Items of lists are paired by
    their name (or port); an observed list is complete but for what its items leave out.
    """
    if isinstance(observed, dict) and isinstance(declared, dict):
        if key in _WHOLE and observed:
            return observed
        return {
            name: merged(observed[name], declared[name], str(name))
            if name in observed and name in declared
            else observed.get(name, declared.get(name))
            for name in {**observed, **declared}
        }
    if _is_list(observed) and _is_list(declared) and observed:
        known = {_identity(one): one for one in declared}
        return [
            merged(one, known[_identity(one)]) if _identity(one) in known else one
            for one in observed
        ]
    return declared if observed in (None, "", [], {}) else observed


_WHOLE = frozenset({"labels", "matchLabels", "selector", "nodeSelector", "data"})


def _identity(one: object) -> str:
    if not isinstance(one, dict):
        return repr(one)
    for key in ("containerPort", "port", "name", "key"):
        if one.get(key) is not None:
            return str(one[key])
    return ""


def _items(found: object) -> Sequence[object]:
    return found if isinstance(found, list | tuple) else ()


def _is_list(found: object) -> bool:
    return isinstance(found, list | tuple)
