"""What stands around the pods: routing, trust and the machines of the cluster."""

from typing import Any

from clusters import Api, deployment, event, healthy, meta, node, pod, service

from cluster_faults.fault import WEB, Fault
from cluster_faults.starting import USER


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


ROUTING = {
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
}

TRUST = {
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
}

MACHINES = {
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
