"""Filling a fresh cluster: `bootstrap.yaml`, its nodes, and the definitions of Chaos Mesh."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiops_lab.kubernetes.access import MASTERS, User
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.chaos import GROUP
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Object
from aiops_lab.kubernetes.writing import Write, Writer

_CHAOS = {
    "PodChaos": "podchaos",
    "NetworkChaos": "networkchaos",
    "StressChaos": "stresschaos",
    "HTTPChaos": "httpchaos",
    "IOChaos": "iochaos",
    "TimeChaos": "timechaos",
    "DNSChaos": "dnschaos",
    "Workflow": "workflows",
    "Schedule": "schedules",
}
_WITHOUT_ACTION = ("StressChaos", "TimeChaos", "HTTPChaos", "Workflow", "Schedule")
_ACTION = [{"name": "Action", "type": "string", "jsonPath": ".spec.action"}]
SERVER = Write(User("system:apiserver", (MASTERS,)), "lab")


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """One node of the cluster: what it has to give.

    Args:
        cpu, memory: quantities.
    """

    name: str
    cpu: str = "8"
    memory: str = "16Gi"
    pods: int = 600
    address: str = "127.0.0.1"


def fill(cluster: Cluster, writer: Writer, nodes: tuple[NodeSpec, ...]) -> None:
    """Write what a fresh cluster has in it."""
    import yaml

    text = Path(__file__).with_name("bootstrap.yaml").read_text(encoding="utf-8")
    for obj in [*yaml.safe_load(text), *map(_node, nodes), *_chaos_definitions()]:
        version = obj.setdefault("apiVersion", "v1")
        kind = cluster.registry.of(version, obj["kind"])
        assert kind is not None, obj["kind"]  # noqa: S101 - our own file
        written = writer.create(kind, obj["metadata"].get("namespace", ""), obj, SERVER)
        if "status" in obj:
            cluster.change(written.object, status=obj["status"])
    _api_service(cluster, writer)


def _api_service(cluster: Cluster, writer: Writer) -> None:
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}
    service = {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver"}},
        "spec": {"ports": [port]},
    }
    with suppress(Refused):
        writer.create(cluster.kind("services"), "default", service, SERVER)


def _node(node: NodeSpec) -> Object:
    room = {
        "cpu": node.cpu,
        "memory": node.memory,
        "pods": str(node.pods),
        "ephemeral-storage": "50Gi",
    }
    return {
        "kind": "Node",
        "metadata": {
            "name": node.name,
            "labels": {
                "kubernetes.io/hostname": node.name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
            },
        },
        "spec": {},
        "status": {
            "capacity": room,
            "allocatable": room,
            "addresses": [
                {"type": "InternalIP", "address": node.address},
                {"type": "Hostname", "address": node.name},
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": "",
                "containerRuntimeVersion": "lab://1",
                "kernelVersion": "",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.32.0-lab",
                "machineID": "",
                "operatingSystem": "linux",
                "osImage": "processes of this machine",
                "systemUUID": "",
            },
        },
    }


def _chaos_definitions() -> Iterator[Object]:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    for kind, plural in _CHAOS.items():
        version = {
            "name": "v1alpha1",
            "served": True,
            "storage": True,
            "schema": {"openAPIV3Schema": schema},
            "additionalPrinterColumns": [
                *([] if kind in _WITHOUT_ACTION else _ACTION),
                {"name": "Duration", "type": "string", "jsonPath": ".spec.duration"},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            ],
        }
        yield {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{GROUP}"},
            "spec": {
                "group": GROUP,
                "scope": "Namespaced",
                "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                "versions": [version],
            },
        }
