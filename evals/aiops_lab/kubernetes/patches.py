"""The three patches of the Kubernetes API, as pure functions.

JSON Patch is RFC 6902, JSON Merge Patch RFC 7386; strategic merge patch follows
sig-api-machinery/strategic-merge-patch.md. No function changes its arguments.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from aiops.errors import InvalidInput
from aiops_lab.kubernetes.schema.types import ANY, Shape, inside


class InvalidPatch(InvalidInput):
    """A patch that cannot be applied; nothing was changed."""


def json_patch(document: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """Apply RFC 6902 operations in order.

    Raises:
        InvalidPatch: an operation is malformed, its place does not exist, or a test failed.
    """
    result = copy.deepcopy(document)
    for operation in operations:
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
            raise InvalidPatch("each operation needs an op and a path")
        result = _operate(result, operation)
    return result


def _operate(document: Any, operation: Mapping[str, Any]) -> Any:
    path = operation["path"]
    match operation.get("op"):
        case "add":
            return _add(document, path, _value(operation))
        case "remove":
            return _remove(document, path)[0]
        case "replace":
            _find(document, path)
            if path == "":
                return _value(operation)
            return _set(document, path, _value(operation))
        case "move":
            source = operation.get("from")
            if not isinstance(source, str) or path.startswith(f"{source}/"):
                raise InvalidPatch("move needs a from that is not a parent of its path")
            document, value = _remove(document, source)
            return _add(document, path, value)
        case "copy":
            source = operation.get("from")
            if not isinstance(source, str):
                raise InvalidPatch("copy needs a from")
            return _add(document, path, copy.deepcopy(_find(document, source)))
        case "test":
            if not _same(_find(document, path), _value(operation)):
                raise InvalidPatch(f"testing value {path} failed")
            return document
        case unknown:
            raise InvalidPatch(f"unknown operation {unknown!r}")


def _same(left: Any, right: Any) -> bool:
    """Equality of JSON: True is not 1, 1 is 1.0 (RFC 6902, section 4.6)."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[k], right[k]) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _value(operation: Mapping[str, Any]) -> Any:
    if "value" not in operation:
        raise InvalidPatch(f"{operation['op']} {operation['path']} needs a value")
    return copy.deepcopy(operation["value"])


def _tokens(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise InvalidPatch(f"{path!r} is no JSON pointer: it must start with /")
    return [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]


def _index(items: list[Any], token: str, path: str, *, end: bool = False) -> int:
    if end and token == "-":  # noqa: S105 - the pointer's word for the end
        return len(items)
    if not token.isascii() or not token.isdigit() or (len(token) > 1 and token[0] == "0"):
        raise InvalidPatch(f"{path}: {token!r} is no index")
    index = int(token)
    if index > len(items) - (0 if end else 1):
        raise InvalidPatch(f"{path}: the list has {len(items)} elements")
    return index


def _step(value: Any, token: str, path: str) -> Any:
    if isinstance(value, dict) and token in value:
        return value[token]
    if isinstance(value, list):
        return value[_index(value, token, path)]
    raise InvalidPatch(f"{path}: does not exist")


def _find(document: Any, path: str) -> Any:
    for token in _tokens(path):
        document = _step(document, token, path)
    return document


def _parent(document: Any, path: str) -> tuple[Any, str]:
    *above, last = _tokens(path)
    for token in above:
        document = _step(document, token, path)
    return document, last


def _add(document: Any, path: str, value: Any) -> Any:
    if not _tokens(path):
        return value
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent.insert(_index(parent, last, path, end=True), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise InvalidPatch(f"{path}: its parent is neither an object nor a list")
    return document


def _set(document: Any, path: str, value: Any) -> Any:
    parent, last = _parent(document, path)
    parent[_index(parent, last, path) if isinstance(parent, list) else last] = value
    return document


def _remove(document: Any, path: str) -> tuple[Any, Any]:
    if not _tokens(path):
        return None, document
    removed = _find(document, path)
    parent, last = _parent(document, path)
    del parent[_index(parent, last, path) if isinstance(parent, list) else last]
    return document, removed


def merge_patch(document: Any, patch: Any) -> Any:
    """Apply an RFC 7386 merge patch: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result


def strategic_merge(document: Any, patch: Any, shape: Shape) -> Any:
    """Apply a strategic merge patch: lists with a merge key merge by element.

    Understands `$patch: replace|delete|merge`, `$retainKeys`, `$deleteFromPrimitiveList/x` and
    `$setElementOrder/x`.

    Raises:
        InvalidPatch: an element lacks its merge key, or a directive is unknown.
    """
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    directive = patch.get("$patch")
    if directive == "replace":
        return {k: copy.deepcopy(v) for k, v in patch.items() if k != "$patch"}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise InvalidPatch(f"unknown $patch directive {directive!r}")
    result = dict(document) if isinstance(document, dict) else {}
    if "$retainKeys" in patch:
        result = {k: v for k, v in result.items() if k in patch["$retainKeys"]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_field(result, key, value, inside(shape, key))
    _list_directives(result, patch, shape)
    return result


def _merge_field(result: dict[str, Any], key: str, value: Any, shape: Shape) -> None:
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        result[key] = strategic_merge(result.get(key), value, shape)
    elif isinstance(value, list) and shape.keys:
        result[key] = _merge_list(result.get(key) or [], value, shape)
    elif isinstance(value, list) and shape.is_set:
        kept = list(result.get(key) or [])
        result[key] = kept + [item for item in value if item not in kept]
    else:
        result[key] = copy.deepcopy(value)


def _merge_list(current: list[Any], patch: list[Any], shape: Shape) -> list[Any]:
    key, of = shape.keys[0], shape.of or ANY
    changes = [item for item in patch if item != {"$patch": "replace"}]
    result = [] if len(changes) < len(patch) else list(current)
    for change in changes:
        if not isinstance(change, dict) or key not in change:
            raise InvalidPatch(f"map: {change!r} does not contain declared merge key: {key}")
        places = [i for i, item in enumerate(result) if item.get(key) == change[key]]
        if change.get("$patch") == "delete":
            result = [item for item in result if item.get(key) != change[key]]
        elif places:
            result[places[0]] = strategic_merge(result[places[0]], change, of)
        else:
            result.append(strategic_merge({}, change, of))
    return result


def _list_directives(result: dict[str, Any], patch: dict[str, Any], shape: Shape) -> None:
    for name, wanted in patch.items():
        directive, _, field = name.partition("/")
        if directive == "$deleteFromPrimitiveList":
            result[field] = [item for item in result.get(field, []) if item not in wanted]
        elif directive == "$setElementOrder" and field in result:
            result[field] = _ordered(result[field], wanted, inside(shape, field))


def _ordered(items: list[Any], order: list[Any], shape: Shape) -> list[Any]:
    """The named elements in the order given; others keep their place after their neighbour."""

    def identity(item: Any) -> Any:
        return item.get(shape.keys[0]) if shape.keys and isinstance(item, dict) else item

    rank = {str(identity(item)): place for place, item in enumerate(order)}
    named = iter(
        sorted(
            (item for item in items if str(identity(item)) in rank),
            key=lambda item: rank[str(identity(item))],
        )
    )
    return [next(named) if str(identity(item)) in rank else item for item in items]
