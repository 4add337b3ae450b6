"""A lab of six services on free addresses, for tests that need real processes.

``small_lab`` brings it up, ``broken_lab`` with users and faults besides; what can be seen of it
from outside is in ``Seen``. The lab without processes is in ``paper_lab``.
"""

import http.client
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from aiops.store.clock import SystemClock
from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.faults.engine import Engine
from aiops_lab.faults.session import faults_of
from aiops_lab.kubelet.container import Backoff
from aiops_lab.kubelet.ports import ContainerState
from aiops_lab.lab import Lab, Wanted
from aiops_lab.pods.setup import bound
from aiops_lab.standalone import Standalone

# door -> shelf -> shelf-db, door -> belt <- packer, door -> scale (which users do not ask for).
TOPOLOGY = """
name: kiosk
namespace: kiosk
entry: door
items: 5
versions:
  "1": {}
  "1-crash": {exit_after_s: 0.2}
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
    storage: {queue_length: 30}
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
PATIENCE_S = 60.0
"""How long a busy machine may take for what is a matter of a second otherwise."""


def written(folder: Path) -> Path:
    """The topology as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "kiosk.yaml"
    path.write_text(TOPOLOGY)
    return path


@contextmanager
def small_lab(folder: Path, *, kubernetes: bool = False, otlp: str = "") -> Iterator[Lab]:
    """A lab that is up and ready, with a back-off of half a second."""
    clock = SystemClock()
    wanted = Wanted(
        topology=written(folder),
        folder=folder / "lab",
        backoff=Backoff(first_s=0.5, cap_s=1.0),
        otlp=otlp,
    )
    served = partial(ByKubernetes, folder=folder / "lab" / "kubernetes", clock=clock, seed=1)
    lab = Lab(wanted, now=clock.now, orchestrator=served if kubernetes else Standalone)
    lab.open()
    try:
        lab.wait_ready(PATIENCE_S)
        yield lab
    finally:
        lab.close()


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
        pods = [(uid, port) for owner, _, uid, port in self.lab.orchestrator.pods()
                if owner == service]  # fmt: skip
        return sum(metric_of(self.lab, uid, port, name) for uid, port in pods)

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
def broken_lab(folder: Path) -> Iterator[Seen]:
    """A lab with its Kubernetes API, users and faults."""
    with small_lab(folder, kubernetes=True) as lab, faults_of(lab, SystemClock()) as engine:
        lab.users(RATE)
        yield Seen(lab, engine)


def metric_of(lab: Lab, uid: str, port: int, name: str) -> float:
    """The sum of a metric's series in one pod; 0 where it does not answer."""
    where = (lab.runtime.state(uid).ip, bound(port, lab.runtime.shift))
    connection = http.client.HTTPConnection(*where, timeout=3)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return 0.0
    finally:
        connection.close()
    return sum(map(float, re.findall(rf"(?m)^{name}(?:\{{[^}}]*\}})? (\S+)", text)))


def fetch(url: str, method: str = "GET") -> tuple[int, str]:
    """Status and body of an answer."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    try:
        connection.request(method, where.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually(seen: Callable[[], object], within_s: float = PATIENCE_S) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait long for somebody to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
