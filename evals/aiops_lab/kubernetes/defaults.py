"""Defaults that an API server writes into what it is given (pkg/apis/*/v1/defaults.go).

Each function changes the object it is given, which is the server's own copy.
"""

from collections.abc import Callable, Iterator
from typing import Any

Object = dict[str, Any]


def set_defaults(resource: str, obj: Object) -> None:
    """Fill in an object of a resource ("deployments.apps"), in its stored version."""
    default = _BY_RESOURCE.get(resource)
    if default is not None:
        default(obj)


def _fill(target: Object, **values: Any) -> None:
    for key, value in values.items():
        target.setdefault(key, value)


def _probe(probe: Object) -> None:
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        _fill(probe["httpGet"], path="/", scheme="HTTP")
    if "grpc" in probe:
        _fill(probe["grpc"], service="")


def pull_policy(image: str) -> str:
    """Images with a fixed tag or digest are pulled once."""
    last = image.rsplit("/", 1)[-1]
    floating = "@" not in last and (":" not in last or last.endswith(":latest"))
    return "Always" if floating else "IfNotPresent"


def _container(container: Object) -> None:
    _fill(
        container,
        imagePullPolicy=pull_policy(container.get("image", "")),
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
    )
    for port in container.get("ports", ()):
        _fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if name in container:
            _probe(container[name])
    for variable in container.get("env", ()):
        source = variable.get("valueFrom", {})
        if "fieldRef" in source:
            _fill(source["fieldRef"], apiVersion="v1")
    resources = container["resources"]
    if "limits" in resources:
        requests = resources.setdefault("requests", {})
        for name, limit in resources["limits"].items():
            requests.setdefault(name, limit)


def containers_of(spec: Object) -> Iterator[Object]:
    """Every container of a pod spec, init containers first."""
    for name in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(name) or ()


def _pod_spec(spec: Object) -> None:
    _fill(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in containers_of(spec):
        _container(container)
    for volume in spec.get("volumes", ()):
        if not volume.keys() - {"name"}:
            volume["emptyDir"] = {}
        for source in ("secret", "configMap", "downwardAPI", "projected"):
            if source in volume:
                _fill(volume[source], defaultMode=420)
        if "hostPath" in volume:
            _fill(volume["hostPath"], type="")


def _pod(pod: Object) -> None:
    _pod_spec(pod["spec"])
    _fill(pod["spec"], enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority")
    tolerations = pod["spec"].setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(t.get("key") in (key, None) for t in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
            )


def _template(spec: Object) -> Object:
    template: Object = spec.setdefault("template", {})
    template.setdefault("metadata", {}).setdefault("creationTimestamp", None)
    if not template["metadata"]["creationTimestamp"]:
        del template["metadata"]["creationTimestamp"]
    if "spec" in template:
        _pod_spec(template["spec"])
    return template


def _deployment(obj: Object) -> None:
    spec = obj["spec"]
    _template(spec)
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = spec["strategy"]
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        _fill(rolling, maxSurge="25%", maxUnavailable="25%")


def _replicaset(obj: Object) -> None:
    template = _template(obj["spec"])
    _fill(obj["spec"], replicas=1)
    labels = template["metadata"].get("labels")
    if labels and "selector" not in obj["spec"]:
        obj["spec"]["selector"] = {"matchLabels": dict(labels)}


def _replication_controller(obj: Object) -> None:
    template = _template(obj["spec"])
    _fill(obj["spec"], replicas=1, selector=dict(template["metadata"].get("labels") or {}))


def _statefulset(obj: Object) -> None:
    spec = obj["spec"]
    _template(spec)
    _fill(
        spec,
        replicas=1,
        revisionHistoryLimit=10,
        podManagementPolicy="OrderedReady",
        serviceName="",
        updateStrategy={},
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"},
    )
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        _fill(spec["updateStrategy"].setdefault("rollingUpdate", {}), partition=0)


def _daemonset(obj: Object) -> None:
    spec = obj["spec"]
    _template(spec)
    _fill(spec, revisionHistoryLimit=10, updateStrategy={})
    _fill(spec["updateStrategy"], type="RollingUpdate")
    if spec["updateStrategy"]["type"] == "RollingUpdate":
        rolling = spec["updateStrategy"].setdefault("rollingUpdate", {})
        _fill(rolling, maxSurge=0, maxUnavailable=1)


def _job_spec(spec: Object) -> None:
    _template(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    _fill(spec, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)


def _job(obj: Object) -> None:
    spec = obj["spec"]
    _job_spec(spec)
    if not spec.get("manualSelector"):
        owner = {
            "batch.kubernetes.io/controller-uid": obj["metadata"].get("uid", ""),
            "batch.kubernetes.io/job-name": obj["metadata"].get("name", ""),
            "controller-uid": obj["metadata"].get("uid", ""),
            "job-name": obj["metadata"].get("name", ""),
        }
        if "selector" not in spec:
            key = "batch.kubernetes.io/controller-uid"
            spec["selector"] = {"matchLabels": {key: owner[key]}}
            labels = spec["template"]["metadata"].setdefault("labels", {})
            labels.update(owner)


def _cronjob(obj: Object) -> None:
    spec = obj["spec"]
    _fill(
        spec,
        concurrencyPolicy="Allow",
        suspend=False,
        successfulJobsHistoryLimit=3,
        failedJobsHistoryLimit=1,
    )
    job = spec.setdefault("jobTemplate", {}).setdefault("spec", {})
    _template(job)


def _service(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, sessionAffinity="None", type="ClusterIP")
    for port in spec.get("ports", ()):
        _fill(port, protocol="TCP")
        _fill(port, targetPort=port.get("port"))
    if spec["type"] != "ExternalName":
        _fill(spec, internalTrafficPolicy="Cluster")
        _fill(spec, ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec["type"] in ("NodePort", "LoadBalancer"):
        _fill(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _fill(spec, allocateLoadBalancerNodePorts=True)


def _endpoints(obj: Object) -> None:
    for subset in obj.get("subsets", ()):
        for port in subset.get("ports", ()):
            _fill(port, protocol="TCP")


def _secret(obj: Object) -> None:
    _fill(obj, type="Opaque")


def _hpa(obj: Object) -> None:
    spec = obj["spec"]
    _fill(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _claim(obj: Object) -> None:
    _fill(obj["spec"], volumeMode="Filesystem")


def _volume(obj: Object) -> None:
    _fill(obj["spec"], persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")


def _namespace(obj: Object) -> None:
    obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    labels = obj["metadata"].setdefault("labels", {})
    labels["kubernetes.io/metadata.name"] = obj["metadata"].get("name", "")


def _network_policy(obj: Object) -> None:
    spec = obj.get("spec", {})
    _fill(spec, podSelector={})
    if "policyTypes" not in spec:
        spec["policyTypes"] = ["Ingress", *(["Egress"] if "egress" in spec else [])]
    rules = [*spec.get("ingress", ()), *spec.get("egress", ())]
    for port in (port for rule in rules for port in rule.get("ports", ())):
        _fill(port, protocol="TCP")


def _storage_class(obj: Object) -> None:
    _fill(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _binding(obj: Object) -> None:
    for subject in obj.get("subjects", ()):
        if subject.get("kind") in ("User", "Group"):
            _fill(subject, apiGroup="rbac.authorization.k8s.io")
    if "roleRef" in obj:
        _fill(obj["roleRef"], apiGroup="rbac.authorization.k8s.io")


def _priority_class(obj: Object) -> None:
    _fill(obj, preemptionPolicy="PreemptLowerPriority")


def _definition(obj: Object) -> None:
    names = obj["spec"].get("names", {})
    if "kind" in names:
        _fill(names, singular=names["kind"].lower(), listKind=f"{names['kind']}List")
    _fill(obj["spec"], conversion={"strategy": "None"})


_BY_RESOURCE: dict[str, Callable[[Object], None]] = {
    "pods": _pod,
    "services": _service,
    "endpoints": _endpoints,
    "secrets": _secret,
    "namespaces": _namespace,
    "persistentvolumes": _volume,
    "persistentvolumeclaims": _claim,
    "replicationcontrollers": _replication_controller,
    "deployments.apps": _deployment,
    "replicasets.apps": _replicaset,
    "statefulsets.apps": _statefulset,
    "daemonsets.apps": _daemonset,
    "jobs.batch": _job,
    "cronjobs.batch": _cronjob,
    "horizontalpodautoscalers.autoscaling": _hpa,
    "networkpolicies.networking.k8s.io": _network_policy,
    "storageclasses.storage.k8s.io": _storage_class,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "customresourcedefinitions.apiextensions.k8s.io": _definition,
}
