"""Changes of objects, and what undoes them: pure functions on JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops_lab.faults.effects import Edited, Evicted, Killed, Made, Removed, Swept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.faults.effects import OnObjects, Path


def value_at(document: Any, path: Path) -> Any:
    """What is there; ``None`` where nothing is."""
    for step in path:
        inside = isinstance(document, dict) and step in document
        if not inside and not (isinstance(document, list) and _is_index(document, step)):
            return None
        document = document[step]
    return document


def _is_index(items: list[Any], step: str | int) -> bool:
    return isinstance(step, int) and 0 <= step < len(items)


def operations(edit: Edited, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The edit as a JSON patch (RFC 6902) of the object as it is; none where it is so already."""
    if value_at(before, edit.path) == edit.value:
        return []
    at, value = _outermost(edit.path, edit.value, before)
    if value is None:
        return [{"op": "remove", "path": _pointer(at)}]
    present = value_at(before, at) is not None
    return [{"op": "replace" if present else "add", "path": _pointer(at), "value": value}]


def reverse(effect: OnObjects, before: Mapping[str, Any] | None) -> OnObjects | None:
    """What undoes an effect on the object as it is before; ``None``: nothing has to."""
    match effect:
        case Edited(resource, name, path, value):
            at, _ = _outermost(path, value, before or {})
            return Edited(resource, name, at, value_at(before, at))
        case Made(resource, name):
            return Removed(resource, name)
        case Evicted(service):
            return Swept(service)
        case Removed() | Swept() | Killed():
            return None


def _outermost(path: Path, value: Any, document: Mapping[str, Any]) -> tuple[Path, Any]:
    """The first place on the way that has to be made, and all that goes there."""
    for length in range(1, len(path)):
        if value is not None and value_at(document, path[:length]) is None:
            for step in reversed(path[length:]):
                value = {str(step): value}
            return path[:length], value
    return path, value


def _pointer(path: Path) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
