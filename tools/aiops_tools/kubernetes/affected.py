"""Which services a change in a cluster concerns: a config map those that read it, a network policy
those it chooses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from aiops.analyze.state.api import Api, pairs, part, parts, text
from aiops.model import Entity
from aiops.model.change import Change
from aiops_tools.kubernetes.changes import Changed
from aiops_tools.kubernetes.owners import containers, template
from aiops_tools.kubernetes.selectors import chooses

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")
_LABELS = ("app.kubernetes.io/name", "app", "k8s-app", "name")
"""Labels that say what a workload is called, should telemetry not go by its own name."""


def told(
    found: Sequence[Changed],
    objects: Mapping[str, Sequence[Api]],
    services: Sequence[str] | None,
    cluster: str,
) -> Iterator[Change]:
    """``found`` as changes to services, and where they concern none, to a namespace or node.

    Args:
        services: telemetry's names; None takes all, and what concerns no service too.
    """
    wanted = None if services is None else set(services)
    for one in found:
        workloads = _concerned(one, objects)
        for workload in workloads:
            name = _name(workload, wanted)
            if wanted is None or name in wanted:
                yield _change(one, Entity("service", name, one.namespace, cluster))
        if not workloads and wanted is None:
            yield _change(one, _place(one, cluster))


def _concerned(one: Changed, objects: Mapping[str, Sequence[Api]]) -> list[Api]:
    concerns = _concerns(one, objects)
    return [
        workload
        for kind in WORKLOADS
        for workload in objects.get(kind, ())
        if text(workload, "metadata", "namespace") == (one.namespace or "") and concerns(workload)
    ]


def _concerns(one: Changed, objects: Mapping[str, Sequence[Api]]) -> Callable[[Api], bool]:
    """Whether a workload is concerned by it."""
    changed = next(
        (
            found
            for found in objects.get(one.kind, ())
            if text(found, "metadata", "name") == one.name
            and text(found, "metadata", "namespace") == (one.namespace or "")
        ),
        {},
    )
    match one.kind:
        case "ConfigMap" | "Secret":
            return lambda workload: (one.kind, one.name) in set(_read_by(workload))
        case "Service" | "PodDisruptionBudget":
            selector = part(changed, "spec", "selector")
            chosen = selector if one.kind != "Service" else {"matchLabels": selector}
            return lambda workload: bool(selector) and chooses(chosen, _pod_labels(workload))
        case "NetworkPolicy":
            return lambda workload: chooses(
                part(changed, "spec", "podSelector"), _pod_labels(workload)
            )
        case "HorizontalPodAutoscaler":
            target = part(changed, "spec", "scaleTargetRef")
            return lambda workload: (
                (text(workload, "kind"), text(workload, "metadata", "name"))
                == (
                    text(target, "kind"),
                    text(target, "name"),
                )
            )
    return lambda workload: (
        (text(workload, "kind"), text(workload, "metadata", "name")) == (one.kind, one.name)
    )


def _read_by(workload: Api) -> Iterator[tuple[str, str]]:
    """Kind and name of the settings that a workload's pods take."""
    spec = part(template(workload), "spec")
    for container in containers(spec):
        for variable in parts(container, "env"):
            source = part(variable, "valueFrom")
            yield "ConfigMap", text(source, "configMapKeyRef", "name")
            yield "Secret", text(source, "secretKeyRef", "name")
        for whole in parts(container, "envFrom"):
            yield "ConfigMap", text(whole, "configMapRef", "name")
            yield "Secret", text(whole, "secretRef", "name")
    for volume in parts(spec, "volumes"):
        yield "ConfigMap", text(volume, "configMap", "name")
        yield "Secret", text(volume, "secret", "secretName")


def _pod_labels(workload: Api) -> dict[str, str]:
    return pairs(template(workload), "metadata", "labels")


def _name(workload: Api, wanted: set[str] | None) -> str:
    """What telemetry calls it: its own name, unless only a label's is asked for."""
    own = text(workload, "metadata", "name")
    if wanted is None or own in wanted:
        return own
    labels = pairs(workload, "metadata", "labels") | _pod_labels(workload)
    return next((labels[key] for key in _LABELS if labels.get(key) in wanted), own)


def _place(one: Changed, cluster: str) -> Entity:
    if one.kind == "Node":
        return Entity("node", one.name, cluster=cluster)
    return Entity("namespace", one.namespace or "", cluster=cluster)


def _change(one: Changed, entity: Entity) -> Change:
    return Change(
        at=datetime.fromtimestamp(one.at, UTC),
        entity=entity,
        description=f"{one.kind} {one.name} {one.what}",
        kind=one.type,
        author=one.by or None,
        ref=one.ref or None,
    )
