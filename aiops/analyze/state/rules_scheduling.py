"""Pods no node takes: what they ask for, against what the nodes are."""

import re
from collections.abc import Iterator, Mapping

from aiops.analyze.state.holds_now import unwell
from aiops.analyze.state.raising import CONTRADICTION, FITS, NAMED, raised
from aiops.analyze.state.scene import Scene
from aiops.model import Entity, Evidence, FaultType, Hypothesis
from aiops.model.cluster import Event, Node, Pod, Taint
from aiops.model.pod_spec import PodSpec, Requirement

SILENT_S = 20.0
"""Seconds a pod waits for a node without a word from a scheduler, before the scheduler is taken to
be gone: a living one decides, or complains, within a second or two."""
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_BUILT_IN_TAINT = re.compile(
    r"node(?:\.kubernetes\.io|-role\.kubernetes\.io)|node\.cloudprovider|node\.cilium"
)
_LACKS: tuple[tuple[str, str, FaultType], ...] = (
    (r"Insufficient cpu", "cpu_request_over_capacity_of_nodes", FaultType.SCHEDULING),
    (r"Insufficient memory", "memory_request_over_capacity_of_nodes", FaultType.SCHEDULING),
    (
        r"Insufficient ephemeral-storage",
        "ephemeral_storage_request_over_capacity_of_nodes",
        FaultType.SCHEDULING,
    ),
    (r"Insufficient pods|Too many pods", "pod_count_over_capacity_of_nodes", FaultType.SCHEDULING),
    (r"Insufficient [\w./-]+", "device_request_over_capacity_of_nodes", FaultType.SCHEDULING),
    (r"anti-affinity", "pod_anti_affinity_leaves_no_node", FaultType.SCHEDULING),
    (r"pod affinity rules", "pod_affinity_leaves_no_node", FaultType.SCHEDULING),
    (r"topology spread", "topology_spread_leaves_no_node", FaultType.SCHEDULING),
    (r"free ports", "host_port_taken_on_nodes", FaultType.SCHEDULING),
    (r"volume node affinity", "volume_node_affinity_conflict", FaultType.STORAGE),
    (r"exceed max volume count", "volume_count_over_capacity_of_nodes", FaultType.STORAGE),
)
"""What a scheduler says is lacking on nodes that were otherwise fit."""


def unschedulable(scene: Scene) -> Iterator[Hypothesis]:
    """A pod waits for a node, and the scheduler says why."""
    for app in scene.apps:
        waiting = [pod for pod in app.pods if unwell(pod) and not pod.node]
        told = [
            event
            for pod in waiting
            for event in scene.events_about.get(pod.key, ())
            if event.reason == "FailedScheduling"
        ]
        if not told:
            continue
        last = min(told, key=lambda event: event.last_s if event.last_s is not None else 0.0)
        reasons = list(_reasons(scene, waiting[0], last))
        # The first reason is the pod's own; the others are what other nodes had against it.
        for rank, (kind, fault, telling) in enumerate(reasons):
            yield raised(
                app.entity,
                fault,
                kind,
                telling if rank == 0 else telling * FITS,
                [
                    scene.read(f"{app.name}: {last.message}", (last.source,), "event"),
                    _nodes_evidence(scene, waiting[0].spec),
                ],
                affected=len(waiting),
                refuted_by=f"a ready node that fits what {app.name} asks for",
                explains=[_entity_of(scene, name) for name in scene.callers_of(app.name)],
            )


def no_scheduler(scene: Scene) -> Iterator[Hypothesis]:
    """Pods wait for a node and no scheduler says a word."""
    if not any(event.about[0] == "pod" for event in scene.state.events):
        return  # no events of pods were read: silence means nothing
    waiting = [
        (app, pod)
        for app in scene.apps
        for pod in app.pods
        if pod.status == "Pending"
        and not pod.node
        and (pod.age_s or 0.0) > SILENT_S
        and not any(
            event.reason in ("FailedScheduling", "Scheduled")
            for event in scene.events_about.get(pod.key, ())
        )
        and pod.spec.scheduler in ("", "default-scheduler")
    ]
    if not waiting:
        return
    planes = [node for node in scene.state.nodes if _is_control_plane(node)]
    entity = Entity("component", "kube-scheduler")
    if len(planes) == 1:
        entity = Entity("node", planes[0].name, cluster=planes[0].cluster)
    yield raised(
        entity,
        FaultType.SCHEDULING,
        "kube_scheduler_not_running",
        FITS,
        [
            scene.read(f"{pod.name} waits for a node without any event of a scheduler", pod.sources)
            for _, pod in waiting[:3]
        ],
        affected=len(waiting),
        refuted_by="any pod being scheduled now",
        explains=[app.entity for app, _ in waiting],
    )


def _reasons(scene: Scene, pod: Pod, event: Event) -> Iterator[tuple[str, FaultType, float]]:
    message = event.message.partition("preemption:")[0]
    spec = pod.spec
    scheduling = FaultType.SCHEDULING
    if "persistentvolumeclaim" in message.lower() or "PersistentVolumeClaim" in message:
        return  # rules_storage compares the claim with the volumes
    taints = [
        Taint(key, value)
        for key, value in re.findall(r"untolerated taint \{([^:}]+):\s*([^}]*)\}", message)
        if not _BUILT_IN_TAINT.match(key)
    ]
    if taints:
        yield "taint_of_node_not_tolerated", scheduling, NAMED
    if "affinity/selector" in message or "node selector" in message or "unschedulable" in message:
        yield from _fit(scene, spec, message)
    for pattern, kind, fault in _LACKS:
        if re.search(pattern, message):
            yield kind, fault, NAMED
            break
    if "untolerated taint" in message and not taints:
        yield "no_ready_node_left", FaultType.NODE, FITS


def _fit(scene: Scene, spec: PodSpec, message: str) -> Iterator[tuple[str, FaultType, float]]:
    """Which of selector, affinity and cordon keeps the pod away, by the nodes themselves."""
    scheduling = FaultType.SCHEDULING
    workers = [node for node in scene.state.nodes if not _is_control_plane(node)]
    if "affinity/selector" in message or "node selector" in message:
        by_selector = [n for n in workers if spec.node_selector.items() <= n.labels.items()]
        fitting = [node for node in by_selector if fits(node, spec)]
        if fitting and any(node.unschedulable for node in fitting):
            yield "matching_node_is_cordoned", scheduling, NAMED
        elif fitting:
            return
        elif spec.node_selector and not by_selector:
            yield "node_selector_matches_no_node", scheduling, NAMED
        elif spec.node_affinity:
            yield "node_affinity_matches_no_node", scheduling, NAMED
        elif spec.node_selector:
            yield "node_selector_matches_no_node", scheduling, CONTRADICTION
        else:
            yield "node_affinity_matches_no_node", scheduling, FITS
    elif workers and all(node.unschedulable for node in workers):
        yield "all_nodes_are_cordoned", scheduling, NAMED
    elif not any(word in message for word in ("Insufficient", "didn't", "taint", "Too many")):
        yield "matching_node_is_cordoned", scheduling, FITS


def fits(node: Node, spec: PodSpec) -> bool:
    """Whether the node's labels are what the pod's selector and affinity ask for."""
    if not spec.node_selector.items() <= node.labels.items():
        return False
    if not spec.node_affinity:
        return True
    return any(all(_holds(one, node.labels) for one in term) for term in spec.node_affinity)


def _holds(one: Requirement, labels: Mapping[str, str]) -> bool:
    found = labels.get(one.key)
    if one.operator == "Exists":
        return found is not None
    if one.operator == "DoesNotExist":
        return found is None
    if one.operator == "NotIn":
        return found not in one.values
    if (
        one.operator in ("Gt", "Lt")
        and found is not None
        and found.isdigit()
        and one.values[0].isdigit()
    ):
        return (
            int(found) > int(one.values[0])
            if one.operator == "Gt"
            else int(found) < int(one.values[0])
        )
    return found in one.values


def _is_control_plane(node: Node) -> bool:
    roles = [
        key.rpartition("/")[2] for key in node.labels if key.startswith("node-role.kubernetes.io/")
    ]
    roles.append(node.labels.get("kubernetes.io/role", ""))
    return (
        "master" in roles
        or "control-plane" in roles
        or any(taint.key in _CONTROL_PLANE for taint in node.taints)
    )


def _nodes_evidence(scene: Scene, spec: PodSpec) -> Evidence | None:
    cordoned = [node.name for node in scene.state.nodes if node.unschedulable]
    wanted = ", ".join(f"{key}={value}" for key, value in spec.node_selector.items())
    fitting = [node.name for node in scene.state.nodes if fits(node, spec)]
    if not scene.state.nodes:
        return None
    return scene.read(
        f"nodes that fit {wanted or 'its affinity'}: {', '.join(fitting) or 'none'}; "
        f"cordoned: {', '.join(cordoned) or 'none'}",
        scene.state.nodes[0].sources,
    )


def _entity_of(scene: Scene, name: str) -> Entity:
    return scene.by_name[name].entity if name in scene.by_name else Entity("service", name)


RULES = (unschedulable, no_scheduler)
