"""What of an object a client's new version replaces, and what stays the server's."""

from aiops_lab.kubernetes.admission import allocate_node_ports
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.store import Object

# Set by the server alone; what a client sends of it is ignored.
SERVER_METADATA = ("uid", "creationTimestamp", "generation", "deletionTimestamp")


def merged_part(kind: Kind, old: Object, new: Object, part: str) -> Object:
    """What a write to the whole object, or to its status, may change."""
    metadata = dict(new["metadata"])
    for name in (*SERVER_METADATA, "deletionGracePeriodSeconds", "selfLink"):
        if name == "uid" and metadata.get("uid"):
            continue
        metadata.pop(name, None)
        if name in old["metadata"]:
            metadata[name] = old["metadata"][name]
    if part == "status":
        kept = {**old, "metadata": dict(old["metadata"])}
        if metadata.get("resourceVersion"):
            kept["metadata"]["resourceVersion"] = metadata["resourceVersion"]
        return {**kept, **({"status": new["status"]} if "status" in new else {})}
    result = {**new, "metadata": metadata}
    if kind.status:
        result.pop("status", None)
        if "status" in old:
            result["status"] = old["status"]
    return result


def keep_allocations(cluster: Cluster, kind: Kind, old: Object, new: Object) -> None:
    """What the server gave an object stays its own when a client leaves it out."""
    if kind.resource == "services":
        before, after = old["spec"], new["spec"]
        if after["type"] == "ExternalName":
            return
        for name in ("clusterIP", "clusterIPs"):
            if not after.get(name) and name in before:
                after[name] = before[name]
        ports = {(p["port"], p.get("protocol")): p for p in before.get("ports", ())}
        for port in after.get("ports", ()):
            known = ports.get((port["port"], port.get("protocol")), {})
            if after["type"] == "ClusterIP":
                port.pop("nodePort", None)
            elif "nodePort" in known:
                port.setdefault("nodePort", known["nodePort"])
        if after["type"] in ("NodePort", "LoadBalancer"):
            allocate_node_ports(cluster, new)
    if kind.resource == "serviceaccounts" and "secrets" in old:
        new.setdefault("secrets", old["secrets"])
