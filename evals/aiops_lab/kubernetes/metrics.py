"""metrics.k8s.io: what pods and nodes use now, as the runtime measures it."""

from decimal import Decimal

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.quantities import cores
from aiops_lab.kubernetes.store import Object

VERSION = "metrics.k8s.io/v1beta1"
WINDOW = "1s"


def _usage(cpu: float, memory: int) -> Object:
    return {"cpu": cores(Decimal(cpu)), "memory": f"{memory // 1024}Ki"}


def _running(cluster: Cluster, namespace: str) -> list[Object]:
    return [
        pod
        for pod in cluster.every("pods", namespace)
        if pod.get("status", {}).get("phase") == "Running"
    ]


def pod_metrics(cluster: Cluster, namespace: str = "") -> list[Object]:
    """A PodMetrics of every running pod.

    The runtime measures whole pods: what one takes stands with its first container.
    """
    found = []
    for pod in _running(cluster, namespace):
        names = [c["name"] for c in pod["spec"]["containers"]]
        usage = [cluster.runtime.usage(pod["metadata"]["uid"]), *((0.0, 0) for _ in names[1:])]
        found.append(
            {
                "apiVersion": VERSION,
                "kind": "PodMetrics",
                "metadata": _metadata(pod),
                "timestamp": cluster.now(),
                "window": WINDOW,
                "containers": [
                    {"name": name, "usage": _usage(*used)}
                    for name, used in zip(names, usage, strict=True)
                ],
            }
        )
    return found


def _metadata(obj: Object) -> Object:
    wanted = ("name", "namespace", "labels", "creationTimestamp")
    return {name: obj["metadata"][name] for name in wanted if name in obj["metadata"]}


def node_metrics(cluster: Cluster) -> list[Object]:
    """A NodeMetrics of every node: the sum over its pods."""
    found = []
    for node in cluster.every("nodes"):
        usage = [
            cluster.runtime.usage(pod["metadata"]["uid"])
            for pod in _running(cluster, "")
            if pod["spec"].get("nodeName") == node["metadata"]["name"]
        ]
        total = _usage(sum(cpu for cpu, _ in usage), sum(memory for _, memory in usage))
        found.append(
            {
                "apiVersion": VERSION,
                "kind": "NodeMetrics",
                "metadata": _metadata(node),
                "timestamp": cluster.now(),
                "window": WINDOW,
                "usage": total,
            }
        )
    return found
