"""Faults that come with a change: of an image, of configuration, of a Service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiops.errors import WrongState
from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Edited, Phase
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, Text, calling, serving
from aiops_lab.pods.setup import variable
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground

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


class BadDeploy(Fault):
    """A version with a bug is rolled out."""

    name = "bad-deploy"
    type = FaultType.BAD_DEPLOY
    says = "a version with a bug is rolled out"
    indicator = Indicator("metric", "request_duration_seconds")
    parameters = (Choice("version", _buggy, "image tag that is rolled out"),)
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that answer requests, where a version with a bug is known."""
        return serving(ground.topology) if _buggy(ground, "") else ()

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        image = f"lab/{aim.target}:{aim.text('version')}"
        return (Phase(0.0, (Edited(DEPLOYMENTS, aim.target, _IMAGE, image),)),)


class BadImage(Fault):
    """An image that no registry has: ErrImagePull, ImagePullBackOff.

    As on a real cluster a rolling update leaves the old pods until new ones are ready; ``old``
    "gone" replaces them first (strategy Recreate).
    """

    name = "bad-image"
    type = FaultType.IMAGE
    says = "an image is rolled out that cannot be pulled"
    indicator = Indicator("metric", "kube_pod_container_status_waiting_reason")
    parameters = (
        Text("tag", "9.9.9-missing", "image tag that nobody has"),
        Choice("old", lambda *_: ("gone", "kept"), "pods of the version before"),
    )
    needs = "kubernetes"

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        image = Edited(DEPLOYMENTS, aim.target, _IMAGE, f"lab/{aim.target}:{aim.text('tag')}")
        if aim.text("old") == "kept":
            return (Phase(0.0, (image,)),)
        first = Edited(DEPLOYMENTS, aim.target, ("spec", "strategy"), {"type": "Recreate"})
        return (Phase(0.0, (first, image)),)


class BadConfig(Fault):
    """A ConfigMap gets a value that the service cannot use, and the service is restarted."""

    name = "bad-config"
    type = FaultType.BAD_CONFIG
    says = "a setting is wrong: an address that leads nowhere, or what the process cannot read"
    indicator = Indicator("config", "configmap")
    parameters = (
        Text("key", "", "of the ConfigMap; else the address of the first service it calls"),
        Text("value", "", "else an address that leads nowhere"),
    )
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that call others."""
        return calling(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        first = aim.topology.services[aim.target].targets[0]
        port = aim.topology.services[first].service_port
        key = aim.text("key") or f"{variable(first)}_URL"
        value = aim.text("value") or f"http://{first}-old:{port}"
        change = Edited("configmaps", f"{aim.target}-config", ("data", key), value)
        return (Phase(0.0, (change, restarted(aim, aim.target))),)


class WrongPort(Fault):
    """The Service leads to a port on which nobody listens."""

    name = "wrong-port"
    type = FaultType.BAD_CONFIG
    says = "the Service's targetPort is one on which nobody listens"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (Level("off", "ports", 1, 1, 1, 1000, "beside the right one"),)
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that answer requests."""
        return serving(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        port = aim.topology.services[aim.target].port + int(aim.level("off"))
        path = ("spec", "ports", 0, "targetPort")
        return (Phase(0.0, (Edited("services", aim.target, path, port),)),)


class WrongSelector(Fault):
    """The Service selects labels that no pod has: it has no endpoints."""

    name = "wrong-selector"
    type = FaultType.BAD_CONFIG
    says = "the Service selects labels that no pod has"
    indicator = Indicator("metric", "kube_endpoint_address_available")
    needs = "kubernetes"

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that answer requests."""
        return serving(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        service = aim.sight.read("services", aim.target)
        if service is None:
            raise WrongState(f"service {aim.target}", "has no Service object to change")
        selector = service["spec"].get("selector") or {}
        if not selector:
            raise WrongState(f"service {aim.target}", "selects nothing already")
        key = next(iter(selector))
        wrong = re.sub(r"[^a-z0-9-]", "-", f"{selector[key]}-v2".lower())
        return (Phase(0.0, (Edited("services", aim.target, ("spec", "selector", key), wrong),)),)
