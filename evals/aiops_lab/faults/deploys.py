"""Faults that come with a change: of an image, of configuration, of a Service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops.errors import WrongState
from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Edited
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, Text, calling, serving, throughout
from aiops_lab.pods.setup import variable
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.faults.effects import Phase
    from aiops_lab.faults.fault import Value
    from aiops_lab.faults.ports import Ground
    from aiops_lab.topology.model import Topology

DEPLOYMENTS = "deployments.apps"
_TEMPLATE = ("spec", "template")
_IMAGE = (*_TEMPLATE, "spec", "containers", 0, "image")
_RESTARTED = (*_TEMPLATE, "metadata", "annotations", "kubectl.kubernetes.io/restartedAt")


def restarted(aim: Aim, service: str) -> Edited:
    """Its pods are made anew, as by kubectl rollout restart; and once more when it is undone."""
    return Edited(DEPLOYMENTS, service, _RESTARTED, aim.at.isoformat(timespec="microseconds"))


def _buggy(ground: Ground, _target: str) -> tuple[str, ...]:
    versions = ground.topology.versions.items()
    return tuple(tag for tag, behaviour in versions if behaviour != Behaviour())


def _with_a_buggy_version(ground: Ground) -> tuple[str, ...]:
    return serving(ground) if _buggy(ground, "") else ()


def _image(aim: Aim, tag: str) -> Edited:
    return Edited(DEPLOYMENTS, aim.target, _IMAGE, f"lab/{aim.target}:{tag}")


def _shown_by(topology: Topology, values: Mapping[str, Value]) -> str:
    """What moves with a version's bug; where it has several, what users feel first."""
    bug = topology.versions[str(values["version"])]
    if bug.exit_after_s is not None:
        return "kube_pod_container_status_restarts_total"
    if bug.error_rate:
        return "request_errors_ops"
    return "container_memory_rss_bytes" if bug.leak_bytes_s else "request_duration_p99_seconds"


BAD_DEPLOY = Fault(
    name="bad-deploy",
    type=FaultType.BAD_DEPLOY,
    says="a version with a bug is rolled out",
    metric="request_duration_p99_seconds",
    phases=lambda aim: throughout(_image(aim, aim.text("version"))),
    parameters=(Choice("version", _buggy, "image tag that is rolled out"),),
    targets=_with_a_buggy_version,
    needs="kubernetes",
    metric_of=_shown_by,
)


def _not_pulled(aim: Aim) -> tuple[Phase, ...]:
    """As on a real cluster a rolling update leaves the old pods until new ones are ready.

    ``old`` "gone" replaces them first (strategy Recreate).
    """
    image = _image(aim, aim.text("tag"))
    if aim.text("old") == "kept":
        return throughout(image)
    return throughout(
        Edited(DEPLOYMENTS, aim.target, ("spec", "strategy"), {"type": "Recreate"}), image
    )


BAD_IMAGE = Fault(
    name="bad-image",
    type=FaultType.IMAGE,
    says="an image is rolled out that cannot be pulled: ErrImagePull, ImagePullBackOff",
    metric="kube_deployment_status_replicas_unavailable",
    phases=_not_pulled,
    parameters=(
        Text("tag", "9.9.9-missing", "image tag that nobody has"),
        Choice("old", lambda *_: ("gone", "kept"), "pods of the version before"),
    ),
    needs="kubernetes",
)


def _misconfigured(aim: Aim) -> tuple[Phase, ...]:
    first = aim.topology.services[aim.target].targets[0]
    port = aim.topology.services[first].service_port
    key = aim.text("key") or f"{variable(first)}_URL"
    value = aim.text("value") or f"http://{first}-old:{port}"
    change = Edited("configmaps", f"{aim.target}-config", ("data", key), value)
    return throughout(change, restarted(aim, aim.target))


BAD_CONFIG = Fault(
    name="bad-config",
    type=FaultType.BAD_CONFIG,
    says="a setting is wrong: an address that leads nowhere, or what the process cannot read",
    metric="request_errors_ops",
    phases=_misconfigured,
    parameters=(
        Text("key", "", "of the ConfigMap; else the address of the first service it calls"),
        Text("value", "", "else an address that leads nowhere"),
    ),
    targets=calling,
    needs="kubernetes",
)


def _wrong_port(aim: Aim) -> tuple[Phase, ...]:
    port = aim.topology.services[aim.target].port + int(aim.level("off"))
    path = ("spec", "ports", 0, "targetPort")
    return throughout(Edited("services", aim.target, path, port))


WRONG_PORT = Fault(
    name="wrong-port",
    type=FaultType.BAD_CONFIG,
    says="the Service's targetPort is one on which nobody listens",
    metric="request_errors_ops",
    phases=_wrong_port,
    parameters=(Level("off", "ports", 1, 1, 1, 1000, "beside the right one"),),
    targets=serving,
    needs="kubernetes",
)


def _wrong_selector(aim: Aim) -> tuple[Phase, ...]:
    service = aim.sight.read("services", aim.target)
    if service is None:
        raise WrongState(f"service {aim.target}", "has no Service object to change")
    selector = service["spec"].get("selector") or {}
    if not selector:
        raise WrongState(f"service {aim.target}", "selects nothing already")
    key = next(iter(selector))
    wrong = re.sub(r"[^a-z0-9-]", "-", f"{selector[key]}-v2".lower())
    return throughout(Edited("services", aim.target, ("spec", "selector", key), wrong))


WRONG_SELECTOR = Fault(
    name="wrong-selector",
    type=FaultType.BAD_CONFIG,
    says="the Service selects labels that no pod has, so it has no endpoints",
    metric="request_errors_ops",
    phases=_wrong_selector,
    targets=serving,
    needs="kubernetes",
)
