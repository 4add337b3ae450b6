"""A small lab with its Kubernetes API, users and faults, and what can be seen of it."""

import http.client
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from small_lab import fetch

from aiops.store.clock import SystemClock
from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.faults.engine import Engine
from aiops_lab.faults.session import faults_of
from aiops_lab.kubelet.container import Backoff
from aiops_lab.kubelet.ports import ContainerState
from aiops_lab.lab import Lab, Wanted
from aiops_lab.pods.setup import bound

# door -> shelf -> shelf-db, door -> belt -> packer, door -> scale (which users do not ask for).
TOPOLOGY = """
name: kiosk
namespace: kiosk
entry: door
items: 5
versions:
  "1": {}
  "1-errors": {error_rate: 1.0}
services:
  door:
    role: frontend
    port: 8080
    service_port: 80
    retries: 0
    timeout_s: 1.0
    routes:
      GET /: [{work: 0.1}]
      "GET /things/{item}": [{work: 0.2}, {call: "GET shelf /things/{item}"}]
      "POST /things/{item}": [{call: "POST shelf /things/{item}"}, {publish: belt pack}]
      GET /weight: [{call: GET scale /weight}]
  shelf:
    port: 8081
    retries: 0
    timeout_s: 0.8
    pool: 3
    cpu: {limit: 0.2}
    memory: {limit: 64Mi}
    routes:
      "GET /things/{item}": [{work: 0.2}, {read: "shelf-db things/{item} or 404"}]
      "POST /things/{item}": [{write: "shelf-db things/{item}"}]
  shelf-db:
    role: database
    port: 5432
    storage: {seed: {things: 5}, password: true, certificate_days: 30, volume_bytes: 256Ki}
  belt:
    role: queue
    port: 5672
    storage: {queue_length: 500}
  packer:
    port: 8083
    consumes:
      belt pack: [{work: 0.1}]
  scale:
    port: 8084
    routes:
      GET /weight: [{work: 0.1}]
visits:
  look: {weight: 3, requests: [GET /, "GET /things/{item}"]}
  take: {weight: 1, requests: ["GET /things/{item}", "POST /things/{item}"]}
"""
RATE = 15.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a test can see of a lab from outside its faults."""

    lab: Lab
    faults: Engine

    def container(self, service: str) -> ContainerState | None:
        """The first container of the service's first pod."""
        uids = [uid for name, _, uid, _ in self.lab.orchestrator.pods() if name == service]
        return self.lab.runtime.state(uids[0]).containers[0] if uids else None

    def ready(self, service: str) -> bool:
        """Whether it has a pod, and that is ready."""
        one = self.container(service)
        return one is not None and one.ready

    def metric(self, service: str, name: str) -> float:
        """The sum of a metric's series over a service's pods; 0 where none answers."""
        total = 0.0
        for owner, _, uid, port in self.lab.orchestrator.pods():
            if owner != service:
                continue
            text = self._scrape(self.lab.runtime.state(uid).ip, port)
            found = re.findall(rf"(?m)^{name}(?:\{{[^}}]*\}})? (\S+)", text)
            total += sum(map(float, found))
        return total

    def _scrape(self, ip: str, port: int) -> str:
        where = (ip, bound(port, self.lab.runtime.shift))
        connection = http.client.HTTPConnection(*where, timeout=3)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except OSError:
            return ""
        finally:
            connection.close()

    def rate(self, service: str, name: str, over_s: float = 0.8) -> float:
        """How much a counter grows in a second."""
        before, began = self.metric(service, name), time.monotonic()
        time.sleep(over_s)
        return (self.metric(service, name) - before) / (time.monotonic() - began)

    def get(self, path: str = "/things/1", method: str = "GET") -> tuple[int, str]:
        """What a user gets; 0 where nothing comes back in time."""
        try:
            return fetch(f"{self.lab.front_end}{path}", method)
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)

    def seconds(self, path: str = "/things/1") -> float:
        """How long a user waits."""
        began = time.monotonic()
        self.get(path)
        return time.monotonic() - began


@contextmanager
def faulty_lab(folder: Path) -> Iterator[Seen]:
    """A lab that is up, ready and visited."""
    clock = SystemClock()
    topology = folder / "kiosk.yaml"
    topology.write_text(TOPOLOGY)
    kubernetes = partial(ByKubernetes, folder=folder / "lab" / "kubernetes", clock=clock, seed=1)
    backoff = Backoff(first_s=0.5, cap_s=1.0)
    wanted = Wanted(topology=topology, folder=folder / "lab", backoff=backoff)
    lab = Lab(wanted, now=clock.now, orchestrator=kubernetes)
    lab.open()
    try:
        with faults_of(lab, clock) as engine:
            lab.wait_ready(20)
            lab.users(RATE)
            yield Seen(lab, engine)
    finally:
        lab.close()
