"""Claims that are not met and volumes that cannot be mounted."""

from typing import Any

from clusters import Api, ago, deployment, event, meta, pod, service

from cluster_faults.fault import WEB, Fault, waiting

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


STORAGE = {
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
}
