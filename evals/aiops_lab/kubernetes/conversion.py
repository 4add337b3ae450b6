"""Kinds that look different in another version of their API; others change only their name."""

import json
from typing import Any

from aiops_lab.kubernetes.kinds import Kind

Object = dict[str, Any]
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"


def to_version(obj: Object, kind: Kind) -> Object:
    """A kept object as one version of its API shows it."""
    if kind.is_stored_version:
        return obj
    shown = {**obj, "apiVersion": kind.api_version}
    if kind.type_name == "V1HorizontalPodAutoscaler":
        return _hpa_v1(shown)
    if kind.type_name == "EventsV1Event":
        return _event_of_events_group(shown)
    return shown


def from_version(obj: Object, kind: Kind) -> Object:
    """An object of one version as it is kept."""
    if kind.is_stored_version:
        return obj
    group, version = kind.stored_as
    kept = {**obj, "apiVersion": f"{group}/{version}" if group else version}
    if kind.type_name == "V1HorizontalPodAutoscaler":
        return _hpa_v2(kept)
    if kind.type_name == "EventsV1Event":
        return _core_event(kept)
    return kept


def _is_cpu(metric: Object) -> bool:
    target = metric.get("resource", {}).get("target", {})
    return metric.get("resource", {}).get("name") == "cpu" and "averageUtilization" in target


def _hpa_v1(obj: Object) -> Object:
    spec = {k: v for k, v in obj["spec"].items() if k not in ("metrics", "behavior")}
    status = {
        k: v
        for k, v in (obj.get("status") or {}).items()
        if k not in ("currentMetrics", "conditions")
    }
    status.setdefault("currentReplicas", 0)
    status.setdefault("desiredReplicas", 0)
    others = []
    for metric in obj["spec"].get("metrics", ()):
        if _is_cpu(metric):
            target = metric["resource"]["target"]
            spec["targetCPUUtilizationPercentage"] = target["averageUtilization"]
        else:
            others.append(metric)
    for metric in (obj.get("status") or {}).get("currentMetrics") or ():
        current = metric.get("resource", {}).get("current", {})
        if metric.get("resource", {}).get("name") == "cpu" and "averageUtilization" in current:
            status["currentCPUUtilizationPercentage"] = current["averageUtilization"]
    metadata = obj["metadata"]
    if others:
        annotations = {**(metadata.get("annotations") or {}), _METRICS: json.dumps(others)}
        metadata = {**metadata, "annotations": annotations}
    return {**obj, "metadata": metadata, "spec": spec, "status": status}


def _hpa_v2(obj: Object) -> Object:
    spec = dict(obj.get("spec") or {})
    percentage = spec.pop("targetCPUUtilizationPercentage", None)
    metadata = dict(obj["metadata"])
    annotations = dict(metadata.get("annotations") or {})
    metrics = json.loads(annotations.pop(_METRICS, "[]"))
    if percentage is not None:
        target = {"type": "Utilization", "averageUtilization": percentage}
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    if metrics:
        spec["metrics"] = metrics
    if "annotations" in metadata:
        metadata["annotations"] = annotations
    kept = {**obj, "metadata": metadata, "spec": spec}
    kept.pop("status", None)
    return kept


_EVENT_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}


def _event_of_events_group(obj: Object) -> Object:
    shown = {_EVENT_NAMES.get(key, key): value for key, value in obj.items()}
    first = obj.get("firstTimestamp") or obj["metadata"]["creationTimestamp"]
    # The Python client's model insists on a time here, which has microseconds.
    shown["eventTime"] = obj.get("eventTime") or first.replace("Z", ".000000Z")
    return shown


def _core_event(obj: Object) -> Object:
    names = {theirs: ours for ours, theirs in _EVENT_NAMES.items()}
    return {names.get(key, key): value for key, value in obj.items()}
