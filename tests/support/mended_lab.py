"""A lab that aiops looks after: broken by tests, its alerts posted as Alertmanager posts them."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab_kubectl import Kubectl, kubectls
from monitoring import free_port, running, wait_for
from programs import needed
from service_process import Served, served, wait
from small_lab import Seen, broken_lab

from aiops.app.incident_reports import ACTED
from aiops_lab.faults.orders import Order
from aiops_lab.folder import TARGETS
from aiops_lab.watch.files import Places, write_files

LONG_S = 120.0
"""How long a busy machine may take for any one step."""
SPACE = "kiosk"


@dataclass(frozen=True, slots=True)
class Mended:
    """The lab, and the service that looks after it."""

    seen: Seen
    kubectl: Kubectl
    aiops: Served

    def inject(self, aim: str, *settings: str, intensity: float = 0.5) -> None:
        """Break it."""
        self.seen.faults.inject(Order(aim, intensity, settings=settings))

    def alert(self, service: str, *, status: str = "firing") -> None:
        """What Alertmanager posts of it."""
        labels = {"alertname": "RequestsFail", "service": service, "namespace": SPACE}
        one = {
            "status": status,
            "labels": {**labels, "severity": "critical"},
            "annotations": {"summary": f"{service} does not serve"},
            "startsAt": datetime.now(UTC).isoformat(),
        }
        if status == "resolved":
            one["endsAt"] = datetime.now(UTC).isoformat()
        sent = {"version": "4", "status": status, "alerts": [one]}
        self.aiops.client.post("/webhooks/alertmanager", json=sent).raise_for_status()

    def incident(self, service: str) -> dict[str, Any]:
        """The open one about ``service``; {} while there is none."""
        about = (one for one in self.aiops.incidents() if service in one["services"])
        return next((one for one in about if one["status"] != "resolved"), {})

    def actions(self, incident: str) -> list[dict[str, Any]]:
        """Those of its newest report."""
        path = f"/api/v1/incidents/{incident}/report"
        found: list[dict[str, Any]] = self._read(path).get("actions", [])
        return found

    def kept(self, report: str) -> dict[str, Any]:
        """The report with this id; {} while there is none."""
        return self._read(f"/api/v1/reports/{report}")

    def _read(self, path: str) -> dict[str, Any]:
        answer = self.aiops.client.get(path)
        if answer.status_code == 404:
            return {}
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def approve(self, approval: str) -> str:
        """As a person does: what was shown. The id of the report that will tell how it ended.

        By then the incident may have a newer one: it is investigated again as alerts come.
        """
        path = f"/api/v1/approvals/{approval}"
        shown = self.aiops.client.get(path).json()
        answer = self.aiops.client.post(
            path, json={"decision": "approve", "action_hash": shown["action_hash"]}
        )
        assert answer.is_success, answer.text
        return f"{shown['run']}{ACTED}"

    def until(self, seen: Callable[[], object]) -> None:
        """Wait for it, however busy the machine is."""
        wait(seen, LONG_S)


@contextmanager
def mended_lab(folder: Path, **settings: str) -> Iterator[Mended]:
    """A small lab with users and faults, scraped by a real Prometheus, and ``aiops serve``."""
    places = Places(*(f"http://127.0.0.1:{free_port()}" for _ in range(3)))
    watch = folder / "watch"
    watch.mkdir()
    with broken_lab(folder) as seen:
        lab = seen.lab
        keys = lab.folder.path / "kubernetes"
        targets = lab.folder.path / TARGETS
        write_files(watch, places, "door", targets.resolve(), keys.resolve())
        with (
            running(
                needed("prometheus"),
                "--config.file=prometheus.yml",
                f"--web.listen-address={places.prometheus.removeprefix('http://')}",
                f"--storage.tsdb.path={watch / 'prometheus'}",
                cwd=watch,
            ) as prometheus,
            served(
                watch,
                AIOPS_INCIDENTS__REOPEN_WINDOW_S="0",
                AIOPS_WINDOW__BEFORE_S="14",
                AIOPS_GATEWAY__WATCH_S="2",
                AIOPS_WEB__REQUESTS_PER_MINUTE="100000",  # we look twenty times a second
                HOME=os.environ.get("HOME", "/"),
                **settings,
            ) as service,
        ):
            wait_for(f"{places.prometheus}/-/ready", prometheus, seconds=LONG_S)
            yield Mended(seen, Kubectl(kubectls()[0], keys / "admin.kubeconfig", SPACE), service)


def told(actions: list[dict[str, Any]]) -> str:
    """For a test that fails."""
    return json.dumps(actions, indent=1)
