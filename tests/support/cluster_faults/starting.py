"""Containers that do not start, and those that start and die or never get ready."""

from clusters import Api, deployment, event, pod, service

from cluster_faults.fault import WEB, Fault, waiting

STUCK = {"tcpSocket": {"port": 8080}, "initialDelaySeconds": 5, "periodSeconds": 10}
USER = 'pods is forbidden: User "system:serviceaccount:shop:web" cannot list resource "pods"'


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


STARTING = {
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
}

RUNNING = {
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
}
