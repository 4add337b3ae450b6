"""Pods and what makes them, from API objects to types."""

from typing import Any

from aiops.analyze.state.api import Api, number, pairs, part, parts, text, texts, truth
from aiops.analyze.state.quantities import quantity
from aiops.model.cluster import Condition, Pod, Revision, Workload
from aiops.model.pod_spec import (
    Container,
    PodSpec,
    Port,
    Probe,
    ProbeRole,
    Reference,
    Requirement,
    Toleration,
    Variable,
    Volume,
)

_HANDLERS = {"httpGet": "http", "tcpSocket": "tcp", "grpc": "grpc", "exec": "exec"}
_PROBES: tuple[tuple[ProbeRole, str], ...] = (
    ("liveness", "livenessProbe"),
    ("readiness", "readinessProbe"),
    ("startup", "startupProbe"),
)


def pod(found: Api, common: dict[str, Any]) -> Pod:
    """One pod; ``common`` are the fields every object has."""
    status = part(found, "status")
    spec = pod_spec(part(found, "spec"), status)
    return Pod(
        **common,
        spec=spec,
        phase=text(status, "phase"),
        status=text(status, "word") or _word(spec, status),
        reason=text(status, "reason"),
        message=text(status, "message"),
        node=text(found, "spec", "nodeName"),
        address=text(status, "podIP"),
        owner=owner(found),
        conditions=conditions(status),
        restarts=number(status, "restarts") or 0,
        restarted_s=_seconds(status.get("restarted_s")),
    )


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def workload(found: Api, common: dict[str, Any], type_: str) -> Workload:
    """One deployment, replica set, stateful set, daemon set or job."""
    spec, status = part(found, "spec"), part(found, "status")
    template = part(spec, "template") or part(spec, "jobTemplate", "spec", "template")
    desired = number(spec, "replicas")
    if desired is None:
        desired = number(status, "desiredNumberScheduled")
    revision = pairs(found, "metadata", "annotations").get("deployment.kubernetes.io/revision", "")
    return Workload(
        **common,
        type=type_,
        desired=desired,
        current=_first(number(status, "replicas"), number(status, "currentNumberScheduled")),
        ready=_first(number(status, "readyReplicas"), number(status, "numberReady")),
        updated=number(status, "updatedReplicas"),
        selector=pairs(spec, "selector", "matchLabels"),
        pod_labels=pairs(template, "metadata", "labels"),
        spec=pod_spec(part(template, "spec"), {}),
        owner=owner(found),
        conditions=conditions(status),
        paused=truth(spec, "paused") or truth(spec, "suspend"),
        revision=int(revision) if revision.isdigit() and len(revision) < 10 else None,
    )


def revision(found: Api, common: dict[str, Any]) -> Revision:
    """One version of a stateful set or daemon set, kept as a patch of it."""
    return Revision(
        **common,
        owner=owner(found),
        number=number(found, "revision") or 0,
        spec=pod_spec(part(found, "data", "spec", "template", "spec"), {}),
    )


def owner(found: Api) -> tuple[str, str] | None:
    """Kind (lower case) and name of what controls an object."""
    references = parts(found, "metadata", "ownerReferences")
    if not references:
        return None
    return text(references[0], "kind").lower(), text(references[0], "name")


def conditions(status: Api) -> tuple[Condition, ...]:
    """The conditions of a status."""
    return tuple(
        Condition(text(one, "type"), text(one, "status"), text(one, "reason"), text(one, "message"))
        for one in parts(status, "conditions")
    )


def pod_spec(spec: Api, status: Api) -> PodSpec:
    """What a pod asks for, its containers with their status."""
    security = part(spec, "securityContext")
    affinity = part(spec, "affinity")
    return PodSpec(
        containers=_containers(spec, "containers", status, "containerStatuses"),
        init_containers=_containers(spec, "initContainers", status, "initContainerStatuses"),
        volumes=tuple(_volume(one) for one in parts(spec, "volumes")),
        service_account=text(spec, "serviceAccountName") or text(spec, "serviceAccount"),
        node_selector=pairs(spec, "nodeSelector"),
        node_affinity=_node_affinity(affinity),
        anti_affinity=_anti_affinity(affinity),
        spread=tuple(
            text(one, "topologyKey")
            for one in parts(spec, "topologySpreadConstraints")
            if text(one, "whenUnsatisfiable") != "ScheduleAnyway"
        ),
        tolerations=tuple(
            Toleration(
                text(one, "key"),
                text(one, "operator") or "Equal",
                text(one, "value"),
                text(one, "effect"),
            )
            for one in parts(spec, "tolerations")
        ),
        pull_secrets=tuple(text(one, "name") for one in parts(spec, "imagePullSecrets")),
        dns_policy=text(spec, "dnsPolicy"),
        nameservers=texts(spec, "dnsConfig", "nameservers"),
        scheduler=text(spec, "schedulerName"),
        priority_class=text(spec, "priorityClassName"),
        run_as_user=number(security, "runAsUser"),
    )


def _containers(spec: Api, key: str, status: Api, status_key: str) -> tuple[Container, ...]:
    by_name = {text(one, "name"): one for one in parts(status, status_key)}
    return tuple(_container(one, by_name.get(text(one, "name"), {})) for one in parts(spec, key))


def _container(found: Api, status: Api) -> Container:
    state, last = part(status, "state"), part(status, "lastState")
    kind = next((key for key in ("waiting", "running", "terminated") if key in state), "")
    ready = status.get("ready")
    return Container(
        name=text(found, "name"),
        image=text(found, "image"),
        pull_policy=text(found, "imagePullPolicy"),
        ports=tuple(_port(one) for one in parts(found, "ports") if number(one, "containerPort")),
        requests=quantities(found, "resources", "requests"),
        limits=quantities(found, "resources", "limits"),
        probes=tuple(
            probe for role, key in _PROBES if (probe := _probe(role, part(found, key))) is not None
        ),
        variables=tuple(_variable(one) for one in parts(found, "env")),
        variables_from=tuple(
            reference
            for one in parts(found, "envFrom")
            if (reference := _taken_from(one)) is not None
        ),
        mounts=tuple(
            (text(one, "name"), text(one, "mountPath"), truth(one, "readOnly"))
            for one in parts(found, "volumeMounts")
        ),
        read_only_root=truth(found, "securityContext", "readOnlyRootFilesystem"),
        state=kind,
        reason=text(state, kind, "reason") if kind else "",
        message=text(state, kind, "message") if kind else "",
        exit_code=number(state, "terminated", "exitCode"),
        last_reason=text(last, "terminated", "reason"),
        last_exit_code=number(last, "terminated", "exitCode"),
        ready=ready if isinstance(ready, bool) else None,
        restarts=number(status, "restartCount") or 0,
    )


def quantities(found: Api, *path: str) -> dict[str, float]:
    """Resource name -> cores, bytes or count."""
    values = {name: quantity(shown) for name, shown in pairs(found, *path).items()}
    return {name: value for name, value in values.items() if value is not None}


def _port(found: Api) -> Port:
    return Port(
        number(found, "containerPort") or 0,
        text(found, "name"),
        text(found, "protocol") or "TCP",
    )


def _probe(role: ProbeRole, found: Api) -> Probe | None:
    key = next((key for key in _HANDLERS if key in found), None)
    if key is None:
        return None
    action = part(found, key)
    secure = text(action, "scheme").upper() == "HTTPS"
    failures, period, timeout = (
        number(found, field) for field in ("failureThreshold", "periodSeconds", "timeoutSeconds")
    )
    return Probe(
        role=role,
        handler="https" if secure else _HANDLERS[key],
        port=text(action, "port"),
        path=text(action, "path"),
        delay_s=float(number(found, "initialDelaySeconds") or 0),
        timeout_s=float(1 if timeout is None else timeout),
        period_s=float(10 if period is None else period),
        failures=3 if failures is None else failures,
    )


def _variable(found: Api) -> Variable:
    for key, kind in (("secretKeyRef", "secret"), ("configMapKeyRef", "configmap")):
        origin = part(found, "valueFrom", key)
        if origin:
            taken = Reference(
                kind, text(origin, "name"), text(origin, "key"), truth(origin, "optional")
            )
            return Variable(text(found, "name"), None, taken)
    value = text(found, "value") if "value" in found else None
    return Variable(text(found, "name"), value)


def _taken_from(found: Api) -> Reference | None:
    for key, kind in (("secretRef", "secret"), ("configMapRef", "configmap")):
        if part(found, key):
            return Reference(kind, text(found, key, "name"), "", truth(found, key, "optional"))
    return None


def _volume(found: Api) -> Volume:
    name = text(found, "name")
    optional = truth(found, "secret", "optional") or truth(found, "configMap", "optional")
    for kind, named in (
        ("claim", text(found, "persistentVolumeClaim", "claimName")),
        ("secret", text(found, "secret", "secretName")),
        ("configmap", text(found, "configMap", "name")),
    ):
        if named:
            return Volume(name, Reference(kind, named, "", optional))
    return Volume(name, None, text(found, "hostPath", "path"))


def _requirements(found: Api) -> tuple[Requirement, ...]:
    exact = tuple(
        Requirement(key, "In", (value,)) for key, value in pairs(found, "matchLabels").items()
    )
    return exact + tuple(
        Requirement(text(one, "key"), text(one, "operator"), texts(one, "values"))
        for one in parts(found, "matchExpressions")
    )


_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def _node_affinity(affinity: Api) -> tuple[tuple[Requirement, ...], ...]:
    terms = parts(affinity, "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
    return tuple(_requirements(term) for term in terms)


def _anti_affinity(affinity: Api) -> tuple[tuple[Requirement, ...], ...]:
    terms = parts(affinity, "podAntiAffinity", _REQUIRED)
    return tuple(_requirements(part(term, "labelSelector")) for term in terms)


def _word(spec: PodSpec, status: Api) -> str:
    """kubectl's word for a pod: the reason of the first container that waits, else the phase."""
    for container in (*spec.init_containers, *spec.containers):
        if container.state in ("waiting", "terminated") and container.reason not in (
            "",
            "Completed",
        ):
            return container.reason
    return text(status, "reason") or text(status, "phase")


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)
