"""JSON merge patches (RFC 7386) that turn one object into another."""

from copy import deepcopy
from typing import Any

from aiops_tools.kubernetes.sealed import Api


def merge_patch(before: Api, after: Api) -> Api:
    """What has to be sent so that ``before`` becomes ``after``; empty where they are equal.

    Lists are sent whole, as merge patches have no way into them.
    """
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for key, value in after.items():
        old = before.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            inner = merge_patch(old, value)
            if inner:
                patch[key] = inner
        elif old != value or key not in before:
            patch[key] = deepcopy(value)
    return patch
