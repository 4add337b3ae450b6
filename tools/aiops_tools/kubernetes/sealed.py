"""What never leaves the door to the cluster: values of Secrets, and copies of whole objects."""

from typing import Any

from aiops_tools.kubernetes.kinds import SECRET, Kind

Api = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Holds the object as somebody wrote it: of a Secret, its values once more."""


def sealed(one: Api, kind: Kind) -> Api:
    """``one`` with its kind said, without what nobody may see.

    A Secret keeps names, type and key names; instead of each value stands its size in bytes.
    """
    kept = {**one, "kind": kind.name}
    metadata = dict(one.get("metadata") or {})
    annotations = metadata.get("annotations")
    if kind.name == SECRET.name:
        sizes = {key: _size(value) for key, value in (one.get("data") or {}).items()}
        only = ("name", "namespace", "uid", "creationTimestamp", "labels", "ownerReferences")
        metadata = {key: metadata[key] for key in only if key in metadata} | {
            "managedFields": [_who_and_when(entry) for entry in metadata.get("managedFields") or ()]
        }
        return {
            "kind": kind.name,
            "type": one.get("type"),
            "immutable": one.get("immutable"),
            "metadata": metadata,
            "sizes": sizes,
        }
    if isinstance(annotations, dict) and LAST_APPLIED in annotations:
        metadata["annotations"] = {k: v for k, v in annotations.items() if k != LAST_APPLIED}
    kept["metadata"] = metadata
    return kept


def _size(encoded: object) -> int:
    """Bytes behind base64, without looking at them."""
    text = str(encoded)
    return max(0, len(text) * 3 // 4 - text[-2:].count("="))


def _who_and_when(entry: Api) -> Api:
    """Who changed it and when, without naming the fields."""
    return {key: entry.get(key) for key in ("manager", "operation", "time")}
