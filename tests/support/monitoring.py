"""Real Prometheus and Alertmanager around the small shop, on free ports, stopped by process id."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from programs import needed

HERE = Path(__file__).parent
NAMES = ("web", "api", "store")

RULES = """
groups:
  - name: shop
    rules:
      - alert: HighErrorRate
        expr: |
          sum by (service) (rate(http_requests_total{code=~"5.."}[5s]))
            / sum by (service) (rate(http_requests_total[5s])) > 0.2
        labels:
          severity: critical
        annotations:
          summary: "{{ $labels.service }} fails more than one request in five"
          runbook_url: "https://runbooks.example/high-error-rate"
"""


@dataclass(frozen=True, slots=True)
class Monitored:
    """What runs: addresses of the shop's services by name, and of Prometheus."""

    services: dict[str, str]
    prometheus: str

    def break_(self, service: str) -> None:
        post(f"{self.services[service]}/fault")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post(url: str) -> None:
    request = urllib.request.Request(url, data=b"", method="POST")  # noqa: S310 - loopback
    urllib.request.urlopen(request, timeout=5).close()  # noqa: S310


def fetch(url: str) -> object:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def wait_for(url: str, process: "subprocess.Popen[bytes]", *, seconds: float = 120) -> None:
    """Until ``url`` answers 200."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"{process.args} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not answer in {seconds} s")


@contextmanager
def running(
    *command: str, cwd: Path, env: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process with its output in ``cwd``, killed by its id at the end."""
    log = cwd / f"{Path(command[0]).name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def monitored_shop(folder: Path, webhook: str, spans_to: str = "") -> Iterator[Monitored]:
    """The shop, scraped every second, alerting to ``webhook``, its spans sent to ``spans_to``."""
    ports = [free_port() for _ in NAMES]
    prometheus, alertmanager = free_port(), free_port()
    targets = "".join(
        f"      - targets: ['127.0.0.1:{port}']\n        labels: {{service: {name}}}\n"
        for name, port in zip(NAMES, ports, strict=True)
    )
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']"
        "}]}]}\n"
        "scrape_configs:\n  - job_name: shop\n    static_configs:\n" + targets
    )
    (folder / "alertmanager.yml").write_text(
        "route: {receiver: aiops, group_by: [service], group_wait: 1s, group_interval: 2s}\n"
        f"receivers: [{{name: aiops, webhook_configs: [{{url: '{webhook}'}}]}}]\n"
    )
    with (
        running(
            sys.executable,
            str(HERE / "small_shop.py"),
            *map(str, ports),
            cwd=folder,
            env={"OTEL_EXPORTER_OTLP_ENDPOINT": spans_to},
        ) as shop,
        running(
            needed("prometheus-alertmanager"),
            "--config.file=alertmanager.yml",
            "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{alertmanager}",
            f"--storage.path={folder / 'am'}",
            cwd=folder,
        ) as manager,
        running(
            needed("prometheus"),
            "--config.file=prometheus.yml",
            f"--web.listen-address=127.0.0.1:{prometheus}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            cwd=folder,
        ) as server,
    ):
        wait_for(f"http://127.0.0.1:{ports[0]}/metrics", shop)
        wait_for(f"http://127.0.0.1:{alertmanager}/-/ready", manager)
        wait_for(f"http://127.0.0.1:{prometheus}/-/ready", server)
        yield Monitored(
            {name: f"http://127.0.0.1:{port}" for name, port in zip(NAMES, ports, strict=True)},
            f"http://127.0.0.1:{prometheus}",
        )
