"""What breaks on any cluster: each fault is named first, and its healed twin accuses nobody.

The twin keeps the events of the fault: what has cleared since is history.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from clusters import (
    Api,
    ago,
    deployment,
    event,
    first,
    healthy,
    meta,
    node,
    pod,
    pod_spec,
    raised,
    seen,
    service,
)

WEB = "web"


@dataclass(frozen=True)
class Fault:
    """A cluster with one fault, and the same cluster without.

    Attributes:
        broken, healed: objects; healed ones are those of a healthy web where none are given.
        events: of both.
    """

    kind: str
    broken: list[Api]
    events: list[Api] = field(default_factory=list)
    healed: list[Api] = field(default_factory=lambda: healthy(WEB))
    logs: dict[str, str] = field(default_factory=dict)
    entity: tuple[str, str] = ("service", WEB)


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


def waiting(kind: str, reason: str, message: str, because: str = "Failed", **spec: Any) -> Fault:
    """The kubelet cannot start a container."""
    return Fault(
        kind,
        [deployment(WEB, 0, **spec), pod(WEB, reason, **spec), service(WEB)],
        [event("Pod", "web-1", because, message)],
    )


def dying(
    kind: str, code: int = 1, said: str = "", reason: str = "Error", events: list[Api] | None = None
) -> Fault:
    """A container starts and dies, again and again."""
    last = {"terminated": {"exitCode": code, "reason": reason}}
    status = {"restartCount": 6, "lastState": last}
    return Fault(
        kind,
        [deployment(WEB, 0), pod(WEB, "CrashLoopBackOff", status=status), service(WEB)],
        events or [],
        logs={WEB: said} if said else {},
    )


def probed(kind: str, role: str, probe: Api, message: str, code: int = 143) -> Fault:
    """A probe fails."""
    spec = {"container": {f"{role}Probe": probe}}
    status: Api = {"ready": False, "restartCount": 4 if role != "readiness" else 0}
    status["lastState"] = {"terminated": {"exitCode": code, "reason": "Error"}}
    return Fault(
        kind,
        [deployment(WEB, 0, **spec), pod(WEB, status=status, **spec), service(WEB)],
        [event("Pod", "web-1", "Unhealthy", f"{role.capitalize()} probe failed: {message}")],
        [deployment(WEB, **spec), pod(WEB, **spec), service(WEB)],
    )


def unmounted(kind: str, message: str, reason: str = "FailedMount") -> Fault:
    """A pod waits for a volume."""
    return waiting(kind, "ContainerCreating", message, reason)


def stateful(phase: str, volume: Api | None = None, **claim: Any) -> list[Api]:
    """A stateful set whose first pod has the claim of its template."""
    ready = phase == "Bound"
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    one = pod("db", node="n1" if ready else "", volumes=volumes)
    one["metadata"]["name"] = "db-0"
    one["metadata"]["ownerReferences"] = [{"kind": "StatefulSet", "name": "db"}]
    wanted = {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"}
    return [
        deployment("db", int(ready)) | {"kind": "StatefulSet"},
        one,
        {
            "kind": "PersistentVolumeClaim",
            "metadata": meta("data-db-0"),
            "spec": wanted | claim,
            "status": {"phase": phase},
        },
        *([volume] if volume else []),
    ]


def autoscaler(current: int, **status: Any) -> Api:
    return {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta(WEB),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": WEB}, "maxReplicas": 4},
        "status": {"currentReplicas": current, "desiredReplicas": current} | status,
    }


def evicted(message: str) -> list[Api]:
    one = pod(WEB)
    one["status"] = {"phase": "Failed", "reason": "Evicted", "message": message}
    return [deployment(WEB, 0), one, service(WEB)]


def left_behind(message: str) -> list[Api]:
    old = evicted(message)[1]
    old["metadata"]["name"] = "web-0"
    return [*healthy(WEB), old]


def gated(ready: bool) -> list[Api]:
    one = pod(WEB)
    status = {"type": "Ready", "status": "True" if ready else "False"}
    if not ready:
        status |= {
            "reason": "ReadinessGatesNotReady",
            "message": 'corresponding condition of pod readiness gate "lb/up" does not exist.',
        }
    one["status"]["conditions"] = [status]
    return [deployment(WEB, int(ready)), one, service(WEB)]


def initialising(ok: bool) -> list[Api]:
    spec = {"initContainers": [{"name": "migrate", "image": "web:1"}]}
    one = pod(WEB, "" if ok else "PodInitializing", **spec)
    done = {"terminated": {"exitCode": 0, "reason": "Completed"}}
    failing = {"waiting": {"reason": "CrashLoopBackOff"}}
    one["status"]["initContainerStatuses"] = [
        {"name": "migrate", "ready": ok, "restartCount": 0 if ok else 5}
        | {"state": done if ok else failing}
    ]
    return [deployment(WEB, int(ok), **spec), one, service(WEB)]


def job(status: Api, **spec: Any) -> list[Api]:
    return [
        {
            "kind": "Job",
            "metadata": meta("report"),
            "spec": {"completions": 1, "template": {"spec": pod_spec("report")}} | spec,
            "status": status,
        }
    ]


def cron_job(suspend: bool) -> list[Api]:
    template = {"spec": {"template": {"spec": pod_spec("nightly")}}}
    return [
        {
            "kind": "CronJob",
            "metadata": meta("nightly"),
            "spec": {"schedule": "0 3 * * *", "suspend": suspend, "jobTemplate": template},
        }
    ]


def daemon_set(ready: int) -> list[Api]:
    one = deployment("agent") | {
        "kind": "DaemonSet",
        "status": {"desiredNumberScheduled": 1, "numberReady": ready},
    }
    del one["spec"]["replicas"]
    made = pod("agent", "" if ready else "CreateContainerConfigError")
    made["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "agent"}]
    return [one, made]


def paused(ready: int) -> list[Api]:
    one = deployment(WEB, ready, 2)
    one["spec"]["paused"] = True
    second = pod(WEB)
    second["metadata"]["name"] = "web-2"
    pods = [pod(WEB), second] if ready == 2 else [pod(WEB)]
    return [one, *pods, service(WEB)]


def unhappy(condition: str, status: str = "True") -> list[Api]:
    machine = node("n1")
    machine["status"]["conditions"].append({"type": condition, "status": status})
    return [*healthy(WEB), machine]


def resolving(policy: str, *, ok: bool) -> list[Api]:
    spec: Api = {"dnsPolicy": policy}
    state = {"restartCount": 5, "lastState": {"terminated": {"exitCode": 1}}}
    one = pod(WEB, **spec) if ok else pod(WEB, "CrashLoopBackOff", status=state, **spec)
    return [deployment(WEB, int(ok), **spec), one, service(WEB)]


def fenced(**spec: Any) -> Api:
    return {"kind": "NetworkPolicy", "metadata": meta("fence", 60), "spec": spec}


def system_pod(name: str, waiting_for: str = "") -> Api:
    one = pod(name, waiting_for)
    one["metadata"] |= {"name": f"{name}-abc", "namespace": "kube-system"}
    del one["metadata"]["ownerReferences"]
    return one


DISK = {
    "kind": "PersistentVolume",
    "metadata": {"name": "disk", "creationTimestamp": ago(300)},
    "spec": {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadOnlyMany"],
        "storageClassName": "fast",
    },
    "status": {"phase": "Available"},
}
STUCK = {"tcpSocket": {"port": 8080}, "initialDelaySeconds": 5, "periodSeconds": 10}
LOW = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi."
SCRATCH = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi."
USER = 'pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource "pods"'
MUTATED = 'admission webhook "check.shop.test" denied the request: image is not signed'

FAULTS = {
    # admission
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
    "a webhook that says no": refused("admission_webhook_denied", MUTATED),
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
    # scheduling
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
    # storage
    "a stateful set without a storage class": Fault(
        "storage_class_of_claim_missing",
        stateful("Pending"),
        [
            event(
                "PersistentVolumeClaim",
                "data-db-0",
                "ProvisioningFailed",
                'storageclass.storage.k8s.io "fast" not found',
            )
        ],
        stateful("Bound"),
        entity=("service", "db"),
    ),
    "a stateful set whose volume is read by many": Fault(
        "access_mode_of_claim_not_offered_by_volume",
        stateful("Pending", DISK),
        healed=stateful("Bound", DISK),
        entity=("service", "db"),
    ),
    "a claim that is not there": Fault(
        "referenced_claim_missing",
        [deployment(WEB, 0), pod(WEB, node=""), service(WEB)],
        [
            event(
                "Pod",
                "web-1",
                "FailedScheduling",
                '0/1 nodes are available: persistentvolumeclaim "d" not found.',
            )
        ],
    ),
    "a volume on another node": unmounted(
        "volume_attached_to_another_node",
        'Multi-Attach error for volume "pv-1" Volume is already used by pod(s) web-0',
        "FailedAttachVolume",
    ),
    "a share that cannot be reached": unmounted(
        "volume_server_unreachable", "mount.nfs: Connection timed out"
    ),
    "a secret to mount": unmounted(
        "referenced_secret_missing",
        'MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found',
    ),
    "a config map to mount": unmounted(
        "referenced_config_map_missing",
        'MountVolume.SetUp failed for volume "conf" : configmap "web-conf" not found',
    ),
    # starting
    "a tag that does not exist": waiting(
        "image_reference_wrong",
        "ImagePullBackOff",
        'Failed to pull image "r.test/web:9": rpc error: manifest for r.test/web:9 not found',
    ),
    "no pull secret": waiting(
        "image_pull_secret_missing_or_refused",
        "ErrImagePull",
        'Failed to pull image "r.test/web:1": pull access denied, may require authorization',
    ),
    "a registry that is down": waiting(
        "image_registry_unreachable",
        "ImagePullBackOff",
        'Failed to pull image "r.test/web:1": dial tcp 192.0.2.7:443: i/o timeout',
    ),
    "an image for other machines": waiting(
        "image_for_another_platform",
        "ErrImagePull",
        'Failed to pull image "web:1": no match for platform in manifest',
    ),
    "no secret": waiting(
        "referenced_secret_missing", "CreateContainerConfigError", 'Error: secret "key" not found'
    ),
    "no config map": waiting(
        "referenced_config_map_missing",
        "CreateContainerConfigError",
        'Error: configmap "conf" not found',
    ),
    "no key in the secret": waiting(
        "key_missing_in_secret",
        "CreateContainerConfigError",
        "Error: couldn't find key token in Secret shop/web",
    ),
    "no key in the config map": waiting(
        "key_missing_in_config_map",
        "CreateContainerConfigError",
        "Error: couldn't find key url in ConfigMap shop/web",
    ),
    "a command that is not there": waiting(
        "container_command_not_found",
        "RunContainerError",
        'Error: failed to create: exec: "serve": executable file not found in $PATH',
    ),
    "no address for a pod": waiting(
        "pod_network_not_set_up",
        "ContainerCreating",
        "Failed to create pod sandbox: plugin type=bridge failed (add): no IP addresses available",
        "FailedCreatePodSandBox",
    ),
    "an init container": Fault(
        "init_container_fails", initialising(ok=False), healed=initialising(ok=True)
    ),
    # running
    "memory": dying("container_memory_limit_too_low_oom_killed", 137, reason="OOMKilled"),
    "a segmentation fault": dying("container_segmentation_fault", 139),
    "a port that is taken": dying("port_conflict", said="bind: address already in use\n"),
    "a full disk": dying("disk_full", said="write /var/x: no space left on device\n"),
    "a certificate": dying(
        "certificate_expired_or_not_trusted",
        said="x509: certificate has expired or is not yet valid\n",
    ),
    "a permission that kills": dying("role_permission_denied", said=f"fatal: {USER}\n"),
    "a slow starter": probed(
        "liveness_probe_kills_before_start_has_ended",
        "liveness",
        STUCK,
        "dial tcp 10.1.0.5:8080: connect: connection refused",
    ),
    "a liveness probe elsewhere": probed(
        "liveness_probe_on_wrong_port",
        "liveness",
        STUCK | {"tcpSocket": {"port": 9999}},
        "dial tcp 10.1.0.5:9999: connect: connection refused",
    ),
    "a readiness path": probed(
        "readiness_probe_on_wrong_path",
        "readiness",
        {"httpGet": {"port": 8080, "path": "/redy"}},
        "HTTP probe failed with statuscode: 404",
    ),
    # workloads
    "zero replicas": Fault(
        "workload_scaled_to_zero_replicas", [deployment(WEB, 0, 0), service(WEB)]
    ),
    "a paused rollout": Fault("rollout_paused", paused(1), healed=paused(2)),
    "an eviction": Fault("pod_evicted_for_memory", evicted(LOW), healed=left_behind(LOW)),
    "an eviction for scratch space": Fault(
        "pod_evicted_for_ephemeral_storage", evicted(SCRATCH), healed=left_behind(SCRATCH)
    ),
    "an autoscaler at its end": Fault(
        "autoscaler_at_maximum",
        [*healthy(WEB), autoscaler(4)],
        healed=[*healthy(WEB), autoscaler(2)],
    ),
    "an autoscaler that is blind": Fault(
        "autoscaler_without_metrics",
        [
            *healthy(WEB),
            autoscaler(
                2,
                conditions=[
                    {
                        "type": "ScalingActive",
                        "status": "False",
                        "reason": "FailedGetResourceMetric",
                        "message": "unable to get metrics for resource cpu",
                    }
                ],
            ),
        ],
        healed=[
            *healthy(WEB),
            autoscaler(2, conditions=[{"type": "ScalingActive", "status": "True"}]),
        ],
    ),
    "a readiness gate": Fault("readiness_gate_not_satisfied", gated(False), healed=gated(True)),
    "a job that gave up": Fault(
        "job_failed",
        job(
            {
                "failed": 7,
                "conditions": [
                    {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
                ],
            }
        ),
        healed=job({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
        entity=("service", "report"),
    ),
    "a suspended job": Fault(
        "job_suspended",
        job({}, suspend=True),
        healed=job({}),
        entity=("service", "report"),
    ),
    "a suspended cron job": Fault(
        "cron_job_suspended",
        cron_job(True),
        healed=cron_job(False),
        entity=("service", "nightly"),
    ),
    "a daemon set": Fault(
        "referenced_config_map_missing",
        daemon_set(0),
        [event("Pod", "agent-1", "Failed", 'Error: configmap "agent" not found')],
        daemon_set(1),
        entity=("service", "agent"),
    ),
    # routing
    "a selector": Fault(
        "service_selector_matches_no_pod",
        [deployment(WEB), pod(WEB), service(WEB, selector={"app": WEB, "tier": "front"})],
    ),
    "a port that has another name": Fault(
        "service_port_maps_to_no_container_port",
        [
            deployment(WEB, container={"ports": [{"containerPort": 8080, "name": "http"}]}),
            pod(WEB, container={"ports": [{"containerPort": 8080, "name": "http"}]}),
            service(WEB, ports=[{"port": 80, "targetPort": "web"}]),
        ],
        healed=[
            deployment(WEB, container={"ports": [{"containerPort": 8080, "name": "http"}]}),
            pod(WEB, container={"ports": [{"containerPort": 8080, "name": "http"}]}),
            service(WEB, ports=[{"port": 80, "targetPort": "http"}], clusterIP="None"),
        ],
    ),
    "a policy that denies all": Fault(
        "network_policy_blocks_traffic",
        [*healthy(WEB), fenced(podSelector={}, policyTypes=["Ingress"])],
        healed=[*healthy(WEB), fenced(podSelector={}, policyTypes=["Ingress"], ingress=[{}])],
    ),
    "a pod that asks its node for names": Fault(
        "dns_settings_of_pod_resolve_no_service",
        resolving("Default", ok=False),
        healed=resolving("Default", ok=True),
        logs={WEB: "getaddrinfo ENOTFOUND cart\n"},
    ),
    # trust
    "a certificate its controller calls expired": Fault(
        "certificate_expired",
        [*healthy(WEB), *healthy("cart")],
        [event("Certificate", "web-tls", "Expired", "Certificate expired 2 hours ago")],
        # Of what a controller says nothing else shows whether it holds: only its age does.
        healed=healthy("cart"),
    ),
    "a service that may not list pods": Fault(
        "role_permission_denied", healthy(WEB), logs={WEB: f"error: {USER}\n"}
    ),
    # machines
    "a full disk of a node": Fault(
        "node_disk_pressure",
        unhappy("DiskPressure"),
        healed=unhappy("DiskPressure", "False"),
        entity=("node", "n1"),
    ),
    "too little memory on a node": Fault(
        "node_memory_pressure",
        unhappy("MemoryPressure"),
        healed=unhappy("MemoryPressure", "False"),
        entity=("node", "n1"),
    ),
    "a node that does not answer": Fault(
        "kubelet_not_running",
        [*healthy(WEB), node("n1", "Unknown")],
        healed=[*healthy(WEB), node("n1")],
        entity=("node", "n1"),
    ),
    "the cluster's DNS": Fault(
        "dns_server_not_running",
        [*healthy(WEB), system_pod("coredns", "CrashLoopBackOff")],
        healed=[*healthy(WEB), system_pod("coredns")],
        entity=("component", "coredns"),
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_the_fault_is_named_first(what: str) -> None:
    fault = FAULTS[what]
    scene = seen(*fault.broken, *fault.events, logs=fault.logs)
    assert first(scene) == (*fault.entity, fault.kind)


@pytest.mark.parametrize("what", [name for name in FAULTS if "controller calls" not in name])
def test_its_healed_twin_accuses_nobody_whatever_was_said_before(what: str) -> None:
    fault = FAULTS[what]
    assert [one.kind for one in raised(seen(*fault.healed, *fault.events))] == []


def test_an_expired_certificate_of_an_hour_ago_is_history() -> None:
    old = event("Certificate", "web-tls", "Expired", "Certificate expired", last=3600)
    assert raised(seen(*healthy(WEB), old)) == []


def test_an_eviction_that_a_budget_forbids_is_named() -> None:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    blocked = event("Pod", "web-1", "EvictionBlocked", message)
    assert first(seen(*healthy(WEB), blocked))[2] == "disruption_budget_blocks_eviction"
    old = event("Pod", "web-1", "EvictionBlocked", message, last=3600)
    assert raised(seen(*healthy(WEB), old)) == []


def test_a_namespace_closed_by_default_and_opened_where_needed_is_in_order() -> None:
    closed = fenced(podSelector={}, policyTypes=["Ingress"])
    opened = fenced(podSelector={"matchLabels": {"app": WEB}}, ingress=[{"from": []}])
    opened["metadata"]["name"] = "web"
    assert raised(seen(*healthy(WEB), closed, opened)) == []
    (forgotten,) = raised(seen(*healthy(WEB), *healthy("cart"), closed, opened))
    assert forgotten.entity.name == "cart"


def test_a_headless_service_without_a_selector_is_not_accused() -> None:
    by_hand = service("outside", selector={}, clusterIP="None")
    assert raised(seen(*healthy(WEB), by_hand)) == []


def test_one_dead_pod_among_replacements_hides_no_new_one_that_fails() -> None:
    last = {"terminated": {"exitCode": 139, "reason": "Error"}}
    failing = pod(WEB, "CrashLoopBackOff", status={"restartCount": 4, "lastState": last})
    failing["metadata"]["name"] = "web-3"
    assert first(seen(*left_behind(LOW), failing))[2] == "container_segmentation_fault"


def test_jobs_of_a_cron_job_that_was_not_read_are_called_after_it() -> None:
    (one,) = job({"conditions": [{"type": "Failed", "status": "True"}]})
    one["metadata"] |= {
        "name": "nightly-29100000",
        "ownerReferences": [{"kind": "CronJob", "name": "nightly"}],
    }
    assert first(seen(one)) == ("service", "nightly", "job_failed")
