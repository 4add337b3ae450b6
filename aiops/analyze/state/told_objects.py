"""Objects as tools of ours tell them (lists summed up, one object whole, events grouped), as the
API would: what a list leaves out stays unknown.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from aiops.analyze.state.calls import Call

Api = dict[str, Any]
_COUNTS = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


def told(call: Call, text: str) -> tuple[list[Api], bool] | None:
    """The objects in an answer of ours, and whether they are all there are of their kind.

    None where the answer has another shape.
    """
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("object"), dict):
        return [found["object"]], False
    rows, groups = found.get("rows"), found.get("groups")
    if isinstance(rows, list):
        objects = [_object(call.kind, row) for row in rows if isinstance(row, dict)]
        return objects, found.get("total") == len(objects)
    if isinstance(groups, list) and call.kind == "event":
        return [*_events(call, (one for one in groups if isinstance(one, dict)))], False
    return None


def _object(kind: str, row: Api) -> Api:
    owner, _, maker = str(row.get("owner", "")).partition("/")
    return {
        "kind": kind,
        "metadata": {
            "name": row.get("name"),
            "namespace": row.get("namespace"),
            "age_s": row.get("age_s"),
            **({"ownerReferences": [{"kind": owner, "name": maker}]} if maker else {}),
        },
        **_CELLS.get(kind, _nothing)(row),
    }


def _nothing(row: Api) -> Api:
    del row
    return {}


def _pod(row: Api) -> Api:
    """``NotReady`` is our word for a pod that runs and does not serve."""
    state = str(row.get("state", ""))
    serves = "True" if state == "Running" and not row.get("abnormal") else "False"
    return {
        "spec": {"nodeName": row.get("node")},
        "status": {
            "word": "Running" if state == "NotReady" else state,
            "conditions": [{"type": "Ready", "status": serves}],
            "restarts": row.get("restarts"),
        },
    }


def _workload(row: Api) -> Api:
    counts = _COUNTS.match(str(row.get("state", "")))
    if counts is None:
        return {}
    return {"spec": {"replicas": int(counts[2])}, "status": {"readyReplicas": int(counts[1])}}


def _node(row: Api) -> Api:
    words = str(row.get("state", "")).split(",")
    return {
        "spec": {"unschedulable": "SchedulingDisabled" in words},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if words[0] == "Ready" else "False"}]
        },
    }


def _phase(row: Api) -> Api:
    return {"status": {"phase": row.get("state")}}


def _endpoints(row: Api) -> Api:
    count, _, rest = str(row.get("state", "")).partition(" ")
    if rest != "addresses" or not count.isdecimal():
        return {}
    return {"subsets": [{"addresses": [{"ip": ""}] * min(int(count), 1000)}]}


_CELLS: dict[str, Callable[[Api], Api]] = {
    "pod": _pod,
    "deployment": _workload,
    "statefulset": _workload,
    "replicaset": _workload,
    "daemonset": _workload,
    "node": _node,
    "claim": _phase,
    "volume": _phase,
    "endpoints": _endpoints,
}


def _events(call: Call, groups: Iterator[Api]) -> Iterator[Api]:
    for one in groups:
        kind, _, name = str(one.get("about", "")).partition("/")
        yield {
            "involvedObject": {"kind": kind, "name": name, "namespace": call.namespace},
            "type": "Warning" if one.get("warning") else "Normal",
            "reason": one.get("reason"),
            "message": one.get("message"),
            "count": one.get("count"),
            "lastTimestamp": one.get("last"),
            "firstTimestamp": one.get("first"),
        }
