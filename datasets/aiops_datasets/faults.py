"""Fault labels of public benchmarks in our vocabulary (notes: measures). The label itself is kept.

A label that the vocabulary has no word for is "unknown", never forced into a neighbour.
"""

import re

from aiops.model import FaultType

F = FaultType
_LABELS: dict[FaultType, str] = {
    F.CPU: """cpu, cpu-hog, cpu-stress, cpu-contention, cpu-consumed, pod-cpu-overload,
        stress-ng-cpu-vm-hdd""",
    F.MEMORY: "mem, memory, memory-leak, memory-hog, memory-anomalies, normal-memory-freed-label",
    F.OOM: "oom, oom-killed",
    F.DISK: "disk, disk-io, disk-stress",
    F.NETWORK_DELAY: """delay, network-delay, network-latency, pod-network-delay,
        node-network-delay""",
    # Corrupted and doubled packets show as loss does: as retransmission.
    F.NETWORK_LOSS: """loss, network-loss, packet-loss, network-corrupt, network-duplicate,
        node-network-packet-loss""",
    F.NETWORK_PARTITION: "network-partition, partition",
    F.DNS: "dns, service-dns-resolution-failure",
    F.ERROR: "error, exception, return, f1, f2, f3, f4, f5, db-read-only",
    F.LATENCY: "latency",
    F.CRASH: "crash, pod-failure",
    F.POD_KILL: "pod-kill, container-kill, kill",
    F.BAD_DEPLOY: "bad-deploy, deployment-zero-replicas, service-sidecar-port-conflict",
    F.BAD_CONFIG: """bad-config, gateway-misroute, missing-secret-binding, mysql-invalid-port,
        service-env-var-address-mismatch, service-port-mapping-mismatch,
        service-protocol-mismatch, service-selector-mismatch""",
    F.CREDENTIAL: """credential, access-permission-denied-exception, login-failure,
        missing-service-account, mysql-invalid-credentials""",
    F.IMAGE: """image, image-registry-dns-failure, incorrect-image-reference,
        missing-image-pull-secret""",
    F.SCHEDULING: """scheduling, cpu-capacity-mismatch, memory-capacity-mismatch,
        node-affinity-mismatch, node-cordon-mismatch, node-selector-mismatch,
        pod-anti-affinity-conflict, taint-toleration-mismatch, kube-scheduler-unavailable""",
    F.QUOTA: """quota, namespace-cpu-quota-exceeded, namespace-memory-quota-exceeded,
        namespace-pod-quota-exceeded, namespace-service-quota-exceeded,
        namespace-storage-quota-exceeded""",
    F.PROBE: """probe, liveness-probe-incorrect-port, liveness-probe-incorrect-protocol,
        liveness-probe-incorrect-timing, readiness-probe-incorrect-port,
        readiness-probe-incorrect-protocol""",
    # RCAEval's "socket" uses up the sockets of a container.
    F.CONNECTION_POOL: "connection-pool, db-connection-exhaustion, socket",
    F.RETRY_STORM: "retry-storm",
    F.QUEUE_BACKLOG: "queue-backlog",
    F.TRAFFIC: "traffic, request-overload",
    F.NODE: "node, containerd-unavailable, kubelet-unavailable, kube-proxy-unavailable",
    F.STORAGE: """storage, pv-binding-occupied, pvc-access-mode-mismatch, pvc-capacity-mismatch,
        pvc-selector-mismatch, pvc-storage-class-mismatch, volume-mount-permission-denied,
        file-moving-program""",
    F.CERTIFICATE: "certificate",
    F.DEPENDENCY: "dependency",
}
_BY_LABEL = {
    label.strip(): fault for fault, labels in _LABELS.items() for label in labels.split(",")
}


def fault_type(label: str) -> FaultType:
    """The fault type a benchmark's ``label`` means; UNKNOWN for a label that is not listed."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    return _BY_LABEL.get(plain, FaultType.UNKNOWN)
