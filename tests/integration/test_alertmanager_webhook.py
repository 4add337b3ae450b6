"""What a real Alertmanager posts, from firing to resolved, is read as the same alert."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from queue import Queue

import httpx
from loopback import Quiet, listening
from processes import over_at_the_end
from programs import needed

from aiops.ingest.webhooks import alertmanager
from aiops.ingest.webhooks.authentic import Credentials, authentic
from aiops.model.alert import Alert
from aiops.ports.webhook import Push

WAIT_S = 30
CONFIGURATION = """
route: {receiver: aiops, group_by: [alertname], group_wait: 0s, group_interval: 1s}
receivers:
  - name: aiops
    webhook_configs:
      - url: http://127.0.0.1:%d/webhooks/alertmanager
        send_resolved: true
        http_config: {authorization: {type: Bearer, credentials: open-sesame}}
"""


@contextmanager
def receiver() -> Iterator[tuple[int, "Queue[Push]"]]:
    """A server that queues what it is sent."""
    received: Queue[Push] = Queue()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.put(Push("alertmanager", body, headers, datetime.now(UTC)))
            self.send_response(202)
            self.end_headers()

    with listening(Handler) as address:
        yield int(address.rpartition(":")[2]), received


@contextmanager
def running(folder: Path, port_of_receiver: int) -> Iterator[str]:
    """An Alertmanager on a free port; gives its address."""
    program = needed("prometheus-alertmanager", "alertmanager")
    (folder / "alertmanager.yml").write_text(CONFIGURATION % port_of_receiver)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address={address}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    with over_at_the_end(process):
        until = time.monotonic() + WAIT_S
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                httpx.get(f"http://{address}/-/ready", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.1)
        yield f"http://{address}"


def post(address: str, starts: datetime, ends: datetime | None = None) -> None:
    alert = {
        "labels": {"alertname": "RequestsSlow", "service": "web", "severity": "critical"},
        "annotations": {"summary": "slow", "runbook_url": "https://runbooks.example.org/slow"},
        "startsAt": starts.isoformat(),
        "generatorURL": "http://prometheus.example.org/graph",
    }
    if ends is not None:
        alert["endsAt"] = ends.isoformat()
    answer = httpx.post(f"{address}/api/v2/alerts", json=[alert], trust_env=False)
    answer.raise_for_status()


def next_alert(received: "Queue[Push]") -> Alert:
    push = received.get(timeout=WAIT_S)
    authentic(
        Credentials("alertmanager", "bearer", "open-sesame"),
        push.headers,
        push.body,
        push.received_at,
    )
    (alert,) = alertmanager.parse(push)
    return alert


def test_what_an_alertmanager_posts_fires_and_ends_as_one_alert(tmp_path):
    starts = datetime.now(UTC) - timedelta(minutes=1)
    with receiver() as (port, received), running(tmp_path, port) as address:
        post(address, starts)
        firing = next_alert(received)
        post(address, starts, ends=datetime.now(UTC))
        resolved = next_alert(received)
    assert (firing.status, firing.ends_at) == ("firing", None)
    assert resolved.status == "resolved"
    assert resolved.ends_at is not None
    assert firing.key == resolved.key
    assert abs(firing.starts_at - starts) < timedelta(milliseconds=1)
    assert firing.severity == "SEV1"
    assert firing.entity is not None
    assert firing.entity.name == "web"
    assert firing.runbook_url == "https://runbooks.example.org/slow"
    payload = json.loads(firing.extra)["payload"]
    assert payload["version"] == "4"
    assert payload["truncatedAlerts"] == 0
