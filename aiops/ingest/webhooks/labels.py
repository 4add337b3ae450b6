"""Labels: how many are kept, what they identify, what they are about."""

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache

from aiops.model.alert import Labels
from aiops.model.entity import Entity, EntityKind

MOST_LABELS = 100
"""Labels or annotations kept of one alert."""
MOST_NAME = 200
MOST_VALUE = 1_024
"""Characters kept of a label's name and of its value."""
MOST_ANNOTATION = 4_096
"""Characters kept of an annotation: they are prose."""
MOST_IDENTITY = 200
"""Characters of a fingerprint that are kept as they are; a longer one is hashed."""

_SERVICES = "service servicename appkubernetesioname app application appname k8sapp functionname"
_WORKLOADS = (
    "deployment statefulset daemonset cronjob jobname rollout workload workloadname"
    " k8sdeploymentname k8sstatefulsetname k8sdaemonsetname kubedeployment"
)
_PODS = "exportedpod pod podname k8spodname kubepod kubernetespodname"
_NODES = "node nodename k8snodename kubenode host hostname servername"
_INSTANCES = "instance instanceid dbinstanceidentifier serviceinstanceid"
_NAMESPACES = (
    "exportednamespace namespace k8snamespacename kubenamespace kubernetesnamespace podnamespace"
)
_CLUSTERS = "cluster clustername k8sclustername kubecluster kubeclustername"

# Scraped to watch others: an alert with such a job or service is about what was watched.
_WATCHER = re.compile(r"exporter|state-metrics|cadvisor|kubelet|blackbox|node$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[^a-z0-9]")
_TELLING = frozenset(
    " ".join((_SERVICES, _WORKLOADS, _PODS, _NODES, _INSTANCES, _NAMESPACES, _CLUSTERS)).split()
) | {"alertname", "job", "severity", "priority", "team"}


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """A label's name in lower case without separators: "Service.Name" is "servicename"."""
    return _SEPARATORS.sub("", name.lower())


def bounded(
    values: Mapping[str, str], what: str, notes: list[str], most_value: int = MOST_VALUE
) -> Labels:
    """Sorted names and values, at most ``MOST_LABELS`` and none too long.

    Where there are too many, those stay first that say what an alert is about.

    Args:
        what: "labels" or "annotations", for the notes.
        notes: gets a sentence where something was cut.
    """
    names = sorted(values)
    if len(names) > MOST_LABELS:
        names.sort(key=lambda name: (plain_name(name[:MOST_NAME]) not in _TELLING, name))
        notes.append(f"{what}: {MOST_LABELS} of {len(names)} kept")
        names = sorted(names[:MOST_LABELS])
    long = [name for name in names if len(name) > MOST_NAME or len(values[name]) > most_value]
    if not long:
        return tuple((name, values[name]) for name in names)
    shown = ", ".join(name[:40] for name in long[:5])
    notes.append(f"{what}: {len(long)} cut to {most_value} characters ({shown})")
    cut = {name[:MOST_NAME]: values[name][:most_value] for name in names}
    return tuple(sorted(cut.items()))


def identity(given: str, labels: Mapping[str, str]) -> str:
    """The fingerprint a source gave; else sha256 of its labels, sorted."""
    if given and len(given) <= MOST_IDENTITY:
        return given
    hashed = given or json.dumps(sorted(labels.items()), ensure_ascii=False)
    return hashlib.sha256(hashed.encode()).hexdigest()


def entity_of(labels: Mapping[str, str], service: str = "") -> Entity | None:
    """What labels are about, the most specific first: pod, workload, service, node, instance.

    Names of labels are compared in lower case without separators.

    Args:
        service: the service where the source says so elsewhere than in labels.
    """
    found = {plain_name(name): value[:MOST_NAME] for name, value in labels.items() if value}

    def first(names: str) -> str | None:
        return next((found[name] for name in names.split() if name in found), None)

    namespace, cluster = first(_NAMESPACES), first(_CLUSTERS)
    named = _watched(first(_SERVICES)) or service[:MOST_NAME] or None
    job = _watched(found.get("job"))
    about: tuple[tuple[EntityKind, str | None, str | None], ...] = (
        ("instance", first(_PODS), named or first(_WORKLOADS) or job),
        ("workload", first(_WORKLOADS), named),
        ("service", named, None),
        ("node", first(_NODES), None),
        ("service", job, None),
        ("instance", first(_INSTANCES), None),
        ("namespace", namespace, None),
    )
    for kind, name, owner in about:
        if name:
            within = None if kind == "namespace" else namespace
            return Entity(kind, name, namespace=within, cluster=cluster, service=owner)
    return None


def _watched(name: str | None) -> str | None:
    return None if name is None or _WATCHER.search(name) else name
