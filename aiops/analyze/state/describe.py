"""``kubectl describe`` as API objects: the same nested dicts the live API would give.

Only what rules ask for is carried over, and nothing of a secret. Unknown or truncated parts are
left out, never guessed.
"""

import re
from collections.abc import Callable
from typing import Any

from aiops.analyze.state.describe_pods import conditions, pod, pod_spec, values
from aiops.analyze.state.outline import Outline, outline, rows
from aiops.analyze.state.quantities import whole

Api = dict[str, Any]


def api_object(kind: str, text: str) -> Api | None:
    """The object in the read-out of one describe; None where it holds none of this ``kind``."""
    found = outline(text)
    name = found.value("Name")
    if not name or kind not in _PARTS:
        return None
    part = {"kind": kind, "metadata": _metadata(found, name), **_PARTS[kind](found)}
    part["events"] = list(rows(found.lines("Events"))) if "Events" in found.entries else None
    return part


def _metadata(found: Outline, name: str) -> Api:
    return {
        "name": name,
        "namespace": found.value("Namespace") or None,
        "labels": found.pairs("Labels"),
        "annotations": found.pairs("Annotations", ": "),
    }


def _workload(found: Outline) -> Api:
    template = found.below("Pod Template")
    counts = {
        word: int(number) for number, word in re.findall(r"([0-9]+) (\w+)", found.value("Replicas"))
    }
    kind, _, owner = found.value("Controlled By").partition("/")
    desired = counts.get("desired", whole(found.value("Desired Number of Nodes Scheduled")))
    return {
        "owner": {"ownerReferences": [{"kind": kind, "name": owner}]} if owner else {},
        "spec": {
            "replicas": desired,
            "selector": {"matchLabels": found.pairs("Selector")},
            "template": {
                "metadata": {"labels": template.pairs("Labels")},
                "spec": pod_spec(template),
            },
        },
        "status": {
            "replicas": counts.get("total", counts.get("current")),
            "readyReplicas": counts.get(
                "available", whole(found.value("Number of Nodes Scheduled with Available Pods"))
            ),
            "updatedReplicas": counts.get("updated"),
            "conditions": conditions(found),
        },
    }


def _service(found: Outline) -> Api:
    ports = []
    targets = [entry.value for entry in found.all if entry.key == "TargetPort"]
    shown_ports = [entry.value for entry in found.all if entry.key == "Port"]
    for line_port, line_target in zip(shown_ports, targets, strict=False):
        shown = re.match(r"(?:(\S+)\s+)?([0-9]+)/([A-Z]+)", line_port)
        if shown:
            name = "" if shown[1] in (None, "<unset>") else shown[1]
            target = line_target.partition("/")[0]
            ports.append(
                {
                    "name": name,
                    "port": int(shown[2]),
                    "protocol": shown[3],
                    "targetPort": target,
                }
            )
    return {
        "spec": {
            "type": found.value("Type"),
            "selector": found.pairs("Selector"),
            "clusterIP": found.value("IP"),
            "ports": ports,
        }
    }


def _node(found: Outline) -> Api:
    taints = []
    for item in found.items("Taints"):
        pair, _, effect = item.rpartition(":")
        key, _, value = pair.partition("=")
        taints.append({"key": key, "value": value, "effect": effect})
    requested = {
        row.get("Resource", ""): row.get("Requests", "").partition(" ")[0]
        for row in rows(
            [line for line in found.lines("Allocated resources") if "(Total" not in line]
        )
    }
    return {
        "spec": {"unschedulable": found.value("Unschedulable") == "true", "taints": taints},
        "status": {
            "conditions": conditions(found),
            "allocatable": values(found.below("Allocatable")),
            "requested": requested,
        },
    }


_MODES = {"RWO": "ReadWriteOnce", "ROX": "ReadOnlyMany", "RWX": "ReadWriteMany"}


def _modes(text: str) -> list[str]:
    modes = [mode.strip() for mode in text.split(",") if mode.strip()]
    return [_MODES.get(mode, "ReadWriteOncePod" if mode == "RWOP" else mode) for mode in modes]


def _claim(found: Outline) -> Api:
    spec: Api = {"volumeName": found.value("Volume"), "volumeMode": found.value("VolumeMode")}
    if found.value("StorageClass"):
        spec["storageClassName"] = found.value("StorageClass")
    return {"spec": spec, "status": {"phase": found.value("Status")}}


def _volume(found: Outline) -> Api:
    namespace, _, claim = found.value("Claim").partition("/")
    return {
        "spec": {
            "capacity": {"storage": found.value("Capacity")},
            "accessModes": _modes(found.value("Access Modes")),
            "storageClassName": found.value("StorageClass"),
            "volumeMode": found.value("VolumeMode"),
            "claimRef": {"namespace": namespace, "name": claim} if claim else None,
        },
        "status": {"phase": found.value("Status")},
    }


def _endpoints(found: Outline) -> Api:
    subset = found.below("Subsets")

    def addresses(key: str) -> list[Api]:
        return [{"ip": ip} for ip in subset.value(key).split(",") if ip]

    return {
        "subsets": [
            {
                "addresses": addresses("Addresses"),
                "notReadyAddresses": addresses("NotReadyAddresses"),
            }
        ]
    }


def _quota(found: Outline) -> Api:
    table = [line for line in found.lines("Namespace") if line.strip()]
    resources = list(rows(table))
    return {
        "status": {
            "used": {row.get("Resource", ""): row.get("Used", "") for row in resources},
            "hard": {row.get("Resource", ""): row.get("Hard", "") for row in resources},
        }
    }


def _policy(found: Outline) -> Api:
    spec = found.below("Spec")
    selector = spec.pairs("PodSelector")
    ingress = " ".join(spec.items("Allowing ingress traffic"))
    egress = " ".join(spec.items("Allowing egress traffic"))
    return {
        "spec": {
            "podSelector": {"matchLabels": selector},
            "policyTypes": [word.strip() for word in spec.value("Policy Types").split(",")],
            "ingress": [] if "isolated for ingress" in ingress else [{}],
            "egress": [] if "isolated for egress" in egress else [{}],
        }
    }


def _storage_class(found: Outline) -> Api:
    return {
        "provisioner": found.value("Provisioner"),
        "volumeBindingMode": found.value("VolumeBindingMode"),
    }


_PARTS: dict[str, Callable[[Outline], Api]] = {
    "pod": pod,
    "deployment": _workload,
    "replicaset": _workload,
    "statefulset": _workload,
    "daemonset": _workload,
    "job": _workload,
    "service": _service,
    "node": _node,
    "claim": _claim,
    "volume": _volume,
    "endpoints": _endpoints,
    "quota": _quota,
    "networkpolicy": _policy,
    "storageclass": _storage_class,
}
WITH_EVENTS = frozenset(
    {"pod", "deployment", "replicaset", "statefulset", "daemonset", "job", "service", "node"}
)
"""Kinds whose description ends with its events, be there none."""


def is_known(kind: str) -> bool:
    """Whether descriptions of ``kind`` are read at all."""
    return kind in _PARTS
