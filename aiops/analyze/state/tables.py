"""``kubectl get`` tables as API objects, events included."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from aiops.analyze.state.outline import rows
from aiops.analyze.state.quantities import age, whole

Api = dict[str, Any]
Row = dict[str, str]

_EVENT = re.compile(
    r"(?:(?P<namespace>[a-z0-9][a-z0-9-]*)\s+)?"
    r"(?P<last>\S+)(?:\s+\(x(?P<count>[0-9]+) over (?P<first>[0-9a-z]+)\))?\s+"
    r"(?P<type>Normal|Warning)\s+(?P<reason>\S+)\s+(?P<kind>[\w.-]+)/(?P<name>\S+)"
    r"\s*(?P<message>.*)"
)
_PORT = re.compile(r"(?<![0-9:])([0-9]{1,5})(?::[0-9]{1,5})?/([A-Z]{3,4})")


def api_objects(kind: str, namespace: str, text: str) -> Iterator[Api]:
    """The objects in the rows of a table; rows without a name are skipped."""
    for row in rows(text.splitlines()):
        name = row.get("NAME", "")
        if name and not name.startswith(("No ", "Error")):
            yield {
                "kind": kind,
                "metadata": {
                    "name": name,
                    "namespace": row.get("NAMESPACE") or namespace or None,
                    "age_s": age(row.get("AGE", "")),
                    **_labels(row),
                },
                **_CELLS.get(kind, _nothing)(row),
            }


def events(text: str, namespace: str) -> Iterator[Api]:
    """The lines of ``kubectl get events``, with or without their header."""
    for line in text.splitlines():
        found = _EVENT.match(line)
        if found:
            yield {
                "involvedObject": {
                    "kind": found["kind"],
                    "name": found["name"],
                    "namespace": found["namespace"] or namespace,
                },
                "type": found["type"],
                "reason": found["reason"],
                "message": found["message"],
                "count": int(found["count"] or 1),
                "last_s": age(found["last"]),
                "first_s": age(found["first"] or found["last"]),
            }


def _labels(row: Row) -> Api:
    text = row.get("LABELS", "")
    if not text or text == "<none>":
        return {}
    return {"labels": dict(part.split("=", 1) for part in text.split(",") if "=" in part)}


def _nothing(_row: Row) -> Api:
    return {}


def _counts(text: str) -> tuple[int | None, int | None]:
    ready, _, total = text.partition("/")
    return whole(ready), whole(total)


def _pod(row: Row) -> Api:
    status = row.get("STATUS", "")
    node = row.get("NODE", "")
    ready, total = _counts(row.get("READY", ""))
    lacking = ready is not None and total is not None and ready < total
    return {
        "spec": {"nodeName": "" if node == "<none>" else node},
        "status": {
            "word": status,
            "conditions": [{"type": "Ready", "status": "False" if lacking else "True"}],
            **_restarts(row.get("RESTARTS", "")),
        },
    }


def _restarts(text: str) -> Api:
    """ "4 (2m ago)": how often containers died, and when the last one did."""
    count, _, last = text.partition(" ")
    return {"restarts": whole(count), "restarted_s": age(last.strip("()"))}


def _service(row: Row) -> Api:
    """Ports as callers know them ("80:30080/TCP"); where they lead is not shown."""
    ports = _PORT.findall(row.get("PORT(S)", ""))
    return {
        "spec": {
            "type": row.get("TYPE", ""),
            "clusterIP": row.get("CLUSTER-IP", ""),
            "ports": [{"port": int(number), "protocol": protocol} for number, protocol in ports],
        }
    }


def _workload(row: Row) -> Api:
    if "DESIRED" in row:
        return {
            "spec": {"replicas": whole(row["DESIRED"])},
            "status": {
                "replicas": whole(row.get("CURRENT", "")),
                "readyReplicas": whole(row.get("READY", "")),
            },
        }
    ready, desired = _counts(row.get("READY", ""))
    return {
        "spec": {"replicas": desired},
        "status": {"readyReplicas": ready, "updatedReplicas": whole(row.get("UP-TO-DATE", ""))},
    }


def _endpoints(row: Row) -> Api:
    text = row.get("ENDPOINTS", "")
    addresses = [] if text in ("", "<none>") else [{"ip": part} for part in text.split(",")]
    return {"subsets": [{"addresses": addresses, "notReadyAddresses": []}]}


def _node(row: Row) -> Api:
    words = row.get("STATUS", "").split(",")
    return {
        "spec": {"unschedulable": "SchedulingDisabled" in words},
        "status": {
            "conditions": [{"type": "Ready", "status": "True" if words[0] == "Ready" else "False"}]
        },
    }


def _claim(row: Row) -> Api:
    return {
        "spec": {"volumeName": row.get("VOLUME", "")},
        "status": {"phase": row.get("STATUS", "")},
    }


def _quota(row: Row) -> Api:
    used, hard = {}, {}
    for part in f"{row.get('REQUEST', '')},{row.get('LIMIT', '')}".split(","):
        name, _, shares = part.strip().partition(": ")
        if shares:
            used[name], _, hard[name] = shares.partition("/")
    return {"status": {"used": used, "hard": hard}}


def _policy(row: Row) -> Api:
    selector = row.get("POD-SELECTOR", "")
    pairs = dict(part.split("=", 1) for part in selector.split(",") if "=" in part)
    return {"spec": {"podSelector": {"matchLabels": pairs}, "policyTypes": []}}


def _autoscaler(row: Row) -> Api:
    targets, most = row.get("TARGETS", ""), whole(row.get("MAXPODS", ""))
    above = any(
        int(now) > int(wanted)
        for now, wanted in re.findall(r"([0-9]{1,9})%/([0-9]{1,9})%", targets)
    )
    unread = [{"type": "ScalingActive", "status": "False", "message": f"TARGETS is {targets}"}]
    return {
        "spec": {
            "scaleTargetRef": {"name": row.get("REFERENCE", "").rpartition("/")[2]},
            "maxReplicas": most,
        },
        "status": {
            "currentReplicas": whole(row.get("REPLICAS", "")),
            "desiredReplicas": most if above else None,
            "conditions": unread if "<unknown>" in targets else [],
        },
    }


def _job(row: Row) -> Api:
    done, wanted = _counts(row.get("COMPLETIONS", ""))
    failed = row.get("STATUS", "") == "Failed"
    return {
        "spec": {"completions": wanted},
        "status": {
            "succeeded": done,
            "conditions": [{"type": "Failed", "status": "True"}] if failed else [],
        },
    }


def _cron_job(row: Row) -> Api:
    return {"spec": {"suspend": row.get("SUSPEND", "") == "True"}}


_CELLS: dict[str, Callable[[Row], Api]] = {
    "pod": _pod,
    "deployment": _workload,
    "replicaset": _workload,
    "statefulset": _workload,
    "daemonset": _workload,
    "job": _job,
    "cronjob": _cron_job,
    "service": _service,
    "endpoints": _endpoints,
    "node": _node,
    "claim": _claim,
    "quota": _quota,
    "networkpolicy": _policy,
    "autoscaler": _autoscaler,
}
