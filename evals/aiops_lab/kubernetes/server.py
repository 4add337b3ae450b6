"""The Kubernetes API of the lab, put together: objects, controllers, and HTTPS on loopback."""

import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiops.errors import AiopsError
from aiops.ports.clock import Clock
from aiops_lab.kubelet.ports import PodRuntime
from aiops_lab.kubernetes.access import Authorizer, User
from aiops_lab.kubernetes.api import Api
from aiops_lab.kubernetes.bootstrap import NodeSpec, fill
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.autoscaler import Autoscalers
from aiops_lab.kubernetes.controllers.budgets import DisruptionBudgets, Quotas
from aiops_lab.kubernetes.controllers.chaos import Chaos, Enactor
from aiops_lab.kubernetes.controllers.cronjob import CronJobs
from aiops_lab.kubernetes.controllers.daemonset import DaemonSets
from aiops_lab.kubernetes.controllers.definitions import AggregatedRoles, Definitions
from aiops_lab.kubernetes.controllers.deployment import Deployments
from aiops_lab.kubernetes.controllers.endpoints import ServiceEndpoints
from aiops_lab.kubernetes.controllers.events import EventExpiry, Events
from aiops_lab.kubernetes.controllers.garbage import Garbage, Namespaces
from aiops_lab.kubernetes.controllers.job import Jobs
from aiops_lab.kubernetes.controllers.kubelet import Kubelet
from aiops_lab.kubernetes.controllers.loop import Loop
from aiops_lab.kubernetes.controllers.nodes import Nodes
from aiops_lab.kubernetes.controllers.replicaset import ReplicaSets
from aiops_lab.kubernetes.controllers.scheduler import Scheduler
from aiops_lab.kubernetes.controllers.statefulset import StatefulSets
from aiops_lab.kubernetes.controllers.workflows import Workflows
from aiops_lab.kubernetes.credentials import (
    ADMIN,
    EXECUTOR,
    READER,
    make_certificate,
    write_kubeconfig,
)
from aiops_lab.kubernetes.kinds import Registry
from aiops_lab.kubernetes.store import ObjectStore
from aiops_lab.kubernetes.writing import Writer

LAB_NODE = NodeSpec("lab-node")
STARTS_WITHIN_S = 10.0


class NotServing(AiopsError):
    """The API did not come up."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the cluster gets what is not its own.

    Args:
        uid: makes unique ids; `token` secrets nobody can guess; `chance` the ends of names.
    """

    runtime: PodRuntime
    clock: Clock
    uid: Callable[[], str]
    token: Callable[[], str]
    chance: random.Random
    nodes: tuple[NodeSpec, ...] = (LAB_NODE,)


class ControlPlane:
    """Objects and the controllers over them; HTTP is another class's."""

    def __init__(self, parts: Parts, history: int = 20_000) -> None:
        self.cluster = Cluster(
            ObjectStore(history), Registry(), parts.runtime, parts.clock, parts.uid, parts.chance
        )
        cluster = self.cluster
        self.authorizer = Authorizer(cluster)
        self.writer = Writer(cluster, self.authorizer)
        events = Events(cluster, parts.nodes[0].name if parts.nodes else "")
        self._kubelet, self._nodes = Kubelet(cluster, events), Nodes(cluster, events)
        self._chaos = Chaos(cluster, events)
        self.loop = Loop(
            cluster,
            [
                Definitions(cluster),
                Namespaces(cluster),
                AggregatedRoles(cluster),
                self._nodes,
                Deployments(cluster, events),
                ReplicaSets(cluster, self.writer, events),
                StatefulSets(cluster, self.writer, events),
                DaemonSets(cluster, self.writer, events),
                Jobs(cluster, self.writer, events),
                CronJobs(cluster, self.writer, events),
                Scheduler(cluster, events),
                self._kubelet,
                ServiceEndpoints(cluster),
                DisruptionBudgets(cluster),
                Quotas(cluster),
                Autoscalers(cluster, events),
                Garbage(cluster),
                self._chaos,
                Workflows(cluster, self.writer, events),
                EventExpiry(cluster),
            ],
        )
        parts.runtime.watch(self._pod_changed)
        fill(cluster, self.writer, parts.nodes)
        self.loop.settle()

    def _pod_changed(self, uid: str) -> None:
        self.loop.look(self._kubelet, self._kubelet.name_of(uid))

    def enact_with(self, enactor: Enactor | None) -> None:
        """Who carries experiments of Chaos Mesh out from now on; ``None``: nobody does."""
        self._chaos.enact_with(enactor)

    def press(self, node: str, conditions: frozenset[str]) -> None:
        """Let conditions such as "MemoryPressure" or "NotReady" hold on a node; none clears."""
        self.cluster.pressure[node] = conditions
        self.loop.look(self._nodes, ("", node))


class KubernetesApi:
    """A control plane served over HTTPS on loopback, with kubeconfigs in a folder."""

    def __init__(self, parts: Parts, folder: Path, port: int = 0) -> None:
        self.plane = ControlPlane(parts)
        self._parts, self._folder, self._port = parts, folder, port
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], None] = lambda: None
        self.url = ""

    def start(self) -> None:
        """Listen, write `admin`, `reader` and `executor.kubeconfig`, and start the controllers.

        Raises:
            NotServing: the port is taken, or the server did not come up in time.
            NoCertificates: no certificate can be made.
        """
        import uvicorn

        from aiops_lab.kubernetes.https import HttpsServer

        self._folder.mkdir(parents=True, exist_ok=True)
        certificate = make_certificate(self._folder, self._parts.clock.now())
        listener = self._listen()
        self.url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        tokens: dict[str, User] = {}
        for title, user in (("admin", ADMIN), ("reader", READER), ("executor", EXECUTOR)):
            token = self._parts.token()
            tokens[token] = user
            path = self._folder / f"{title}.kubeconfig"
            authority = certificate.certificate.read_bytes()
            write_kubeconfig(path, self.url, authority, user, token)
        plane = self.plane
        app = Api(plane.cluster, plane.writer, plane.authorizer, tokens, self._parts.token)
        server = HttpsServer(
            uvicorn.Config(
                app,
                ssl_certfile=str(certificate.certificate),
                ssl_keyfile=str(certificate.key),
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=1,
                # uvloop's server waits for clients that keep their connection.
                loop="asyncio",
                ws="none",
            )
        )
        self._thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="kubernetes-api", daemon=True
        )
        self._thread.start()
        if not server.listening.wait(STARTS_WITHIN_S):
            raise NotServing(f"the Kubernetes API did not come up in {STARTS_WITHIN_S:.0f} s")
        self._stop = lambda: setattr(server, "should_exit", True)
        plane.loop.start()

    def _listen(self) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
        except OSError as taken:
            listener.close()
            text = f"port {self._port} of loopback is in use; choose another, or 0 for any"
            raise NotServing(text) from taken
        return listener

    def stop(self) -> None:
        """End the server and the controllers; pods are the runtime's to stop."""
        self.plane.loop.stop()
        self._stop()
        if self._thread is not None:
            self._thread.join(STARTS_WITHIN_S)

    def kubeconfig(self, user: str = "admin") -> Path:
        """The kubeconfig of "admin", "reader" or "executor"."""
        return self._folder / f"{user}.kubeconfig"
