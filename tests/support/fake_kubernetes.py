"""A Kubernetes API in memory, behind the real tools: as small as the gateway's tests need it."""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from canary import CANARY, CANARY_BASE64

from aiops.errors import ToolFailed
from aiops.ports.tools import Tool
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.kinds import KINDS, kind_named
from aiops_tools.kubernetes.probes import probes
from aiops_tools.kubernetes.reader import Reader
from aiops_tools.kubernetes.writer import Writer

if TYPE_CHECKING:
    from aiops_tools.kubernetes.connection import Connection

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLANTED = CANARY
Api = dict[str, Any]


class FakeConnection:
    """Stands where a Connection stands; every request that could change something is kept.

    Attributes:
        objects: by their path.
        changes: (verb, path) of what was changed, dry runs left out.
    """

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster
        self.objects: dict[str, Api] = {}
        self.changes: list[tuple[str, str]] = []

    def put(self, kind: str, name: str, namespace: str | None = None, **more: Any) -> Api:
        """Keep an object."""
        known = kind_named(kind)
        place = f"/namespaces/{namespace}" if namespace else ""
        one: Api = {
            "apiVersion": "v1",
            "kind": known.name,
            "metadata": {
                "name": name,
                "uid": f"{kind}-{namespace}-{name}",
                "resourceVersion": "1",
                "creationTimestamp": "2026-11-19T12:00:00Z",
                **({"namespace": namespace} if namespace else {}),
                **more.pop("metadata", {}),
            },
            **more,
        }
        self.objects[f"{known.root}{place}/{known.plural}/{name}"] = one
        return one

    def json(
        self,
        verb: str,
        path: str,
        query: Mapping[str, str | int | bool] | None = None,
        *,
        asked: str,
        body: Any = None,
        content: str = "",
    ) -> Api:
        """See Connection."""
        del content
        if verb == "POST":
            return {"status": {"allowed": True}}
        if path in self.objects:
            return self._one(verb, path, dict(query or {}), body)
        if verb == "GET" and path.rpartition("/")[2] in {kind.plural for kind in KINDS}:
            return {"items": self._items(path, dict(query or {}))}
        raise ToolFailed("not_found", f"{asked}: there is no such object in {self.cluster}")

    def ask(self, verb: str, path: str, *args: Any, **more: Any) -> bytes:
        """See Connection: of texts there are only logs."""
        del args
        if path.endswith("/log"):
            return f"2026-11-20T11:59:00Z the password is {PLANTED}\n".encode()
        return json.dumps(self.json(verb, path, asked=more["asked"])).encode()

    def close(self) -> None:
        """See Connection."""

    def _one(self, verb: str, path: str, query: dict[str, Any], body: Any) -> Api:
        one = deepcopy(self.objects[path])
        if verb == "GET":
            return one
        dry = "dryRun" in query or "dryRun" in (body or {})
        if verb == "DELETE":
            if not dry:
                self.changes.append((verb, path))
                del self.objects[path]
            return one
        changed = merged(one, body)
        changed["metadata"]["resourceVersion"] = str(int(one["metadata"]["resourceVersion"]) + 1)
        if not dry:
            self.changes.append((verb, path))
            self.objects[path] = deepcopy(changed)
        return changed

    def _items(self, path: str, query: dict[str, Any]) -> list[Api]:
        root, _, plural = path.rpartition("/")
        asked = [part for part in str(query.get("labelSelector", "")).split(",") if part]
        wanted = dict(part.split("=") for part in asked if "=" in part)
        return [
            deepcopy(one)
            for at, one in self.objects.items()
            if at.split("/")[-2] == plural
            and at.startswith(root)
            and wanted.items() <= (one["metadata"].get("labels") or {}).items()
        ]


def merged(one: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    found = dict(one) if isinstance(one, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def shop(cluster: str = "prod") -> FakeConnection:
    """A cluster with a shop, a payroll, and what belongs to the cluster itself."""
    api = FakeConnection(cluster)
    for namespace, name, replicas in (
        ("shop", "web", 4),
        ("shop", "api", 2),
        ("shop", "solo", 1),
        ("shop", "vault-1", 2),
        ("payroll", "pay", 2),
        ("kube-system", "coredns", 2),
    ):
        workload(api, namespace, name, replicas)
    for namespace in ("shop", "payroll", "kube-system"):
        api.put("Namespace", namespace)
        api.put("Secret", "db", namespace, type="Opaque", data={"password": CANARY_BASE64})
        api.put("ConfigMap", "settings", namespace, data={"level": "info"})
    api.put(
        "HorizontalPodAutoscaler",
        "front",
        "shop",
        spec={
            "minReplicas": 1,
            "maxReplicas": 4,
            "scaleTargetRef": {"kind": "Deployment", "name": "other"},
        },
    )
    port = {"port": 80, "protocol": "TCP", "targetPort": 81}
    api.put("Service", "front", "shop", spec={"selector": {"app": "web"}, "ports": [port]})
    for name in ("node-1", "node-2"):
        ready = {"type": "Ready", "status": "True"}
        api.put("Node", name, spec={}, status={"conditions": [ready]})
    return api


def workload(api: FakeConnection, namespace: str, name: str, replicas: int) -> None:
    """A Deployment with as many ready pods."""
    container = {"name": "main", "image": f"registry.test/{name}:1", "env": []}
    pod = {"containers": [container], "nodeName": "node-1"}
    labels = {"app": name}
    api.put(
        "Deployment",
        name,
        namespace,
        metadata={"generation": 1},
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
            },
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
        status={
            "observedGeneration": 1,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
        },
    )
    one = api.objects[f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    revision = api.put(
        "ReplicaSet",
        f"{name}-abc",
        namespace,
        metadata={"labels": labels, "ownerReferences": [owner(one)]},
        spec={"replicas": replicas, "selector": {"matchLabels": labels}, "template": {"spec": pod}},
        status={"replicas": replicas, "readyReplicas": replicas},
    )
    for number in range(replicas):
        ready = {"type": "Ready", "status": "True"}
        api.put(
            "Pod",
            f"{name}-{number}",
            namespace,
            metadata={"labels": labels, "ownerReferences": [owner(revision)]},
            spec=pod,
            status={"phase": "Running", "conditions": [ready]},
        )


def owner(one: Api) -> Api:
    """A reference to who made an object."""
    metadata = one["metadata"]
    return {
        "kind": one["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }


def tools_of(api: FakeConnection) -> tuple[Tool, ...]:
    """The real tools over it."""
    connection = cast("Connection", api)
    reading = probes("kubernetes", Reader(connection), lambda: NOON)
    return (*reading, *actions("kubernetes", Writer(connection), 2.0))
