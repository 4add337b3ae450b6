"""Processor time to read a webhook request: 60 microseconds for an Alertmanager's single alert."""

import json
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiops.ingest.webhooks import alertmanager
from aiops.ports.webhook import Push

GOLDEN = Path(__file__).parents[1] / "golden" / "webhooks" / "alertmanager" / "firing.json"
LIMIT_S = 60e-6
SLACK = 2.0  # the machine is shared; what is promised is printed and holds for an idle core


def push(alerts: int) -> Push:
    payload = json.loads(GOLDEN.read_text())
    (alert,) = payload["alerts"]
    payload["alerts"] = [alert | {"fingerprint": f"{n:016x}"} for n in range(alerts)]
    received = datetime(2026, 5, 20, 15, tzinfo=UTC)
    return Push("alertmanager", json.dumps(payload).encode(), {}, received)


def median_s(request: Push, rounds: int) -> float:
    took = []
    for _ in range(rounds):
        began = time.process_time()
        alertmanager.parse(request)
        took.append(time.process_time() - began)
    return statistics.median(took)


@pytest.mark.benchmark(group="one alert of an Alertmanager read")
def test_one_alert_is_read_in_microseconds(benchmark: BenchmarkFixture) -> None:
    request = push(1)
    benchmark(alertmanager.parse, request)
    took = median_s(request, 5_000)
    benchmark.extra_info.update(asked="60 us", reached=f"{took * 1e6:.0f} us")
    print(f"\none alert read in {took * 1e6:.0f} us (median)")  # noqa: T201
    assert took <= SLACK * LIMIT_S


@pytest.mark.benchmark(group="1,000 alerts in one request read")
def test_a_storm_in_one_request_is_read_in_linear_time(benchmark: BenchmarkFixture) -> None:
    request = push(1_000)
    alerts = benchmark.pedantic(alertmanager.parse, (request,), rounds=5)
    took = median_s(request, 5)
    benchmark.extra_info["reached"] = f"{took * 1e3:.0f} ms"
    print(f"\n1,000 alerts read in {took * 1e3:.0f} ms (median)")  # noqa: T201
    assert len(alerts) == 1_000
    assert took <= 1_000 * SLACK * LIMIT_S
