"""Pods that are never made, or made and placed on no node."""

from typing import Any

from clusters import deployment, event, healthy, node, pod, service

from cluster_faults.fault import WEB, Fault


def refused(kind: str, message: str, entity: tuple[str, str] = ("service", WEB)) -> Fault:
    """The API server makes no pod."""
    return Fault(
        kind,
        [deployment(WEB, 0), service(WEB)],
        [event("Deployment", WEB, "FailedCreate", message)],
        entity=entity,
    )


def unplaced(kind: str, message: str, **spec: Any) -> Fault:
    """The scheduler finds no node."""
    nodes = [node("n1"), node("n2")]
    return Fault(
        kind,
        [deployment(WEB, 0, **spec), pod(WEB, node="", **spec), service(WEB), *nodes],
        [event("Pod", "web-1", "FailedScheduling", f"0/2 nodes are available: {message}")],
        [*healthy(WEB), *nodes],
    )


ADMISSION = {
    "a memory quota used up": refused(
        "memory_quota_of_namespace_used_up",
        'pods "web-x" is forbidden: exceeded quota: q, requested: limits.memory=1Gi, used: '
        "limits.memory=4Gi, limited: limits.memory=4Gi",
        ("namespace", "shop"),
    ),
    "a quota that wants limits": refused(
        "quota_demands_requests_or_limits",
        'pods "web-x" is forbidden: failed quota: q: must specify limits.cpu for: main',
    ),
    "a limit range": refused(
        "limit_range_violated",
        'pods "web-x" is forbidden: minimum cpu usage per Container is 100m, but request is 50m',
    ),
    "a ratio of a limit range": refused(
        "limit_range_violated",
        'pods "web-x" is forbidden: memory max limit to request ratio per Container is 2',
    ),
    "a webhook that says no": refused(
        "admission_webhook_denied",
        'admission webhook "check.shop.test" denied the request: image is not signed',
    ),
    "a webhook that is down": refused(
        "admission_webhook_unreachable",
        'Internal error occurred: failed calling webhook "a.b.test": Post "https://a.b.svc": '
        "dial tcp 10.0.0.9:443: connect: connection refused",
    ),
    "a pod security standard": refused(
        "pod_security_standard_violated",
        'pods "web-x" is forbidden: violates PodSecurity "baseline:latest": privileged',
    ),
    "no priority class": refused(
        "priority_class_missing",
        'pods "web-x" is forbidden: no PriorityClass with name urgent was found',
    ),
    "no runtime class": refused(
        "runtime_class_missing",
        'pods "web-x" is forbidden: pod rejected: RuntimeClass "sandboxed" not found',
    ),
    "no service account": refused(
        "service_account_not_found",
        'pods "web-x" is forbidden: error looking up service account shop/w: '
        'serviceaccount "w" not found',
    ),
}

SCHEDULING = {
    "too little cpu": unplaced("cpu_request_over_capacity_of_nodes", "2 Insufficient cpu."),
    "too little memory": unplaced(
        "memory_request_over_capacity_of_nodes", "2 Insufficient memory."
    ),
    "too little scratch space": unplaced(
        "ephemeral_storage_request_over_capacity_of_nodes", "2 Insufficient ephemeral-storage."
    ),
    "no accelerator": unplaced(
        "device_request_over_capacity_of_nodes", "2 Insufficient example.test/gpu."
    ),
    "too many pods": unplaced("pod_count_over_capacity_of_nodes", "2 Too many pods."),
    "a taint": unplaced(
        "taint_of_node_not_tolerated", "2 node(s) had untolerated taint {dedicated: batch}."
    ),
    "a node selector": unplaced(
        "node_selector_matches_no_node",
        "2 node(s) didn't match Pod's node affinity/selector.",
        nodeSelector={"zone": "c"},
    ),
    "pod affinity": unplaced(
        "pod_affinity_leaves_no_node", "2 node(s) didn't match pod affinity rules."
    ),
    "pod anti-affinity": unplaced(
        "pod_anti_affinity_leaves_no_node", "2 node(s) didn't match pod anti-affinity rules."
    ),
    "topology spread": unplaced(
        "topology_spread_leaves_no_node",
        "2 node(s) didn't match pod topology spread constraints.",
    ),
    "a host port": unplaced(
        "host_port_taken_on_nodes",
        "2 node(s) didn't have free ports for the requested pod ports.",
    ),
    "a volume elsewhere": unplaced(
        "volume_node_affinity_conflict", "2 node(s) had volume node affinity conflict."
    ),
}
