"""From what was seen of pods and objects in one second to the columns of that second. Pure.

A column is called ``<service>_<metric>``, ``<caller>-><callee>_<metric>`` for what callers saw of
the calls between two services, and ``<node>_<metric>``. A metric's last word is its unit where it
has one ("seconds", "bytes", "cores", "ratio", "ops": per second); names are those of Prometheus
exporters, kube-state-metrics and cAdvisor where these have one.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.recording.exposition import Requests, Totals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
ENTRY_RATE, ENTRY_ERRORS, ENTRY_SLOW = (
    "request_ops",
    "request_errors_ops",
    "request_duration_p99_seconds",
)
"""The metrics that users' objectives are about."""
BLOCK_BYTES = 4096

Column = tuple[str, float]


@dataclass(frozen=True, slots=True)
class PodSeen:
    """One pod now.

    Attributes:
        totals: what it says of itself; ``None``: it did not answer.
        grown: what that grew by within ``elapsed_s``; ``None``: nothing to compare with.
        cores, resident: what its processes use; bytes.
    """

    service: str
    name: str
    totals: Totals | None
    grown: Totals | None
    elapsed_s: float
    cores: float
    resident: float
    ready: bool
    restarts: int


@dataclass(frozen=True, slots=True)
class WorkloadSeen:
    """One Deployment now, and the autoscaler it has."""

    service: str
    desired: int
    available: int
    unavailable: int
    scaled_to: int | None = None
    scaled_at_most: int | None = None


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One node now; ``pressed``: how many conditions hold on it that should not."""

    name: str
    cores: float
    resident: float
    pressed: int


def columns(
    pods: Sequence[PodSeen], workloads: Sequence[WorkloadSeen], nodes: Sequence[NodeSeen]
) -> dict[str, float]:
    """Column name -> value; a value that is not known is left out."""
    by_service: dict[str, list[PodSeen]] = defaultdict(list)
    for pod in pods:
        by_service[pod.service].append(pod)
    found: dict[str, float] = {}
    for service, own in by_service.items():
        for metric, value in _of_service(own):
            found[f"{service}_{metric}"] = value
        for callee, requests in calls(own).items():
            edge = f"{service}->{callee}"
            for metric, value in _of_requests(requests, _elapsed(own)):
                found[f"{edge}_{metric}"] = value
    for workload in workloads:
        for metric, value in _of_workload(workload):
            found[f"{workload.service}_{metric}"] = value
    for node in nodes:
        found[f"{node.name}_node_cpu_usage_cores"] = node.cores
        found[f"{node.name}_node_memory_usage_bytes"] = node.resident
        found[f"{node.name}_kube_node_status_condition"] = float(node.pressed)
    return {name: value for name, value in found.items() if not math.isnan(value)}


def served(pods: Sequence[PodSeen]) -> Requests:
    """Requests that a service's pods answered within the last seconds."""
    found = Requests()
    for pod in pods:
        if pod.grown is None:
            continue
        for labels, value in pod.grown.of("request_duration_seconds_count"):
            found.count += value
            found.errors += value if dict(labels).get("status_code", "") >= "500" else 0.0
        for labels, value in pod.grown.of("request_duration_seconds_bucket"):
            found.add(float(dict(labels)["le"]), value)
    return found


def calls(pods: Sequence[PodSeen]) -> dict[str, Requests]:
    """Callee -> what a service's pods saw of their calls to it within the last seconds."""
    found: dict[str, Requests] = defaultdict(Requests)
    for pod in pods:
        if pod.grown is None:
            continue
        for labels, value in pod.grown.of("client_request_duration_seconds_count"):
            found[dict(labels)["target"]].count += value
        for labels, value in pod.grown.of("client_errors_total"):
            found[dict(labels)["target"]].errors += value
        for labels, value in pod.grown.of("client_request_duration_seconds_bucket"):
            told = dict(labels)
            found[told["target"]].add(float(told["le"]), value)
    return found


def _elapsed(pods: Sequence[PodSeen]) -> float:
    return max((pod.elapsed_s for pod in pods if pod.grown is not None), default=math.nan)


def _of_requests(requests: Requests, elapsed_s: float) -> Iterator[Column]:
    yield "request_ops", requests.count / elapsed_s
    yield "request_errors_ops", requests.errors / elapsed_s
    for suffix, share in QUANTILES:
        yield f"request_duration_{suffix}_seconds", requests.quantile(share)


def _of_service(pods: Sequence[PodSeen]) -> Iterator[Column]:
    answering = [pod for pod in pods if pod.totals is not None]
    yield "up", len(answering) / len(pods)
    yield "kube_pod_status_ready", float(sum(pod.ready for pod in pods))
    yield "kube_pod_container_status_restarts_total", float(sum(pod.restarts for pod in pods))
    yield "container_cpu_usage_cores", sum(pod.cores for pod in pods)
    yield "container_memory_rss_bytes", sum(pod.resident for pod in pods)
    throttled = [_throttled(pod) for pod in answering]
    known = [one for one in throttled if not math.isnan(one)]
    if known:
        yield "container_cpu_cfs_throttled_ratio", sum(known) / len(known)
    if len(pods) > 1:  # a sum hides the one replica that is ill
        yield "container_cpu_usage_max_cores", max(pod.cores for pod in pods)
        yield "container_memory_rss_max_bytes", max(pod.resident for pod in pods)
    requests, elapsed_s = served(pods), _elapsed(pods)
    if requests.buckets:
        yield from _of_requests(requests, elapsed_s)
    retried = [pod.grown.total("client_retries_total") for pod in pods if pod.grown is not None]
    if any(one is not None for one in retried):
        yield "retries_ops", sum(one or 0.0 for one in retried) / elapsed_s
    yield from _levels([pod.totals for pod in answering if pod.totals is not None])


_SUMS = (
    "requests_in_flight",
    "requests_waiting",
    "store_queries_active",
    "store_queries_waiting",
    "queue_depth",
    "process_open_fds",
)


def _levels(listed: Sequence[Totals]) -> Iterator[Column]:
    for name in _SUMS:
        found = [value for one in listed if (value := one.total(name)) is not None]
        if found:
            yield name, sum(found)
    pools = [share for one in listed for share in _pools(one)]
    if pools:
        yield "connection_pool_in_use_ratio", max(pools)
    volumes = [share for one in listed if (share := _volume(one)) is not None]
    if volumes:
        yield "volume_used_ratio", max(volumes)


def _pools(one: Totals) -> Iterator[float]:
    room = dict(one.of("client_pool_size"))
    for labels, value in one.of("client_pool_in_use"):
        if room.get(labels):
            yield value / room[labels]


def _volume(one: Totals) -> float | None:
    """What is taken of the volume, in whole blocks, as a file system counts."""
    used, size = one.total("volume_used_bytes"), one.total("volume_size_bytes")
    if used is None or not size:
        return None
    return min(math.ceil(used / BLOCK_BYTES) * BLOCK_BYTES / size, 1.0)


def _throttled(pod: PodSeen) -> float:
    """Share of the last seconds that it stood still for its CPU limit."""
    seconds = pod.grown.total("container_cpu_cfs_throttled_seconds_total") if pod.grown else None
    return math.nan if seconds is None else min(seconds / pod.elapsed_s, 1.0)


def _of_workload(one: WorkloadSeen) -> Iterator[Column]:
    yield "kube_deployment_spec_replicas", float(one.desired)
    yield "kube_deployment_status_replicas_available", float(one.available)
    yield "kube_deployment_status_replicas_unavailable", float(one.unavailable)
    if one.scaled_to is not None:
        yield "kube_horizontalpodautoscaler_status_current_replicas", float(one.scaled_to)
    if one.scaled_at_most is not None:
        yield "kube_horizontalpodautoscaler_spec_max_replicas", float(one.scaled_at_most)
