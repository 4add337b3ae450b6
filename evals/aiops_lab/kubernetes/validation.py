"""What makes a well-formed object invalid (pkg/apis/*/validation): the rules people trip over."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aiops_lab.chaos_mesh.reading import faults_in
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.problems import (
    Cause,
    forbidden_change,
    required,
    unsupported,
    wrong,
)
from aiops_lab.kubernetes.quantities import parse_quantity
from aiops_lab.kubernetes.selectors import label_selector

Object = dict[str, Any]
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$")

# Names that RBAC and custom resources of it may have are freer: "system:node", "a:b".
_FREE_NAMES = "rbac.authorization.k8s.io"
_DNS_LABEL_NAMES = ("services", "namespaces")
CHAOS = "chaos-mesh.org"
_CONCURRENCY = ("Allow", "Forbid", "Replace")


def validate(kind: Kind, obj: Object) -> tuple[Cause, ...]:
    """What is wrong with an object; nothing where it can be kept."""
    rules = faults_in if kind.group == CHAOS else _RULES.get(kind.resource)
    return (*_metadata(kind, obj["metadata"]), *(rules(obj) if rules else ()))


def _metadata(kind: Kind, metadata: Mapping[str, Any]) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    elif kind.group != _FREE_NAMES and not _valid_name(kind, name):
        yield wrong(
            "metadata.name",
            name,
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
            "'-' or '.', and must start and end with an alphanumeric character",
        )
    for key, value in (metadata.get("labels") or {}).items():
        if len(value) > 63 or not _LABEL_VALUE.match(value):
            yield wrong(
                "metadata.labels",
                value,
                "a valid label must be an empty string or consist of alphanumeric characters, "
                "'-', '_' or '.', and must start and end with an alphanumeric character",
            )
        if not _QUALIFIED.match(key.rpartition("/")[2]):
            yield wrong("metadata.labels", key, "name part must be a qualified name")


def _valid_name(kind: Kind, name: str) -> bool:
    if kind.resource in _DNS_LABEL_NAMES:
        return len(name) <= 63 and bool(_LABEL.match(name))
    return len(name) <= 253 and bool(_SUBDOMAIN.match(name))


def _pod_spec(spec: Mapping[str, Any], at: str) -> Iterator[Cause]:
    if not spec.get("containers"):
        yield required(f"{at}.containers")
    seen: set[str] = set()
    for group in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(group) or ()):
            yield from _container(container, f"{at}.{group}[{i}]", seen)
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for group in ("initContainers", "containers"):
        for i, container in enumerate(spec.get(group) or ()):
            for j, mount in enumerate(container.get("volumeMounts") or ()):
                if mount.get("name") not in volumes:
                    place = f"{at}.{group}[{i}].volumeMounts[{j}].name"
                    message = f'Not found: "{mount.get("name")}"'
                    yield Cause("FieldValueNotFound", message, place)
    policy = spec.get("restartPolicy")
    if policy not in ("Always", "OnFailure", "Never"):
        yield unsupported(f"{at}.restartPolicy", policy, ("Always", "OnFailure", "Never"))


def _container(container: Mapping[str, Any], at: str, seen: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if name in seen:
        yield Cause("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{at}.name")
    elif name and not _LABEL.match(name):
        yield wrong(f"{at}.name", name, "a lowercase RFC 1123 label is required")
    seen.add(name)
    if not container.get("image"):
        yield required(f"{at}.image")
    for i, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort", 0)
        if not 0 < number < 65536:
            place = f"{at}.ports[{i}].containerPort"
            yield wrong(place, number, "must be between 1 and 65535, inclusive")
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    for resource, request in (resources.get("requests") or {}).items():
        if parse_quantity(request) < 0:
            place = f"{at}.resources.requests[{resource}]"
            yield wrong(place, request, "must be greater than or equal to 0")
        if resource in limits and parse_quantity(request) > parse_quantity(limits[resource]):
            why = f"must be less than or equal to {resource} limit of {limits[resource]}"
            yield wrong(f"{at}.resources.requests", request, why)


def _pod(obj: Object) -> Iterator[Cause]:
    yield from _pod_spec(obj.get("spec") or {}, "spec")


def _workload(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector")
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        yield required("spec.selector")
    elif not label_selector(selector).matches(labels):
        why = "`selector` does not match template `labels`"
        yield wrong("spec.template.metadata.labels", labels, why)
    replicas = spec.get("replicas", 1)
    if replicas < 0:
        yield wrong("spec.replicas", replicas, "must be greater than or equal to 0")
    pod = template.get("spec") or {}
    yield from _pod_spec(pod, "spec.template.spec")
    if pod.get("restartPolicy", "Always") != "Always":
        yield unsupported("spec.template.spec.restartPolicy", pod["restartPolicy"], ("Always",))


def _deployment(obj: Object) -> Iterator[Cause]:
    yield from _workload(obj)
    strategy = obj["spec"].get("strategy") or {}
    kind = strategy.get("type")
    if kind not in ("Recreate", "RollingUpdate"):
        yield unsupported("spec.strategy.type", kind, ("Recreate", "RollingUpdate"))
    if kind == "Recreate" and "rollingUpdate" in strategy:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_change("spec.strategy.rollingUpdate", why)
    rolling = strategy.get("rollingUpdate") or {}
    if str(rolling.get("maxSurge")) in ("0", "0%") and str(rolling.get("maxUnavailable")) in (
        "0",
        "0%",
    ):
        why = "may not be 0 when `maxSurge` is 0"
        yield wrong("spec.strategy.rollingUpdate.maxUnavailable", 0, why)
    for field in ("maxSurge", "maxUnavailable"):
        value = rolling.get(field, 0)
        if isinstance(value, str) and not re.fullmatch(r"\d+%", value):
            why = "a valid percent string must be a numeric string followed by an ending '%'"
            yield wrong(f"spec.strategy.rollingUpdate.{field}", value, why)


def _job(obj: Object) -> Iterator[Cause]:
    pod = (obj["spec"].get("template") or {}).get("spec") or {}
    yield from _pod_spec(pod, "spec.template.spec")
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        place = "spec.template.spec.restartPolicy"
        yield unsupported(place, pod.get("restartPolicy"), ("OnFailure", "Never"))


def _cron_job(obj: Object) -> Iterator[Cause]:
    from aiops_lab.kubernetes.schedules import InvalidSchedule, read_schedule

    spec = obj["spec"]
    try:
        read_schedule(spec.get("schedule", ""), spec.get("timeZone"))
    except InvalidSchedule as bad:
        yield wrong(f"spec.{bad.field}", bad.value, bad.why)
    if spec.get("concurrencyPolicy") not in _CONCURRENCY:
        yield unsupported("spec.concurrencyPolicy", spec["concurrencyPolicy"], _CONCURRENCY)
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    pod = (job.get("template") or {}).get("spec") or {}
    yield from _pod_spec(pod, "spec.jobTemplate.spec.template.spec")
    if pod.get("restartPolicy") not in ("OnFailure", "Never"):
        place = "spec.jobTemplate.spec.template.spec.restartPolicy"
        yield unsupported(place, pod.get("restartPolicy"), ("OnFailure", "Never"))


def _service(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    if spec.get("type") not in kinds:
        yield unsupported("spec.type", spec.get("type"), kinds)
    ports = spec.get("ports") or []
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    for i, port in enumerate(ports):
        if not 0 < port.get("port", 0) < 65536:
            why = "must be between 1 and 65535, inclusive"
            yield wrong(f"spec.ports[{i}].port", port.get("port", 0), why)
        if len(ports) > 1 and not port.get("name"):
            yield required(f"spec.ports[{i}].name")


def _hpa(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if most < 1:
        yield wrong("spec.maxReplicas", most, "must be greater than 0")
    elif most < least:
        why = "must be greater than or equal to `minReplicas`"
        yield wrong("spec.maxReplicas", most, why)


def _budget(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        why = "minAvailable and maxUnavailable cannot be both set"
        yield wrong("spec", "minAvailable, maxUnavailable", why)


def _role_binding(obj: Object) -> Iterator[Cause]:
    for i, subject in enumerate(obj.get("subjects") or ()):
        known = ("ServiceAccount", "User", "Group")
        if subject.get("kind") not in known:
            yield unsupported(f"subjects[{i}].kind", subject.get("kind"), known)
        elif subject["kind"] == "ServiceAccount" and not (
            subject.get("namespace") or obj["metadata"].get("namespace")
        ):
            yield required(f"subjects[{i}].namespace")


def _definition(obj: Object) -> Iterator[Cause]:
    spec = obj["spec"]
    wanted = f"{spec.get('names', {}).get('plural')}.{spec.get('group')}"
    if obj["metadata"].get("name") != wanted:
        yield wrong("metadata.name", obj["metadata"].get("name"), f"must be {wanted}")
    if not spec.get("versions"):
        yield required("spec.versions")


_RULES: dict[str, Callable[[Object], Iterable[Cause]]] = {
    "pods": _pod,
    "services": _service,
    "deployments.apps": _deployment,
    "replicasets.apps": _workload,
    "statefulsets.apps": _workload,
    "daemonsets.apps": _workload,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _hpa,
    "poddisruptionbudgets.policy": _budget,
    "rolebindings.rbac.authorization.k8s.io": _role_binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _role_binding,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}

# Paths that may not change after creation; "spec" with exceptions is in _MUTABLE.
_IMMUTABLE: dict[str, tuple[tuple[str, ...], ...]] = {
    "deployments.apps": (("spec", "selector"),),
    "replicasets.apps": (("spec", "selector"),),
    "daemonsets.apps": (("spec", "selector"),),
    "jobs.batch": (("spec", "selector"), ("spec", "template"), ("spec", "completionMode")),
    "services": (("spec", "clusterIP"),),
    "secrets": (("type",),),
    "rolebindings.rbac.authorization.k8s.io": (("roleRef",),),
    "clusterrolebindings.rbac.authorization.k8s.io": (("roleRef",),),
    "storageclasses.storage.k8s.io": (("provisioner",), ("parameters",), ("reclaimPolicy",)),
    "priorityclasses.scheduling.k8s.io": (("value",),),
}
_STATEFULSET = (
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
)


def validate_update(kind: Kind, old: Object, new: Object) -> tuple[Cause, ...]:
    """What may not change from one revision to the next."""
    return tuple(_changes(kind.resource, old, new))


def _at(obj: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        obj = obj.get(step) if isinstance(obj, Mapping) else None
    return obj


def _changes(resource: str, old: Object, new: Object) -> Iterator[Cause]:
    if resource.endswith(f".{CHAOS}") and old.get("spec") != new.get("spec"):
        yield forbidden_change("spec", "cannot be changed; delete the resource and make a new one")
    for path in _IMMUTABLE.get(resource, ()):
        before = _at(old, path)
        if before and before != _at(new, path):
            yield wrong(".".join(path), str(_at(new, path)), "field is immutable")
    if resource == "statefulsets.apps":
        before, after = old["spec"], new["spec"]
        if {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} - {
            *_STATEFULSET
        }:
            allowed = ", ".join(f"'{name}'" for name in _STATEFULSET[:-1])
            yield forbidden_change(
                "spec",
                "updates to statefulset spec for fields other than "
                f"{allowed} and '{_STATEFULSET[-1]}' are forbidden",
            )
    if resource == "pods" and _frozen(old["spec"]) != _frozen(new["spec"]):
        yield forbidden_change(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
            "`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative)",
        )
    if old.get("immutable") and any(old.get(k) != new.get(k) for k in ("data", "binaryData")):
        yield forbidden_change("data", "field is immutable when `immutable` is set")


def _frozen(spec: Mapping[str, Any]) -> Object:
    """What of a pod's spec may not change."""
    free = {"tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds"}
    kept = {key: value for key, value in spec.items() if key not in free}
    for group in ("containers", "initContainers"):
        if group in kept:
            kept[group] = [{**container, "image": ""} for container in kept[group]]
    return kept
