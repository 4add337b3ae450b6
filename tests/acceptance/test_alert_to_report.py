"""A fault in a running system leads to a finished report that names it, with nobody doing anything.

Real parts end to end: the small shop, Prometheus, Alertmanager, and the service as users start it.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import monitoring
import pytest

PATIENCE_S = 30
"""From the fault to the finished report."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[monitoring.Monitored, str]]:
    """The shop under watch, and the address of the service that its alerts go to."""
    port = monitoring.free_port()
    address = f"http://127.0.0.1:{port}"
    webhook = f"{address}/webhooks/alertmanager"
    with monitoring.monitored_shop(tmp_path, webhook, spans_to=address) as shop:
        environment = {
            "AIOPS_SOURCES": json.dumps({"prom": {"kind": "prometheus", "url": shop.prometheus}}),
            "AIOPS_WINDOW__BEFORE_S": "60",
            "AIOPS_INCIDENTS__SETTLE_S": "3",
        }
        command = (
            str(Path(sys.executable).with_name("aiops")),
            "serve",
            "--dev",
            "--port",
            str(port),
        )
        with monitoring.running(*command, cwd=tmp_path, env=environment) as service:
            monitoring.wait_for(f"{address}/readyz", service)
            time.sleep(20)  # of normal running, which is what a fault stands out against
            yield shop, address


def test_the_report_names_the_service_that_broke(
    shop: tuple[monitoring.Monitored, str],
) -> None:
    system, address = shop
    broken_at = time.monotonic()
    system.break_("store")
    report = None
    while report is None and time.monotonic() - broken_at < PATIENCE_S:
        time.sleep(0.5)
        report = first_report(address)
    assert report is not None, "no report in time"
    assert report["schema"] == "aiops.report/1"
    assert report["root_causes"][0]["entity"]["name"] == "store"
    assert report["evidence"]
    assert report["alerts_explained"]
    assert monitoring.fetch(f"{address}/api/v1/incidents")["incidents"][1:] == [], (
        "one fault, one incident"
    )


def first_report(address: str) -> dict | None:
    """The first report that names a cause."""
    incidents = monitoring.fetch(f"{address}/api/v1/incidents")
    for incident in incidents["incidents"]:
        if incident["report"] is not None:
            report = monitoring.fetch(f"{address}/api/v1/incidents/{incident['id']}/report")
            if report["verdict"] == "root_cause":
                return report
    return None
