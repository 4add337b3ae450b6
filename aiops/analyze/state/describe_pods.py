"""The part of ``kubectl describe`` that is about pods, as API objects."""

import re
from typing import Any

from aiops.analyze.state.outline import Outline, rows
from aiops.analyze.state.quantities import whole

Api = dict[str, Any]

_PROBE = re.compile(
    r"(?P<how>[a-z-]+)\s+(?P<target>.*?)\s*delay=(?P<delay>[0-9]+)s\s+timeout=(?P<timeout>[0-9]+)s"
    r"\s+period=(?P<period>[0-9]+)s\s+#success=[0-9]+\s+#failure=(?P<failure>[0-9]+)"
)
_URL = re.compile(r"(?P<scheme>https?)://[^:/]*:(?P<port>[^/]*)(?P<path>/.*)?")
_PORT = re.compile(r"(?P<number>[0-9]{1,5})/(?P<protocol>[A-Z]+)(?:\s+\((?P<name>[^)]+)\))?")


def pod(found: Outline) -> Api:
    """A pod: specification and status."""
    kind, _, owner = found.value("Controlled By").partition("/")
    node = found.value("Node").partition("/")[0]
    metadata = {"ownerReferences": [{"kind": kind, "name": owner}]} if owner else {}
    return {
        "owner": metadata,
        "spec": pod_spec(found) | {"nodeName": node},
        "status": {
            "phase": found.value("Status").partition(" ")[0],
            "reason": found.value("Reason"),
            "message": found.value("Message"),
            "podIP": found.value("IP"),
            "conditions": conditions(found),
            "containerStatuses": _statuses(found.below("Containers")),
            "initContainerStatuses": _statuses(found.below("Init Containers")),
        },
    }


def pod_spec(found: Outline) -> Api:
    """What a pod, or a template of pods, asks for."""
    spec: Api = {
        "containers": _containers(found.below("Containers")),
        "volumes": _volumes(found.below("Volumes")),
        "nodeSelector": found.pairs("Node-Selectors"),
    }
    if found.value("Service Account"):
        spec["serviceAccountName"] = found.value("Service Account")
    if "Init Containers" in found.entries:
        spec["initContainers"] = _containers(found.below("Init Containers"))
    if found.items("Tolerations"):
        spec["tolerations"] = [_toleration(item) for item in found.items("Tolerations")]
    return spec


def _containers(found: Outline) -> list[Api]:
    return [
        _container(name, entry.children())
        for name, entry in found.entries.items()
        if entry.below or not entry.value
    ]


def _container(name: str, found: Outline) -> Api:
    sources = [_source(line) for line in found.lines("Environment Variables from")]
    part: Api = {
        "name": name,
        "image": found.value("Image"),
        "ports": _ports(found.value("Ports") or found.value("Port")),
        "resources": {
            "limits": values(found.below("Limits")),
            "requests": values(found.below("Requests")),
        },
        "env": [variable for line in found.lines("Environment") if (variable := _variable(line))],
        "envFrom": [source for source in sources if source],
        "volumeMounts": [mount for line in found.lines("Mounts") if (mount := _mount(line))],
    }
    for role in ("Liveness", "Readiness", "Startup"):
        probe = _probe(found.value(role))
        if probe is not None:
            part[f"{role.lower()}Probe"] = probe
    return part


def _probe(text: str) -> Api | None:
    found = _PROBE.match(text)
    if found is None:
        return None
    probe: Api = {
        "initialDelaySeconds": int(found["delay"]),
        "timeoutSeconds": int(found["timeout"]),
        "periodSeconds": int(found["period"]),
        "failureThreshold": int(found["failure"]),
    }
    how, target = found["how"], found["target"]
    if how == "http-get":
        url = _URL.match(target)
        http = {"port": url["port"], "path": url["path"] or "/"} if url else {}
        probe["httpGet"] = http | ({"scheme": url["scheme"].upper()} if url else {})
    elif how == "tcp-socket":
        probe["tcpSocket"] = {"port": target.rpartition(":")[2]}
    elif how == "grpc":
        probe["grpc"] = {"port": target.rpartition(":")[2].partition(" ")[0]}
    else:
        probe["exec"] = {"command": [target]}
    return probe


def _ports(text: str) -> list[Api]:
    return [
        {
            "containerPort": int(port["number"]),
            "protocol": port["protocol"],
            **({"name": port["name"]} if port["name"] else {}),
        }
        for port in _PORT.finditer(text)
        if int(port["number"])
    ]


def _variable(line: str) -> Api | None:
    found = re.match(r"\s*([A-Za-z_][A-Za-z0-9_.-]*):\s*(.*)$", line)
    if found is None:
        return None
    name, value = found[1], found[2].strip()
    taken = re.match(
        r"<set to the key '(?P<key>[^']*)' (?:in|of) (?P<kind>secret|config map) "
        r"'(?P<name>[^']*)'>(?:\s+Optional: (?P<optional>\w+))?",
        value,
    )
    if taken is None:
        return {"name": name, "value": re.sub(r"\s*\(v1:[^)]*\)$", "", value)}
    kind = "secretKeyRef" if taken["kind"] == "secret" else "configMapKeyRef"
    origin = {
        "name": taken["name"],
        "key": taken["key"],
        "optional": taken["optional"] == "true",
    }
    return {"name": name, "valueFrom": {kind: origin}}


def _source(line: str) -> Api | None:
    found = re.match(r"\s*(\S+)\s+(ConfigMap|Secret)\b.*?(?:Optional: (\w+))?\s*$", line)
    if found is None:
        return None
    kind = "secretRef" if found[2] == "Secret" else "configMapRef"
    return {kind: {"name": found[1], "optional": found[3] == "true"}}


def _mount(line: str) -> Api | None:
    found = re.match(r"\s*(\S+) from (\S+) \(([^)]*)\)", line)
    if found is None:
        return None
    return {"mountPath": found[1], "name": found[2], "readOnly": found[3].startswith("ro")}


def _toleration(item: str) -> Api:
    found = re.match(r"([^=:\s]*)(?:=([^:\s]*))?(?::(\w+))?(?:\s+op=(\w+))?", item)
    if found is None:
        return {}
    exists = found[4] == "Exists" or found[2] is None
    return {
        "key": found[1],
        "value": found[2] or "",
        "effect": found[3] or "",
        "operator": "Exists" if exists else "Equal",
    }


_VOLUME_KINDS = {
    "PersistentVolumeClaim": ("persistentVolumeClaim", "ClaimName", "claimName"),
    "Secret": ("secret", "SecretName", "secretName"),
    "ConfigMap": ("configMap", "Name", "name"),
    "HostPath": ("hostPath", "Path", "path"),
}


def _volumes(found: Outline) -> list[Api]:
    volumes = []
    for name, entry in found.entries.items():
        inner = entry.children()
        volume: Api = {"name": name}
        kind = inner.value("Type").partition(" ")[0]
        if kind in _VOLUME_KINDS:
            key, shown, field = _VOLUME_KINDS[kind]
            volume[key] = {
                field: inner.value(shown),
                "optional": inner.value("Optional") == "true",
            }
        volumes.append(volume)
    return volumes


def _statuses(found: Outline) -> list[Api]:
    return [
        {
            "name": name,
            "ready": entry.children().value("Ready") == "True",
            "restartCount": whole(entry.children().value("Restart Count")) or 0,
            "state": _run(entry.children(), "State"),
            "lastState": _run(entry.children(), "Last State"),
        }
        for name, entry in found.entries.items()
        if "State" in entry.children().entries
    ]


def _run(found: Outline, key: str) -> Api:
    inner = found.below(key)
    return {
        found.value(key).lower(): {
            "reason": inner.value("Reason"),
            "message": inner.value("Message"),
            "exitCode": whole(inner.value("Exit Code")),
        }
    }


def conditions(found: Outline) -> list[Api]:
    """The table of conditions."""
    return [
        {
            "type": row.get("Type", ""),
            "status": row.get("Status", "").strip(),
            "reason": row.get("Reason", ""),
            "message": row.get("Message", ""),
        }
        for row in rows(found.lines("Conditions"))
    ]


def values(found: Outline) -> dict[str, str]:
    """Every key with a value beside it."""
    return {key: entry.value for key, entry in found.entries.items() if entry.value}
