"""Machines and the cluster's own parts."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, unwell
from aiops.analyze.state.raising import FITS, HINT, NAMED, SYMPTOM, raised
from aiops.analyze.state.scene import Scene
from aiops.model import Entity, FaultType, Hypothesis
from aiops.model.cluster import Node

_RUNTIMES = ("containerd", "docker", "crio", "cri-o")
_CONDITIONS = {
    "MemoryPressure": ("node_memory_pressure", FaultType.MEMORY),
    "DiskPressure": ("node_disk_pressure", FaultType.DISK),
    "PIDPressure": ("node_process_id_pressure", FaultType.NODE),
    "NetworkUnavailable": ("node_network_unavailable", FaultType.NETWORK_PARTITION),
    "ReadonlyFilesystem": ("node_file_system_read_only", FaultType.DISK),
    "KernelDeadlock": ("node_kernel_deadlock", FaultType.NODE),
}
"""Conditions that are bad when true."""
_SYSTEM = (
    ("coredns", "dns_server_not_running", FaultType.DNS),
    ("kube-dns", "dns_server_not_running", FaultType.DNS),
    ("kube-proxy", "kube_proxy_not_running", FaultType.NODE),
    ("kube-scheduler", "kube_scheduler_not_running", FaultType.SCHEDULING),
    ("kube-controller-manager", "kube_controller_manager_not_running", FaultType.NODE),
    ("kube-apiserver", "kube_apiserver_not_running", FaultType.NODE),
    ("etcd", "etcd_not_running", FaultType.NODE),
)
"""Pods of the control plane, by the beginning of their names."""


def daemons(scene: Scene) -> Iterator[Hypothesis]:
    """A service of a machine's init system that does not run.

    Where the container runtime is down, a kubelet that is down too is its consequence.
    """
    down = {(one.node, one.name) for one in scene.state.daemons if not one.active}
    for one in scene.state.daemons:
        if one.active:
            continue
        plain = one.name.lower().removesuffix(".service")
        behind = plain == "kubelet" and any((one.node, name) in down for name in _RUNTIMES)
        scheduler = "scheduler" in plain
        victims = _victims(scene, one.node, scheduler=scheduler)
        yield raised(
            Entity("node", one.node),
            FaultType.SCHEDULING if scheduler else FaultType.NODE,
            f"{re.sub(r'[^a-z0-9]+', '_', plain)}_not_running",
            NAMED * (FITS if behind else 1.0),
            [scene.read(f"{one.name} on {one.node} is {one.status}", (one.source,), "tool")],
            affected=max(len(victims), 1),
            indicator=one.name,
            refuted_by=f"{one.name} running on {one.node}",
            explains=[*victims, *(_clients(scene, one.node) if plain == "kube-proxy" else ())],
        )


def nodes(scene: Scene) -> Iterator[Hypothesis]:
    """A machine that is not ready or says it lacks something."""
    stopped = {one.node for one in scene.state.daemons if not one.active}
    for node in scene.state.nodes:
        victims = _victims(scene, node.name)
        entity = Entity("node", node.name, cluster=node.cluster)
        if node.ready is False:
            kind, words = _not_ready(scene, node)
            yield raised(
                entity,
                FaultType.NODE,
                kind,
                SYMPTOM if node.name in stopped else FITS,
                [scene.read(f"node {node.name} is not ready: {words}", node.sources)],
                affected=max(len(victims), 1),
                refuted_by=f"node {node.name} being ready",
                explains=victims,
            )
        for condition in node.conditions:
            if condition.status == "True" and condition.type in _CONDITIONS:
                kind, fault = _CONDITIONS[condition.type]
                yield raised(
                    entity,
                    fault,
                    kind,
                    FITS,
                    [
                        scene.read(
                            f"node {node.name}: {condition.type}, {condition.message}", node.sources
                        )
                    ],
                    affected=max(len(victims), 1),
                    refuted_by=f"{condition.type} of {node.name} being false",
                    explains=victims,
                )
        for event in scene.events_about.get(node.key, ()):
            if event.reason in ("Rebooted", "SystemOOM", "OOMKilling", "KernelOops") and current(
                event
            ):
                yield raised(
                    entity,
                    FaultType.NODE if event.reason == "Rebooted" else FaultType.MEMORY,
                    f"node_{event.reason.lower()}",
                    HINT,
                    [scene.read(event.message, (event.source,), "event")],
                )


def system_pods(scene: Scene) -> Iterator[Hypothesis]:
    """A part of the control plane that runs as pods, and does not."""
    for start, kind, fault in _SYSTEM:
        pods = [
            pod
            for pod in scene.state.pods
            if pod.namespace == "kube-system" and pod.name.startswith(start)
        ]
        bad = [pod for pod in pods if unwell(pod)]
        if not bad:
            continue
        on = bad[0].node or next(
            (n.name for n in scene.state.nodes if bad[0].name.endswith(n.name)), ""
        )
        on_node = on and start not in ("coredns", "kube-dns")
        entity = (
            Entity("node", on) if on_node else Entity("component", start, namespace="kube-system")
        )
        yield raised(
            entity,
            fault,
            kind,
            FITS if len(bad) == len(pods) or on_node else SYMPTOM,
            [scene.read(f"{pod.name} is {pod.status}", pod.sources) for pod in bad[:3]],
            affected=len(bad),
            refuted_by=f"{start} running everywhere",
        )


def _not_ready(scene: Scene, node: Node) -> tuple[str, str]:
    ready = next((one for one in node.conditions if one.type == "Ready"), None)
    message = f"{ready.reason} {ready.message}" if ready else ""
    told = " ".join(e.message for e in scene.events_about.get(node.key, ()) if current(e))
    if re.search(
        r"container runtime is down|PLEG|runtime network not ready|\.sock", message + told, re.I
    ):
        return "container_runtime_not_running", message
    if ready is not None and (ready.status == "Unknown" or "stopped posting" in message):
        return "kubelet_not_running", message
    return "node_not_ready", message


def _victims(scene: Scene, node: str, *, scheduler: bool = False) -> list[Entity]:
    return [
        app.entity
        for app in scene.apps
        if any(
            unwell(pod) and (pod.node == node or (scheduler and not pod.node)) for pod in app.pods
        )
    ]


def _clients(scene: Scene, node: str) -> list[Entity]:
    """Whoever calls from ``node``, where addresses of services lead nowhere, and their callers."""
    clients = [app for app in scene.apps if any(pod.node == node for pod in app.pods)]
    callers = (caller for app in clients for caller in scene.caller_entities(app.name))
    return [*(app.entity for app in clients), *callers]


RULES = (daemons, nodes, system_pods)
