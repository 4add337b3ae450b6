"""A lab of four services on free addresses, for tests that need real processes."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from aiops_lab.kubelet.container import Backoff
from aiops_lab.lab import Lab, Wanted

TOPOLOGY = """
name: kiosk
namespace: kiosk
entry: door
items: 5
versions:
  "1": {}
  "1-crash": {exit_after_s: 0.2}
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
  shelf:
    port: 8081
    retries: 0
    timeout_s: 0.8
    cpu: {limit: 0.2}
    memory: {limit: 64Mi}
    routes:
      "GET /things/{item}": [{read: "shelf-db things/{item} or 404"}]
      "POST /things/{item}": [{write: "shelf-db things/{item}"}]
  shelf-db:
    role: database
    port: 5432
    storage: {seed: {things: 5}, password: true, certificate_days: 30, volume_bytes: 32Ki}
  belt:
    role: queue
    port: 5672
    storage: {queue_length: 3}
visits:
  look: {requests: [GET /, "GET /things/{item}"]}
"""


@contextmanager
def small_lab(folder: Path) -> Iterator[Lab]:
    """A lab that is up and ready, with a back-off of half a second."""
    folder.mkdir(parents=True, exist_ok=True)
    topology = folder / "kiosk.yaml"
    topology.write_text(TOPOLOGY)
    wanted = Wanted(
        topology=topology, folder=folder / "lab", backoff=Backoff(first_s=0.5, cap_s=2.0)
    )
    lab = Lab(wanted, now=lambda: datetime.now(UTC))
    lab.open()
    try:
        lab.wait_ready(20)
        yield lab
    finally:
        lab.close()


def fetch(url: str, method: str = "GET") -> tuple[int, str]:
    """Status and body of an answer."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=5)
    try:
        connection.request(method, where.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def eventually(seen: Callable[[], object], within_s: float = 8.0) -> None:
    """Wait until something is so."""
    end = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)
