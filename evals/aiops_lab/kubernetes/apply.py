"""Server-side apply: who owns which field, and what an apply changes (KEP-555).

A field is a path of steps: "f:name" a field, 'k:{"name":"x"}' an element of a list by its keys,
"v:1" an element of a set; the set of a manager's paths is kept in `metadata.managedFields`.
"""

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aiops_lab.kubernetes.problems import Cause, apply_conflict
from aiops_lab.kubernetes.schema.types import ANY, Shape, inside

Path = tuple[str, ...]

# Fields of the server, which no manager owns.
_UNOWNED = {
    ("f:apiVersion",),
    ("f:kind",),
    *(("f:metadata", f"f:{name}") for name in ("name", "namespace", "uid", "resourceVersion")),
    *(("f:metadata", f"f:{name}") for name in ("creationTimestamp", "generation", "managedFields")),
    *(("f:metadata", f"f:{name}") for name in ("selfLink", "deletionTimestamp")),
    ("f:metadata", "f:deletionGracePeriodSeconds"),
    ("f:metadata",),
}


@dataclass(frozen=True, slots=True)
class Manager:
    """One field manager: its name, how it writes, and through which subresource."""

    name: str
    operation: str
    subresource: str = ""


Owners = dict[Manager, frozenset[Path]]


def _element_step(item: Any, shape: Shape) -> str:
    if shape.keys and isinstance(item, dict):
        keys = {key: item[key] for key in shape.keys if key in item}
        # A port without a protocol is a TCP port.
        if "protocol" in shape.keys:
            keys.setdefault("protocol", "TCP")
        return "k:" + json.dumps(keys, separators=(",", ":"), sort_keys=True)
    return "v:" + json.dumps(item, separators=(",", ":"), sort_keys=True)


def _children(value: Any, shape: Shape) -> list[tuple[str, Any, Shape]] | None:
    """The steps below a value, or None where it is owned as a whole."""
    if shape.atomic:
        return None
    if isinstance(value, dict):
        return [(f"f:{key}", item, inside(shape, key)) for key, item in value.items()]
    if isinstance(value, list) and (shape.keys or shape.is_set):
        return [(_element_step(item, shape), item, shape.of or ANY) for item in value]
    return None


def leaves(value: Any, shape: Shape, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every owned path of a value with what stands there."""
    children = _children(value, shape)
    if not children:
        yield at, value
        return
    if at and at[-1].startswith("k:"):
        yield at, None
    for step, item, below in children:
        yield from leaves(item, below, (*at, step))


def owned(value: Any, shape: Shape) -> dict[Path, Any]:
    """The paths a manager owns by writing this object."""
    return {path: leaf for path, leaf in leaves(value, shape) if path not in _UNOWNED}


def encode(paths: Iterable[Path]) -> dict[str, Any]:
    """Paths as `fieldsV1`."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        if path and path[-1].startswith("k:"):
            node["."] = {}
    return tree


def decode(tree: dict[str, Any], at: Path = ()) -> Iterator[Path]:
    """`fieldsV1` as paths."""
    below = {step: node for step, node in tree.items() if step != "."}
    if "." in tree or not below:
        yield at
    for step, node in below.items():
        yield from decode(node, (*at, step))


def read_owners(metadata: dict[str, Any]) -> Owners:
    """Who owns what, as an object's managed fields say."""
    return {
        Manager(e["manager"], e["operation"], e.get("subresource", "")): frozenset(
            decode(e.get("fieldsV1") or {})
        )
        for e in metadata.get("managedFields") or []
    }


def write_owners(metadata: dict[str, Any], owners: Owners, api_version: str, now: str) -> None:
    """Put the owners into an object's managed fields; an unchanged entry keeps its time."""
    before = {
        (e["manager"], e["operation"], e.get("subresource", "")): e
        for e in metadata.get("managedFields") or []
    }
    entries = []
    for manager, paths in owners.items():
        if not paths:
            continue
        fields = encode(paths)
        old = before.get((manager.name, manager.operation, manager.subresource), {})
        entries.append(
            {
                "manager": manager.name,
                "operation": manager.operation,
                "apiVersion": api_version,
                "time": old["time"] if old.get("fieldsV1") == fields else now,
                "fieldsType": "FieldsV1",
                "fieldsV1": fields,
                **({"subresource": manager.subresource} if manager.subresource else {}),
            }
        )
    metadata["managedFields"] = entries


def after_update(owners: Owners, manager: Manager, old: Any, new: Any, shape: Shape) -> Owners:
    """Owners after an ordinary write: what it changed is its own, what it removed nobody's."""
    before, after = owned(old, shape) if old else {}, owned(new, shape)
    changed = {p for p, value in after.items() if p not in before or before[p] != value}
    result = {
        other: frozenset(p for p in paths if p in after and (other == manager or p not in changed))
        for other, paths in owners.items()
    }
    result[manager] = result.get(manager, frozenset()) | changed
    return result


def apply(
    live: dict[str, Any],
    config: dict[str, Any],
    owners: Owners,
    manager: Manager,
    shape: Shape,
    *,
    force: bool,
) -> tuple[dict[str, Any], Owners]:
    """The object after an apply, and its owners.

    Raises:
        Refused: 409, where a field belongs to another manager and would change.
    """
    wanted, current = owned(config, shape), owned(live, shape)
    taken = {
        path: other
        for other, paths in owners.items()
        if other != manager
        for path in paths
        if path in wanted and path in current and current[path] != wanted[path]
    }
    if taken and not force:
        raise apply_conflict(
            tuple(
                Cause(
                    "FieldManagerConflict",
                    f'conflict with "{other.name}"'
                    + (f" using {other.operation}" if other.operation == "Update" else ""),
                    printed(path),
                )
                for path, other in sorted(taken.items())
            )
        )
    dropped = owners.get(manager, frozenset()) - wanted.keys()
    shared = {p for other, paths in owners.items() if other != manager for p in paths}
    result = _overlay(_without(live, dropped - shared, shape), config, shape)
    left = owned(result, shape)
    after = {
        other: frozenset(p for p in paths if p in left and p not in taken)
        for other, paths in owners.items()
        if other != manager
    }
    after[manager] = frozenset(wanted)
    return result, after


def printed(path: Path) -> str:
    """A path as conflicts name it: .spec.replicas, .spec.containers[name="web"].image."""
    text = ""
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            pairs = json.loads(rest).items()
            text += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in pairs) + "]"
        else:
            text += f"[={rest}]"
    return text


def _without(value: Any, paths: Iterable[Path], shape: Shape) -> Any:
    """The value without the given paths; objects and lists emptied by it go too."""
    doomed = set(paths)
    if not doomed:
        return copy.deepcopy(value)
    children = _children(value, shape)
    if children is None:
        return copy.deepcopy(value)
    kept: list[tuple[str, Any]] = []
    for step, item, below in children:
        inner = {path[1:] for path in doomed if path and path[0] == step}
        if () in inner and step[0] != "k":
            continue
        left = _without(item, inner - {()}, below)
        emptied = inner and left in ({}, []) and item not in ({}, [])
        only_keys = () in inner and isinstance(left, dict) and not left.keys() - set(shape.keys)
        if not emptied and not only_keys:
            kept.append((step, left))
    if isinstance(value, dict):
        return {step[2:]: item for step, item in kept}
    return [item for _, item in kept]


def _overlay(live: Any, config: Any, shape: Shape) -> Any:
    """The live value with the wanted one laid over it."""
    if shape.atomic:
        return copy.deepcopy(config)
    if isinstance(config, dict) and isinstance(live, dict):
        merged = dict(live)
        for key, item in config.items():
            merged[key] = _overlay(live.get(key), item, inside(shape, key))
        return merged
    if isinstance(config, list) and isinstance(live, list) and (shape.keys or shape.is_set):
        of = shape.of or ANY
        result = {_element_step(item, shape): item for item in live}
        for item in config:
            step = _element_step(item, shape)
            result[step] = _overlay(result.get(step), item, of)
        return list(result.values())
    return copy.deepcopy(config)
