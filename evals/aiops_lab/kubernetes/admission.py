"""What is done to new objects, and asked of them, before they are kept."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.problems import Cause, forbidden, not_found
from aiops_lab.kubernetes.quantities import canonical, parse_quantity
from aiops_lab.kubernetes.store import Object

FIRST_NODE_PORT = 30000


def admit_namespace(cluster: Cluster, kind: Kind, namespace: str, name: str) -> None:
    """New objects need a namespace that is there to stay.

    Raises:
        Refused: 404 without one, 403 where it is being deleted.
    """
    found = cluster.find("namespaces", "", namespace)
    if found is None:
        raise not_found(cluster.kind("namespaces"), namespace)
    if found["metadata"].get("deletionTimestamp"):
        why = (
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        cause = Cause("NamespaceTerminating", f"namespace {namespace} is being terminated", "")
        raise forbidden(kind, name, why, (cause,))


def admit(cluster: Cluster, kind: Kind, obj: Object) -> None:
    """Complete a new object as the admission plugins do, or refuse it; changes `obj`.

    Raises:
        Refused: 403, by a missing service account, a limit range or a quota.
    """
    plugin = _PLUGINS.get(kind.resource)
    if plugin is not None:
        plugin(cluster, obj)
    admit_quota(cluster, kind, obj)


def _pod(cluster: Cluster, pod: Object) -> None:
    spec = pod["spec"]
    namespace = pod["metadata"]["namespace"]
    account = spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", account)
    kind = cluster.kind("pods")
    if account != "default" and not cluster.find("serviceaccounts", namespace, account):
        why = (
            f"error looking up service account {namespace}/{account}: "
            f'serviceaccount "{account}" not found'
        )
        raise forbidden(kind, pod["metadata"]["name"], why)
    _set_priority(cluster, pod)
    _apply_limit_ranges(cluster, pod)


def _set_priority(cluster: Cluster, pod: Object) -> None:
    spec = pod["spec"]
    name = spec.get("priorityClassName")
    resource = "priorityclasses.scheduling.k8s.io"
    if not name:
        spec["priority"] = next(
            (p["value"] for p in cluster.every(resource) if p.get("globalDefault")), 0
        )
        return
    found = cluster.find(resource, "", name)
    if found is None:
        why = f"no PriorityClass with name {name} was found"
        raise forbidden(cluster.kind("pods"), pod["metadata"]["name"], why)
    spec["priority"] = found["value"]


def _apply_limit_ranges(cluster: Cluster, pod: Object) -> None:
    problems: list[str] = []
    for limit_range in cluster.every("limitranges", pod["metadata"]["namespace"]):
        for item in limit_range["spec"].get("limits", ()):
            if item["type"] == "Container":
                for container in pod["spec"]["containers"]:
                    _limit_container(container, item, problems)
    if problems:
        why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden(cluster.kind("pods"), pod["metadata"]["name"], why)


def _limit_container(container: Object, item: Mapping[str, Any], problems: list[str]) -> None:
    resources = container.setdefault("resources", {})
    for place, defaults in (("limits", "default"), ("requests", "defaultRequest")):
        for name, value in (item.get(defaults) or {}).items():
            resources.setdefault(place, {}).setdefault(name, value)
    for name, value in (resources.get("limits") or {}).items():
        resources.setdefault("requests", {}).setdefault(name, value)
    for bound, place, worse in (("max", "limits", 1), ("min", "requests", -1)):
        for name, value in (item.get(bound) or {}).items():
            asked = (resources.get(place) or {}).get(name)
            word = "maximum" if bound == "max" else "minimum"
            if asked is None:
                what = (
                    f"{word} {name} usage per Container is {value}.  No {place[:-1]} is specified"
                )
                problems.append(what)
            elif (parse_quantity(asked) - parse_quantity(value)) * worse > 0:
                what = f"{word} {name} usage per Container is {value}, but {place[:-1]} is {asked}"
                problems.append(what)


def _service(cluster: Cluster, service: Object) -> None:
    spec, metadata = service["spec"], service["metadata"]
    if spec["type"] == "ExternalName":
        return
    if "clusterIP" not in spec or spec["clusterIP"] == "":
        spec["clusterIP"] = cluster.runtime.address(f"{metadata['namespace']}/{metadata['name']}")
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    if spec["type"] in ("NodePort", "LoadBalancer"):
        allocate_node_ports(cluster, service)


def allocate_node_ports(cluster: Cluster, service: Object) -> None:
    """Give every port without one the lowest free node port; changes `service`."""
    taken = {
        port.get("nodePort")
        for other in cluster.every("services")
        for port in other["spec"].get("ports", ())
    }
    for port in service["spec"].get("ports", ()):
        if not port.get("nodePort"):
            free = next(n for n in range(FIRST_NODE_PORT, 65536) if n not in taken)
            port["nodePort"] = free
            taken.add(free)


_PLUGINS: dict[str, Callable[[Cluster, Object], None]] = {"pods": _pod, "services": _service}

_COUNTED = {
    "pods": "pods",
    "services": "services",
    "configmaps": "configmaps",
    "secrets": "secrets",
    "persistentvolumeclaims": "persistentvolumeclaims",
    "replicationcontrollers": "replicationcontrollers",
    "resourcequotas": "resourcequotas",
}


def pod_requests(spec: Mapping[str, Any], place: str = "requests") -> dict[str, Decimal]:
    """What a pod asks for in all: its containers together, or its largest init container."""
    total: dict[str, Decimal] = {}
    for container in spec.get("containers") or ():
        for name, value in ((container.get("resources") or {}).get(place) or {}).items():
            total[name] = total.get(name, Decimal(0)) + parse_quantity(value)
    for container in spec.get("initContainers") or ():
        for name, value in ((container.get("resources") or {}).get(place) or {}).items():
            total[name] = max(total.get(name, Decimal(0)), parse_quantity(value))
    return total


def charged(resource: str, obj: Object) -> dict[str, Decimal]:
    """What one object counts for against a quota."""
    charge = {f"count/{resource}": Decimal(1)}
    if resource in _COUNTED:
        charge[_COUNTED[resource]] = Decimal(1)
    if resource == "pods":
        if obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
            return {}
        for place in ("requests", "limits"):
            for name, value in pod_requests(obj["spec"], place).items():
                charge[f"{place}.{name}"] = value
                if place == "requests":
                    charge[name] = value
    if resource == "services" and obj["spec"].get("type") in ("NodePort", "LoadBalancer"):
        charge["services.nodeports"] = Decimal(len(obj["spec"].get("ports", ())))
        if obj["spec"]["type"] == "LoadBalancer":
            charge["services.loadbalancers"] = Decimal(1)
    return charge


def quota_usage(cluster: Cluster, quota: Object) -> dict[str, Decimal]:
    """What is used in a quota's namespace of everything it limits."""
    hard = quota["spec"].get("hard") or {}
    used = dict.fromkeys(hard, Decimal(0))
    namespace = quota["metadata"]["namespace"]
    for resource in _charged_resources(hard):
        for obj in cluster.every(resource, namespace):
            for name, value in charged(resource, obj).items():
                if name in used:
                    used[name] += value
    return used


def _charged_resources(hard: Mapping[str, Any]) -> Iterator[str]:
    counts = {name.removeprefix("count/") for name in hard if name.startswith("count/")}
    yield from counts | {r for r, name in _COUNTED.items() if name in hard}.difference({"pods"})
    plain = {"cpu", "memory", "ephemeral-storage"}
    asks_pods = any(n in plain or n.startswith(("requests.", "limits.")) for n in hard)
    if "pods" not in counts and (asks_pods or "pods" in hard):
        yield "pods"
    if "services" not in hard and any(n.startswith("services.") for n in hard):
        yield "services"


def admit_quota(cluster: Cluster, kind: Kind, obj: Object) -> None:
    """Refuse what would pass a quota of its namespace.

    Raises:
        Refused: 403 naming the quota, what was asked, used and allowed.
    """
    namespace = obj["metadata"].get("namespace", "")
    if not namespace:
        return
    name = obj["metadata"]["name"]
    asked = charged(kind.resource, obj)
    for quota in cluster.every("resourcequotas", namespace):
        hard = {k: parse_quantity(v) for k, v in (quota["spec"].get("hard") or {}).items()}
        title = quota["metadata"]["name"]
        if kind.resource == "pods":
            _require_all_set(kind, obj, hard, title)
        relevant = {k: v for k, v in asked.items() if k in hard and v}
        if not relevant:
            continue
        used = quota_usage(cluster, quota)
        over = [k for k, v in relevant.items() if used[k] + v > hard[k]]
        if over:
            texts = (
                ",".join(f"{k}={canonical(k, part[k])}" for k in sorted(over))
                for part in (relevant, used, hard)
            )
            requested, in_use, limited = texts
            why = (
                f"exceeded quota: {title}, requested: {requested}, used: {in_use}, "
                f"limited: {limited}"
            )
            raise forbidden(kind, name, why)


def _require_all_set(kind: Kind, pod: Object, hard: Mapping[str, Decimal], title: str) -> None:
    """A quota on cpu or memory wants every container to say how much it takes."""
    missing = []
    for key in sorted(hard):
        place, _, resource = key.rpartition(".")
        place = place or ("requests" if resource in ("cpu", "memory") else "")
        if place in ("requests", "limits") and any(
            resource not in ((c.get("resources") or {}).get(place) or {})
            for c in pod["spec"]["containers"]
        ):
            missing.append(key)
    if missing:
        why = f"failed quota: {title}: must specify {','.join(missing)}"
        raise forbidden(kind, pod["metadata"]["name"], why)
