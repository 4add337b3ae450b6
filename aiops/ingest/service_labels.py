"""Which label of a series or stream says the service it belongs to.

Labels are tried from the most to the least telling one, by the conventions of Prometheus,
Kubernetes (recommended labels; names of pods) and OpenTelemetry's mapping to Prometheus.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from aiops.model import Entity

SERVICE_LABELS = (
    "service_name",
    "service",
    "app_kubernetes_io_name",
    "app",
    "k8s_app",
    "deployment",
    "workload",
    "pod",
    "container",
    "job",
)
OBJECT_LABELS = ("deployment", "statefulset", "daemonset", "pod", "container")
"""For exporters that speak of others: what scrapes them labels their own service."""
NODE_LABELS = ("node", "nodename", "instance")
_NAMESPACES = ("namespace", "k8s_namespace_name", "kubernetes_namespace", "service_namespace")
_CLUSTERS = ("cluster", "k8s_cluster_name")

# Kubernetes makes suffixes of these letters only (apimachinery, util/rand, SafeEncodeString):
# "-<template hash>-<random>" of Deployments, "-<random>" of DaemonSets, "-<n>" of StatefulSets.
_SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
_POD_SUFFIX = f"(?:-{_SAFE}{{6,10}}-{_SAFE}{{5}}|-{_SAFE}{{5}}|-[0-9]+)"
STEMS = {"pod": f"(.+?){_POD_SUFFIX}", "job": "(?:.+/)?(.+)"}
"""Labels whose value holds more than the service: the first group is the service.

OpenTelemetry's exporters write "<namespace>/<service>" as the job.
"""
_STEMS = {label: re.compile(pattern) for label, pattern in STEMS.items()}


def service_of(label: str, value: str) -> str:
    """The service that ``value`` of ``label`` stands for."""
    stem = _STEMS[label].fullmatch(value) if label in _STEMS else None
    return stem[1] if stem else value


def place(
    labels: Mapping[str, str], order: Sequence[str], services: Collection[str] | None
) -> tuple[str, str] | None:
    """(label, service) of a series: the first label of ``order`` that names one of ``services``.

    Where ``services`` is None the first label that is there; None where no label fits.
    """
    for label in order:
        value = labels.get(label)
        if value:
            service = service_of(label, value)
            if services is None or service in services:
                return label, service
    return None


def pattern(label: str, services: Collection[str]) -> str:
    """The regular expression (RE2, anchored) of the values of ``label`` that mean ``services``."""
    names = "|".join(re.escape(name) for name in sorted(services))
    match label:
        case "pod":
            return f"(?:{names}){_POD_SUFFIX}?"
        case "job":
            return f"(?:.+/)?(?:{names})"
        case _:
            return names


def selects(label: str, services: Collection[str] | None, order: Sequence[str]) -> tuple[str, ...]:
    """Matchers for what ``place`` puts at ``label``, and at no label before it in ``order``."""
    before = order[: order.index(label)]
    if services is None:
        return (*(f'{one}=""' for one in before), f'{label}!=""')
    return (
        *(f"{one}!~{quoted(pattern(one, services))}" for one in before),
        f"{label}=~{quoted(pattern(label, services))}",
    )


def within(namespace: str | None, cluster: str | None) -> tuple[str, ...]:
    """Matchers of which each series of the place fits one; () where the place is everywhere.

    A series that states no cluster is in the only one that its server knows.
    """
    clusters = ""
    if cluster is not None:
        own = quoted(f"{re.escape(cluster)}|")
        clusters = ",".join(f"{one}=~{own}" for one in _CLUSTERS)
    if namespace is None:
        return (f'{{__name__=~".+",{clusters}}}',) if clusters else ()
    places = (f"{one}={quoted(namespace)}" for one in _NAMESPACES)
    return tuple("{" + ",".join(filter(None, (one, clusters))) + "}" for one in places)


def quoted(text: str) -> str:
    """``text`` as a string of PromQL or LogQL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The labels of a set of series that say namespace and cluster; None where none does."""

    namespace: str | None
    cluster: str | None

    @classmethod
    def among(cls, names: Collection[str]) -> "Surroundings":
        return cls(
            next((one for one in _NAMESPACES if one in names), None),
            next((one for one in _CLUSTERS if one in names), None),
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(one for one in (self.namespace, self.cluster) if one is not None)

    def entity(self, service: str, labels: Mapping[str, str], cluster: str | None) -> Entity:
        """The service; ``cluster`` is where a series without such a label belongs."""
        return Entity(
            "service",
            service,
            (labels.get(self.namespace) or None) if self.namespace else None,
            (labels.get(self.cluster) if self.cluster else None) or cluster,
        )
