"""Sources that are slow, down, wrong, cut off or too large: the report is made and says which."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import monitoring
import pytest
from service_process import alert, served, wait
from telemetry_servers import Asked, Mood, Reply, lasts, prometheus, serving

SERIES = 3_000


def too_much(asked: Asked) -> Reply | None:
    """Ten times the series that the source is to hand over, for whatever is asked."""
    if asked.path != "/api/v1/series":
        return None
    series = [
        {"__name__": "requests_total", "service": "cart", "job": "shop", "instance": str(number)}
        for number in range(SERIES)
    ]
    return Reply(json.dumps({"status": "success", "data": series}).encode())


def page(_: Asked) -> Reply:
    return Reply(b"<html><title>Sign in</title></html>", headers={"Content-Type": "text/html"})


def cut(_: Asked) -> Reply:
    return Reply(b'{"status":"success","data":[{"__name__', said=100_000)


def broken(_: Asked) -> Reply:
    return Reply(b'{"status":"success","data":[{"__name__')


MOODS: dict[str, Mood] = {
    "slow": lasts(30),
    "page": page,
    "cut": cut,
    "broken": broken,
    "large": too_much,
}
SAID = {
    "slow": "gave no whole answer in 1 s",
    "page": "an HTML page titled 'Sign in'",
    "cut": "broke off its answer",
    "broken": "JSON that breaks off",
    "large": "'max_series'",
    "down": "cannot be reached",
}


@pytest.fixture
def report(tmp_path: Path) -> Iterator[tuple[dict[str, Any], str, float]]:
    """A report made with all of them at once, what the log says, and the seconds it took."""
    with ExitStack() as stack:
        sources: dict[str, dict[str, object]] = {}
        for name, mood in MOODS.items():
            server = stack.enter_context(serving(prometheus))
            server.mood = mood
            sources[name] = {"kind": "prometheus", "url": server.url, "timeout_s": 1}
        sources["large"] |= {"max_series": SERIES // 10 // 5, "timeout_s": 15}
        nobody = f"http://127.0.0.1:{monitoring.free_port()}"
        sources["down"] = {"kind": "prometheus", "url": nobody}
        service = stack.enter_context(served(tmp_path, sources=sources))
        began = time.monotonic()
        service.client.post("/webhooks/alertmanager", json=alert("a")).raise_for_status()
        wait(service.reported)
        found = service.reported()
        assert found is not None
        wait(lambda: "investigation ends" in service.log.read_text())
        yield found, service.log.read_text(), time.monotonic() - began


def test_the_report_and_the_log_name_each_source_that_failed_and_why(
    report: tuple[dict[str, Any], str, float],
) -> None:
    found, log, seconds = report
    failed = {step["step"]: step["reason"] for step in found["failed_steps"]}
    for name, said in SAID.items():
        assert said in failed[f"read metrics from {name}"], name
        assert f"read metrics from {name}" in log
    assert seconds < 30, "nobody waits for the slow one longer than it may take"
    ends = [json.loads(line) for line in log.splitlines() if "investigation ends" in line]
    opened = [json.loads(line) for line in log.splitlines() if "incident.opened" in line]
    assert ends[0]["incident"] == opened[0]["incident"]
