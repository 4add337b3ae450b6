"""Tables as `kubectl get` prints them (pkg/printers/internalversion).

A column's source is a path into the object (".spec.type") or the name of a function here.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from aiops_lab.kubernetes.cluster import moment_of
from aiops_lab.kubernetes.kinds import Column, Kind
from aiops_lab.kubernetes.store import Object

NONE, UNKNOWN = "<none>", "<unknown>"
_STEP = re.compile(r"\.([\w\-/$]+|\w+\\\..+?)|\[\*\]|\['([^']+)'\]|\[(\d+)\]")


def table_columns(kind: Kind) -> list[Object]:
    """The column definitions of a kind."""
    name = Column("Name", "string", ".metadata.name")
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": "name" if column is name else "",
            "description": "",
            "priority": column.priority,
        }
        for column in (name, *kind.columns)
    ]


def cells(kind: Kind, obj: Object, now: datetime) -> list[Any]:
    """The cells of one object, its name first."""
    return [obj["metadata"].get("name", ""), *(_cell(column, obj, now) for column in kind.columns)]


def _cell(column: Column, obj: Object, now: datetime) -> Any:
    if column.source in _TIMED:
        return _TIMED[column.source](obj, now)
    if column.source in _FUNCTIONS:
        return _FUNCTIONS[column.source](obj)
    value = at_path(obj, column.source)
    if value is None:
        return "" if column.type == "date" else (0 if column.type == "integer" else NONE)
    if column.type == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def at_path(obj: Any, path: str) -> Any:
    """What stands at a simple JSONPath; None where there is nothing."""
    found = [obj]
    for step in _STEP.finditer(path):
        key = step[1] or step[2]
        if key is not None:
            found = [v[key] for v in found if isinstance(v, dict) and key in v]
        elif step[3] is not None:
            found = [
                v[int(step[3])] for v in found if isinstance(v, list) and int(step[3]) < len(v)
            ]
        else:
            found = [item for v in found if isinstance(v, list) for item in v]
    return found[0] if len(found) == 1 else ",".join(map(str, found)) if found else None


def duration(seconds: float) -> str:
    """A duration as kubectl abbreviates it (apimachinery/pkg/util/duration)."""
    s = int(seconds)
    if s < 0:
        return "0s" if s > -2 else "<invalid>"
    minutes, hours, days = s // 60, s // 3600, s // 86400
    if s < 120:
        return f"{s}s"
    if minutes < 10:
        return f"{minutes}m{s % 60}s" if s % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 365 * 2:
        return f"{days}d"
    return f"{days // 365}y"


def _since(text: str | None, now: datetime) -> str:
    return duration((now - moment_of(text)).total_seconds()) if text else UNKNOWN


def _age(obj: Object, now: datetime) -> str:
    return _since(obj["metadata"].get("creationTimestamp"), now)


def _last_seen(obj: Object, now: datetime) -> str:
    return _since(obj.get("lastTimestamp") or obj["metadata"].get("creationTimestamp"), now)


def _last_schedule(obj: Object, now: datetime) -> str:
    last = _status(obj).get("lastScheduleTime")
    return _since(last, now) if last else NONE


def _job_duration(obj: Object, now: datetime) -> str:
    status = _status(obj)
    if "startTime" not in status:
        return ""
    end = moment_of(status["completionTime"]) if "completionTime" in status else now
    return duration((end - moment_of(status["startTime"])).total_seconds())


def _pod_restarts(obj: Object, now: datetime) -> str:
    statuses = _status(obj).get("containerStatuses") or ()
    count = sum(status["restartCount"] for status in statuses)
    ends = [
        end
        for status in statuses
        if (end := status.get("lastState", {}).get("terminated", {}).get("finishedAt"))
    ]
    return f"{count} ({_since(max(ends), now)} ago)" if count and ends else str(count)


def _status(obj: Object) -> Object:
    return obj.get("status") or {}


def _pod_ready(pod: Object) -> str:
    statuses = _status(pod).get("containerStatuses") or ()
    ready = sum(bool(status["ready"]) for status in statuses)
    return f"{ready}/{len(pod['spec']['containers'])}"


def pod_status(pod: Object) -> str:
    """The word in the STATUS column: the worst thing there is to say of a pod."""
    status = _status(pod)
    word = status.get("reason") or status.get("phase", "Unknown")
    for container in reversed(status.get("containerStatuses") or ()):
        state = container["state"]
        ended = state.get("terminated")
        if state.get("waiting", {}).get("reason"):
            word = state["waiting"]["reason"]
        elif ended is not None:
            word = ended.get("reason") or f"ExitCode:{ended['exitCode']}"
    running = any("running" in c["state"] for c in status.get("containerStatuses") or ())
    if word == "Completed" and running:
        word = "Running"
    return "Terminating" if pod["metadata"].get("deletionTimestamp") else str(word)


def _node_status(node: Object) -> str:
    conditions = {c["type"]: c["status"] for c in _status(node).get("conditions") or ()}
    words = ["Ready" if conditions.get("Ready") == "True" else "NotReady"]
    if node.get("spec", {}).get("unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(node: Object) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    return ",".join(sorted(k.removeprefix(prefix) for k in labels if k.startswith(prefix))) or NONE


def _node_ip(node: Object) -> str:
    addresses = _status(node).get("addresses") or ()
    return next((a["address"] for a in addresses if a["type"] == "InternalIP"), NONE)


def _pairs(labels: Any) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or NONE


def _expressions(selector: Object | None) -> str:
    words = {"Exists": "{}", "DoesNotExist": "!{}"}
    parts = [_pairs((selector or {}).get("matchLabels"))]
    for e in (selector or {}).get("matchExpressions") or ():
        word = words.get(e["operator"])
        listed = f"{e['key']} {e['operator'].lower()} ({','.join(e.get('values') or ())})"
        parts.append(word.format(e["key"]) if word else listed)
    return ",".join(part for part in parts if part != NONE) or NONE


def _selector(obj: Object) -> str:
    found = obj["spec"].get("selector")
    if obj["kind"] == "Service":
        return _pairs(found)
    return _expressions(found)


def _containers(obj: Object, field: str) -> str:
    template = obj["spec"].get("template") or {}
    job = obj["spec"].get("jobTemplate", {}).get("spec", {}).get("template") or {}
    spec = (template or job).get("spec") or {}
    return ",".join(c.get(field, "") for c in spec.get("containers") or ())


def _service_ports(service: Object) -> str:
    texts = []
    for port in service["spec"].get("ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        texts.append(f"{port['port']}{node}/{port.get('protocol', 'TCP')}")
    return ",".join(texts) or NONE


def _service_external(service: Object) -> str:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", ""))
    if spec.get("externalIPs"):
        return ",".join(spec["externalIPs"])
    return "<pending>" if spec.get("type") == "LoadBalancer" else NONE


def _shortened(parts: list[str], most: int = 3) -> str:
    text = ",".join(parts[:most])
    more = len(parts) - most
    return f"{text} + {more} more..." if more > 0 else text or NONE


def _endpoints(obj: Object) -> str:
    parts = []
    for subset in obj.get("subsets") or ():
        for address in subset.get("addresses") or ():
            ports = subset.get("ports") or ()
            parts += [f"{address['ip']}:{port['port']}" for port in ports] or [address["ip"]]
    return _shortened(parts)


def _slice_addresses(obj: Object) -> str:
    return _shortened([a for e in obj.get("endpoints") or () for a in e["addresses"]])


def _slice_ports(obj: Object) -> str:
    return _shortened([str(port.get("port", "*")) for port in obj.get("ports") or ()])


def _replicas_ready(obj: Object) -> str:
    return f"{_status(obj).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}"


def _job_completions(job: Object) -> str:
    wanted = job["spec"].get("completions")
    return f"{_status(job).get('succeeded', 0)}/{wanted if wanted is not None else '1 of 1'}"


def _job_status(job: Object) -> str:
    held = [c["type"] for c in _status(job).get("conditions") or () if c["status"] == "True"]
    return next((word for word in ("Complete", "Failed", "Suspended") if word in held), "Running")


def _hpa_targets(hpa: Object) -> str:
    current = {
        m["resource"]["name"]: m["resource"]["current"]
        for m in _status(hpa).get("currentMetrics") or ()
        if m["type"] == "Resource"
    }
    texts = []
    for metric in hpa["spec"].get("metrics") or ():
        if metric["type"] != "Resource":
            texts.append(f"{UNKNOWN}/{metric['type']}")
            continue
        name, target = metric["resource"]["name"], metric["resource"]["target"]
        now = current.get(name, {})
        if target["type"] == "Utilization":
            shown = f"{now['averageUtilization']}%" if "averageUtilization" in now else UNKNOWN
            texts.append(f"{name}: {shown}/{target['averageUtilization']}%")
        else:
            shown = now.get("averageValue", UNKNOWN)
            texts.append(f"{name}: {shown}/{target.get('averageValue') or target.get('value')}")
    return _shortened(texts, 2)


def _hpa_reference(hpa: Object) -> str:
    reference = hpa["spec"]["scaleTargetRef"]
    return f"{reference['kind']}/{reference['name']}"


def _event_object(event: Object) -> str:
    involved = event["involvedObject"]
    return f"{involved.get('kind', '').lower()}/{involved.get('name', '')}"


def _quota(quota: Object, limits: bool) -> str:
    status = _status(quota)
    hard, used = status.get("hard") or {}, status.get("used") or {}
    names = sorted(name for name in hard if name.startswith("limits.") == limits)
    return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)


def _access_modes(obj: Object) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX"}
    return ",".join(short.get(mode, mode) for mode in obj["spec"].get("accessModes") or ())


def _volume_claim(obj: Object) -> str:
    claim = obj["spec"].get("claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


def _ingress_hosts(obj: Object) -> str:
    return ",".join(rule.get("host", "*") for rule in obj["spec"].get("rules") or ()) or "*"


def _metric_total(obj: Object, name: str) -> str:
    return ",".join(c["usage"][name] for c in obj.get("containers") or ())


_TIMED: dict[str, Callable[[Object, datetime], str]] = {
    "age": _age,
    "last_seen": _last_seen,
    "last_schedule": _last_schedule,
    "job_duration": _job_duration,
    "pod_restarts": _pod_restarts,
}


def _count(*fields: str) -> Callable[[Object], int]:
    return lambda obj: sum(len(obj.get(field) or ()) for field in fields)


_FUNCTIONS: dict[str, Callable[[Object], Any]] = {
    "none": lambda _: NONE,
    "pod_ready": _pod_ready,
    "pod_status": pod_status,
    "node_status": _node_status,
    "node_roles": _node_roles,
    "node_ip": _node_ip,
    "service_external": _service_external,
    "service_ports": _service_ports,
    "selector": _selector,
    "pod_selector": lambda obj: _expressions(obj["spec"].get("podSelector")),
    "node_selector": lambda obj: _pairs(
        obj["spec"].get("template", {}).get("spec", {}).get("nodeSelector")
    ),
    "endpoints": _endpoints,
    "slice_addresses": _slice_addresses,
    "slice_ports": _slice_ports,
    "data_count": _count("data", "binaryData"),
    "secret_count": _count("secrets"),
    "event_object": _event_object,
    "access_modes": _access_modes,
    "volume_claim": _volume_claim,
    "quota_requests": lambda obj: _quota(obj, limits=False),
    "quota_limits": lambda obj: _quota(obj, limits=True),
    "replicas_ready": _replicas_ready,
    "updated": lambda obj: _status(obj).get("updatedReplicas", 0),
    "available": lambda obj: _status(obj).get("availableReplicas", 0),
    "desired": lambda obj: obj["spec"].get("replicas", 0),
    "current": lambda obj: _status(obj).get("replicas", 0),
    "ready": lambda obj: _status(obj).get("readyReplicas", 0),
    "containers": lambda obj: _containers(obj, "name"),
    "images": lambda obj: _containers(obj, "image"),
    "owner": lambda obj: _owner(obj),
    "job_status": _job_status,
    "job_completions": _job_completions,
    "active_count": lambda obj: len(_status(obj).get("active") or ()),
    "hpa_reference": _hpa_reference,
    "hpa_targets": _hpa_targets,
    "ingress_hosts": _ingress_hosts,
    "ingress_ports": lambda obj: "80, 443" if obj["spec"].get("tls") else "80",
    "role_reference": lambda obj: f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}",
    "metrics_cpu": lambda obj: _metric_total(obj, "cpu"),
    "metrics_memory": lambda obj: _metric_total(obj, "memory"),
}


def _owner(obj: Object) -> str:
    owners: Iterable[Object] = obj["metadata"].get("ownerReferences") or ()
    found = next((o for o in owners if o.get("controller")), None)
    return f"{found['kind'].lower()}.apps/{found['name']}" if found else NONE
