"""Endpoints and EndpointSlices of services, and what their proxies balance over."""

from collections.abc import Iterable

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, is_ready, owner_reference
from aiops_lab.kubernetes.selectors import equals
from aiops_lab.kubernetes.store import Change, Object

SLICES = "endpointslices.discovery.k8s.io"


class ServiceEndpoints:
    """Keeps for every service with a selector which pods are ready behind it."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._served: dict[Name, set[str]] = {}

    def touched(self, change: Change) -> Iterable[Name]:
        """A service, or those that choose a changed pod."""
        if change.now.key[0] == "services":
            return [change.now.key[1:]]
        if change.now.key[0] != "pods":
            return ()
        labels = [
            kept.object["metadata"].get("labels") or {}
            for kept in (change.now, change.before)
            if kept
        ]
        return [
            kept.key[1:]
            for kept in self._cluster.store.select("services", change.now.key[1])
            if any(equals(kept.object["spec"].get("selector")).matches(found) for found in labels)
        ]

    def reconcile(self, name: Name) -> float | None:
        """Write who is behind the service."""
        service = self._cluster.find("services", *name)
        if service is None:
            self._drop(name)
            return None
        if not service["spec"].get("selector"):
            return None
        pods = [
            pod
            for pod in self._cluster.every("pods", name[0])
            if equals(service["spec"]["selector"]).matches(pod["metadata"].get("labels") or {})
            and pod["status"].get("podIP")
            and pod["status"].get("phase") not in ("Succeeded", "Failed")
            and not pod["metadata"].get("deletionTimestamp")
        ]
        publish = service["spec"].get("publishNotReadyAddresses", False)
        ready = [pod for pod in pods if publish or is_ready(pod)]
        self._serve(name, service, ready)
        self._write_endpoints(name, service, ready, [pod for pod in pods if pod not in ready])
        self._write_slice(name, service, pods)
        return None

    def _drop(self, name: Name) -> None:
        for key in (("endpoints", *name), (SLICES, name[0], _slice_name(name[1]))):
            if self._cluster.store.get(*key) is not None:
                self._cluster.store.remove(key)
        for port in self._served.pop(name, ()):
            self._cluster.runtime.endpoints(port, None)

    def _serve(self, name: Name, service: Object, ready: list[Object]) -> None:
        """Tell the proxies; a headless service has none."""
        if service["spec"].get("clusterIP") == "None":
            return
        served = set()
        for port in service["spec"].get("ports") or ():
            key = f"{name[0]}/{name[1]}:{port['port']}"
            targets = [
                (pod["metadata"]["uid"], number)
                for pod in ready
                if (number := target_port(pod, port)) is not None
            ]
            self._cluster.runtime.endpoints(key, targets)
            served.add(key)
        for gone in self._served.get(name, set()) - served:
            self._cluster.runtime.endpoints(gone, None)
        self._served[name] = served

    def _write_endpoints(
        self, name: Name, service: Object, ready: list[Object], unready: list[Object]
    ) -> None:
        subset: Object = {}
        if ready:
            subset["addresses"] = [_address(pod) for pod in ready]
        if unready:
            subset["notReadyAddresses"] = [_address(pod) for pod in unready]
        if subset:
            subset["ports"] = _ports(service, ready or unready)
        labels = dict(service["metadata"].get("labels") or {})
        self._put("endpoints", name, {"labels": labels}, {"subsets": [subset] if subset else []})

    def _write_slice(self, name: Name, service: Object, pods: list[Object]) -> None:
        labels = {
            **(service["metadata"].get("labels") or {}),
            "kubernetes.io/service-name": name[1],
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        endpoints = [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {
                    "ready": is_ready(pod),
                    "serving": is_ready(pod),
                    "terminating": False,
                },
                "nodeName": pod["spec"].get("nodeName", ""),
                "targetRef": _reference(pod),
            }
            for pod in pods
        ]
        metadata = {
            "labels": labels,
            "generateName": f"{name[1]}-",
            "ownerReferences": [owner_reference(service)],
        }
        # Clients of slices read a name from every port, be it empty.
        ports = [{"name": "", **port} for port in _ports(service, pods)]
        body = {"addressType": "IPv4", "endpoints": endpoints, "ports": ports}
        self._put(SLICES, (name[0], _slice_name(name[1])), metadata, body)

    def _put(self, resource: str, name: Name, metadata: Object, body: Object) -> None:
        present = self._cluster.find(resource, *name)
        if present is None:
            named = {"namespace": name[0], "name": name[1], **metadata}
            self._cluster.insert(resource, {"metadata": named, **body})
        else:
            self._cluster.change(present, metadata={**present["metadata"], **metadata}, **body)


def _slice_name(service: str) -> str:
    return f"{service}-lab01"


def target_port(pod: Object, port: Object) -> int | None:
    """The container port a service port leads to; None where the pod has no port of that name."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    named = (
        found["containerPort"]
        for container in pod["spec"]["containers"]
        for found in container.get("ports") or ()
        if found.get("name") == target
    )
    return next(named, None)


def _ports(service: Object, pods: list[Object]) -> list[Object]:
    found = []
    for port in service["spec"].get("ports") or ():
        numbers = (n for pod in pods if (n := target_port(pod, port)) is not None)
        number = next(numbers, None)
        if number is not None:
            name = {"name": port["name"]} if port.get("name") else {}
            found.append({**name, "port": number, "protocol": port.get("protocol", "TCP")})
    return found


def _reference(pod: Object) -> Object:
    metadata = pod["metadata"]
    reference = {"kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
    return {**reference, "namespace": metadata["namespace"]}


def _address(pod: Object) -> Object:
    address: Object = {"ip": pod["status"]["podIP"], "targetRef": _reference(pod)}
    if pod["spec"].get("nodeName"):
        address["nodeName"] = pod["spec"]["nodeName"]
    return address
