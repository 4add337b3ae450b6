"""The state hash: equal for objects that ask for the same, whoever wrote them and when.

What the server adds (status, metadata, marks of its own controllers inside the spec) is left out,
so that a hash taken before a change and after its undo can be compared.
"""

from collections.abc import Mapping
from typing import Any

from aiops.model.canonical import digest

Api = dict[str, Any]
_ABOUT = frozenset({"apiVersion", "kind", "metadata", "status"})
_NODE_BY_SERVER = frozenset({"podCIDR", "podCIDRs", "providerID"})
_NODE_TAINTS = "node.kubernetes.io/"
"""Taints that the node lifecycle controller sets and takes away, a cordon's own among them."""


def state_hash(one: Mapping[str, Any]) -> str:
    """sha256 of what ``one`` asks for, 64 hex digits.

    Args:
        one: an object as the API gives it, with its kind.
    """
    return digest(normalised(one))


def normalised(one: Mapping[str, Any]) -> Api:
    """What ``one`` asks for: its spec, or its data where it has none, without what servers set.

    A null is an absent field, as the API reads it; the order of lists stays, for it has meaning.
    """
    asked = {key: _plain(value) for key, value in one.items() if key not in _ABOUT}
    spec = asked.get("spec")
    if isinstance(spec, dict) and one.get("kind") == "Node":
        asked["spec"] = _node(spec)
    return {key: value for key, value in asked.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _node(spec: Api) -> Api:
    kept = {key: value for key, value in spec.items() if key not in _NODE_BY_SERVER}
    own = [t for t in spec.get("taints", ()) if not str(t.get("key", "")).startswith(_NODE_TAINTS)]
    kept.pop("taints", None)
    return kept | ({"taints": own} if own else {})
