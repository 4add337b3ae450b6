"""Small clusters for tests: API objects in a few words, and what the rules say of them."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

from aiops.analyze.state.parse_objects import cluster_state
from aiops.analyze.state.reader import RULES
from aiops.analyze.state.scene import Said, Scene
from aiops.model import Hypothesis, Window

NOW = 1_700_000_000.0

AT = datetime.fromtimestamp(NOW, UTC)

WINDOW = Window(AT, AT)

Api = dict[str, Any]


def ago(seconds: float) -> str:
    return datetime.fromtimestamp(NOW - seconds, UTC).isoformat()


def meta(name: str, age: float = 300, **more: Any) -> Api:
    return {"name": name, "namespace": "shop", "creationTimestamp": ago(age), **more}


def deployment(name: str, ready: int = 1, desired: int = 1, **spec: Any) -> Api:
    return {
        "kind": "Deployment",
        "metadata": meta(name),
        "spec": {
            "replicas": desired,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(name, **spec)},
        },
        "status": {"readyReplicas": ready, "replicas": desired},
    }


def pod_spec(name: str, **more: Any) -> Api:
    container = {"name": "main", "image": f"{name}:1", "ports": [{"containerPort": 8080}]}
    container |= more.pop("container", {})
    return {"containers": [container], **more}


def pod(
    app: str, waiting: str = "", node: str = "n1", status: Api | None = None, **spec: Any
) -> Api:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    one = {"name": "main", "ready": not waiting, "restartCount": 0, "state": state}
    return {
        "kind": "Pod",
        "metadata": meta(
            f"{app}-1",
            labels={"app": app},
            ownerReferences=[{"kind": "Deployment", "name": app}],
        ),
        "spec": pod_spec(app, **spec) | {"nodeName": node},
        "status": {
            "phase": "Running" if node else "Pending",
            "containerStatuses": [one | (status or {})] if node else [],
        },
    }


def service(name: str, **spec: Any) -> Api:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "kind": "Service",
        "metadata": meta(name),
        "spec": {"selector": {"app": name}, "ports": ports} | spec,
    }


def node(name: str, ready: str = "True", labels: Api | None = None, **spec: Any) -> Api:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def event(kind: str, name: str, reason: str, message: str, last: float = 10) -> Api:
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}", "namespace": "shop"},
        "involvedObject": {"kind": kind, "name": name, "namespace": "shop"},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": ago(last),
        "firstTimestamp": ago(last + 60),
    }


def healthy(name: str) -> list[Api]:
    return [deployment(name), pod(name), service(name)]


def seen(*objects: Api, logs: dict[str, str] | None = None, **more: Any) -> Scene:
    state = cluster_state(deepcopy(list(objects)), now=NOW)
    said = {name: (Said.of(text, "log", "logs"),) for name, text in (logs or {}).items()}
    return Scene(state, WINDOW, logs=said, **more)


def raised(scene: Scene) -> list[Hypothesis]:
    found = [hypothesis for rule in RULES for hypothesis in rule(scene)]
    return sorted(found, key=lambda hypothesis: -hypothesis.strength)


def first(scene: Scene) -> tuple[str, str, str]:
    best = raised(scene)[0]
    assert best.support, "a hypothesis without evidence"
    return best.entity.kind, best.entity.name, best.kind


def pending(message: str, *nodes: Api, **spec: Any) -> Scene:
    return seen(
        deployment("web", 0, **spec),
        pod("web", node="", **spec),
        event("Pod", "web-1", "FailedScheduling", message),
        *nodes,
    )


def claim_scene(claim: Api, volume: Api, *more: Api, phase: str = "Pending") -> Scene:
    wanted = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    wanted["resources"] = {"requests": {"storage": "1Gi"}}
    offered = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return seen(
        deployment("web", 0, volumes=volumes),
        pod("web", node="", volumes=volumes),
        {
            "kind": "PersistentVolumeClaim",
            "metadata": meta("data"),
            "spec": wanted | claim,
            "status": {"phase": phase},
        },
        {
            "kind": "PersistentVolume",
            "metadata": {"name": "disk", "labels": {"tier": "a"}, "creationTimestamp": ago(300)},
            "spec": offered | volume,
            "status": {"phase": "Bound" if volume.get("claimRef") else "Available"},
        },
        *more,
    )


def crashing(**status: Any) -> tuple[Api, Api]:
    last = {"terminated": {"exitCode": 1, "reason": "Error"}}
    return deployment("web", 0), pod(
        "web", "CrashLoopBackOff", status={"restartCount": 4, "lastState": last} | status
    )
