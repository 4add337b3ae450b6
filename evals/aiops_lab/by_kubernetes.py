"""The lab's pods as its Kubernetes API wants them."""

from __future__ import annotations

import base64
import random
import secrets
import shutil
import uuid
from typing import TYPE_CHECKING, Any

from aiops.errors import NotKept
from aiops_lab.kubernetes.controllers.common import is_active, service_of
from aiops_lab.kubernetes.credentials import ADMIN
from aiops_lab.kubernetes.server import LAB_NODE, KubernetesApi, Parts
from aiops_lab.kubernetes.writing import Write

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aiops.ports.clock import Clock
    from aiops_lab.kubelet.ports import PodRuntime
    from aiops_lab.kubernetes.bootstrap import NodeSpec
    from aiops_lab.kubernetes.server import ControlPlane


class ByKubernetes:
    """An Orchestrator: the manifests are applied, and the controllers do the rest.

    Args:
        folder: where certificate and kubeconfigs go.
        port: of the API on 127.0.0.1; 0: a free one.
        seed: of the ends of names.
        nodes: what the cluster has room on.
    """

    def __init__(
        self,
        objects: Sequence[Mapping[str, Any]],
        *,
        folder: Path,
        clock: Clock,
        seed: int,
        port: int = 0,
        nodes: tuple[NodeSpec, ...] = (LAB_NODE,),
    ) -> None:
        self._objects, self._folder, self._clock = objects, folder, clock
        self._seed, self._port, self._nodes = seed, port, nodes
        self._api: KubernetesApi | None = None
        self._runtime: PodRuntime | None = None

    @property
    def kubeconfig(self) -> Path | None:
        """The administrator's, once the API serves."""
        return self._api.kubeconfig() if self._api else None

    @property
    def plane(self) -> ControlPlane | None:
        """Objects and controllers, once the API serves."""
        return self._api.plane if self._api else None

    def resolve(
        self, kind: str, namespace: str, name: str, key: str | None
    ) -> Mapping[str, str] | None:
        """See Orchestrator."""
        del key  # all of it is answered; the caller takes the key it asked for
        if self._api is None:
            return None
        cluster = self._api.plane.cluster
        if kind == "ConfigMap":
            found = cluster.find("configmaps", namespace, name)
            return None if found is None else found.get("data") or {}
        found = cluster.find("secrets", namespace, name)
        if found is None:
            return None
        content = (found.get("data") or {}).items()
        return {entry: base64.b64decode(value).decode() for entry, value in content}

    def open(self, runtime: PodRuntime) -> None:
        """See Orchestrator.

        Raises:
            NotServing, NoCertificates: the API cannot be served.
        """
        self._runtime = runtime
        parts = Parts(
            runtime=runtime,
            clock=self._clock,
            uid=lambda: str(uuid.uuid4()),
            token=lambda: secrets.token_urlsafe(24),
            chance=random.Random(self._seed),  # noqa: S311 - the ends of names
            nodes=self._nodes,
        )
        self._api = KubernetesApi(parts, self._folder, self._port)
        self._api.start()
        plane = self._api.plane
        for one in self._objects:
            kind = plane.cluster.registry.of(one["apiVersion"], one["kind"])
            if kind is None:
                raise ValueError(f"{one['apiVersion']} {one['kind']} is no kind of the lab's API")
            namespace = one["metadata"].get("namespace", "")
            plane.writer.create(kind, namespace, one, Write(ADMIN, "aiops-lab"))

    def pods(self) -> list[tuple[str, str, str, int]]:
        """See Orchestrator; pods that are being deleted or have ended are left out."""
        if self._api is None:
            return []
        return [
            (service_of(pod), pod["metadata"]["name"], pod["metadata"]["uid"], _port(pod))
            for pod in self._api.plane.cluster.every("pods")
            if is_active(pod) and self._runs(pod)
        ]

    def close(self) -> None:
        """See Orchestrator; the kubeconfigs go, for nobody answers to them any more."""
        if self._api is not None:
            self._api.stop()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _runs(self, pod: Mapping[str, Any]) -> bool:
        try:
            state = self._runtime.state(pod["metadata"]["uid"]) if self._runtime else None
        except NotKept:
            return False  # not placed on a node yet
        return state is not None


def _port(pod: Mapping[str, Any]) -> int:
    ports = pod["spec"]["containers"][0].get("ports") or ({"containerPort": 0},)
    return int(ports[0]["containerPort"])
