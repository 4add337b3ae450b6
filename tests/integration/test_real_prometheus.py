"""A real Prometheus scrapes a small app and holds an older half hour; both are read back.

The app counts by the clock, so that rates and quantiles are known.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
from loopback import Quiet, listening
from monitoring import fetch, free_port, running, wait_for
from programs import needed

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.analyze.units import unit_of
from aiops.ingest.prometheus.source import Prometheus
from aiops.model import Entity, MetricTable
from aiops.model.telemetry import FloatArray

RATE = 10.0
"""Requests a second of each pod; one in ten fails."""
PODS = {
    "billing": ("billing-6f7d8c9b5d-x2k4z", "billing-6f7d8c9b5d-q8w9t"),
    "ledger": ("ledger-0",),
}
SCRAPES = 8
PAST = datetime(2026, 1, 2, 3, tzinfo=UTC)
PAST_SERVICES, PAST_METRICS = 50, 20
STEP_S, ROWS = 15, 120


def exposition(seconds: float) -> str:
    """What one pod says ``seconds`` after its start, in OpenMetrics: with types and units.

    Of its requests half take under 0.1 s, all take under 0.5 s.
    """
    count = RATE * seconds
    return f"""\
# TYPE http_requests counter
http_requests_total{{code="200"}} {0.9 * count}
http_requests_total{{code="503"}} {0.1 * count}
# TYPE http_request_duration_seconds histogram
# UNIT http_request_duration_seconds seconds
http_request_duration_seconds_bucket{{le="0.1"}} {0.5 * count}
http_request_duration_seconds_bucket{{le="0.5"}} {count}
http_request_duration_seconds_bucket{{le="+Inf"}} {count}
http_request_duration_seconds_sum {0.2 * count}
http_request_duration_seconds_count {count}
# TYPE heap_bytes gauge
# UNIT heap_bytes bytes
heap_bytes 1000
# TYPE process_cpu_seconds counter
# UNIT process_cpu_seconds seconds
process_cpu_seconds_total {0.25 * seconds}
# TYPE queue_wait_seconds summary
# UNIT queue_wait_seconds seconds
queue_wait_seconds{{quantile="0.5"}} 0.02
queue_wait_seconds{{quantile="0.99"}} 0.3
queue_wait_seconds_sum {0.05 * count}
queue_wait_seconds_count {count}
# TYPE limits_ratio gauge
limits_ratio NaN
# EOF
"""


@contextmanager
def app() -> Iterator[int]:
    """Serves the exposition; its pods are told apart by the labels of their targets."""
    began = time.monotonic()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = exposition(time.monotonic() - began).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with listening(Handler) as address:
        yield int(address.rpartition(":")[2])


def half_hour(folder: Path) -> None:
    """Puts an older window into the storage: 50 services with 20 metrics each, one of them odd."""
    lines = []
    for metric in range(PAST_METRICS):
        lines.append(f"# TYPE load_{metric} gauge")
        for service in range(PAST_SERVICES):
            for row in range(ROWS):
                value = (
                    100 * service + metric + (1000 if metric == service == 7 and row > 60 else 0)
                )
                at = PAST.timestamp() + row * STEP_S
                lines.append(f'load_{metric}{{app="app{service}"}} {value} {at}')
    (folder / "past.om").write_text("\n".join([*lines, "# EOF\n"]))
    command = [needed("promtool"), "tsdb", "create-blocks-from", "openmetrics", "past.om", "tsdb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Scraped:
    """A Prometheus that has scraped the app for a while."""

    source: Prometheus
    now: datetime

    def table(self, services: list[str] | None = None) -> MetricTable:
        return self.source.metrics(services, self.now - timedelta(seconds=4), self.now)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder = tmp_path_factory.mktemp("prometheus")
    program, port = needed("prometheus"), free_port()
    half_hour(folder)
    with app() as exposed:
        jobs = "".join(
            f"  - job_name: {pod}\n    static_configs:\n"
            f"      - targets: ['127.0.0.1:{exposed}']\n"
            f"        labels: {{pod: {pod}, namespace: shop, cluster: north}}\n"
            for pods in PODS.values()
            for pod in pods
        )
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n" + jobs
        )
        with running(
            program,
            "--config.file=prometheus.yml",
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.path=tsdb",
            "--storage.tsdb.retention.time=10y",
            cwd=folder,
        ) as server:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/-/ready", server)
            until = time.monotonic() + 30
            while scrapes(url) < SCRAPES:
                assert time.monotonic() < until, "Prometheus does not scrape"
                time.sleep(0.2)
            source = Prometheus.connect("main", {"url": url, "step_s": 1})
            yield Scraped(source, datetime.now(UTC))
            source.close()


def scrapes(url: str) -> int:
    """How often the least scraped pod was."""
    answer = fetch(f"{url}/api/v1/query?query=min(count_over_time(up[1m]))")
    assert isinstance(answer, dict)
    rows = answer["data"]["result"]
    return int(rows[0]["value"][1]) if rows else 0


def column(table: MetricTable, service: str, metric: str) -> FloatArray:
    (found,) = [
        n
        for n, one in enumerate(table.series)
        if one.entity.service_name == service and one.metric == metric
    ]
    return table.values[:, found]


def last(table: MetricTable, service: str, metric: str) -> float:
    return float(column(table, service, metric)[-1])


def test_pods_become_one_service_with_its_namespace_and_cluster(scraped):
    table = scraped.table()
    shop = {one.entity for one in table.series}
    assert shop == {Entity("service", name, "shop", "north") for name in PODS}
    assert last(table, "billing", "heap_bytes") == 2000
    assert last(table, "ledger", "heap_bytes") == 1000


def test_counters_become_rates_and_the_failed_part_stands_apart(scraped):
    table = scraped.table()
    assert last(table, "billing", "http_requests_total") == pytest.approx(2 * RATE, rel=0.05)
    assert last(table, "ledger", "http_requests_total") == pytest.approx(RATE, rel=0.05)
    errors = last(table, "ledger", "http_requests_errors_total")
    assert errors == pytest.approx(RATE / 10, rel=0.05)


def test_histograms_become_quantiles_and_a_rate(scraped):
    table = scraped.table()
    assert last(table, "billing", "http_request_duration_seconds_p50") == pytest.approx(0.1)
    assert last(table, "billing", "http_request_duration_seconds_p90") == pytest.approx(0.42)
    assert last(table, "billing", "http_request_ops") == pytest.approx(2 * RATE, rel=0.05)


def test_summaries_give_their_quantiles_a_mean_and_a_rate(scraped):
    table = scraped.table()
    assert last(table, "ledger", "queue_wait_seconds_p99") == 0.3
    assert last(table, "ledger", "queue_wait_seconds_mean") == pytest.approx(0.05, rel=0.05)
    assert last(table, "ledger", "queue_wait_ops") == pytest.approx(RATE, rel=0.05)


def test_units_come_from_the_targets_and_the_analyzers_take_them(scraped):
    by_metric = {one.metric: one for one in scraped.table(["ledger"]).series}
    said = {name: one.unit for name, one in by_metric.items()}
    assert said["heap_bytes"] == "bytes"
    assert said["http_request_duration_seconds_p99"] == "seconds"
    assert said["http_requests_total"] == said["http_request_ops"] == "1/s"
    assert said["process_cpu_seconds_total"] == "cores"
    assert {one.type for one in by_metric.values()} == {"gauge"}
    latency, load = by_metric["http_request_duration_seconds_p99"], by_metric["http_request_ops"]
    assert reading_of(latency).kind is MetricKind.LATENCY
    assert reading_of(load).kind is MetricKind.LOAD
    assert unit_of(latency) is not None
    assert unit_of(load) is not None


def test_what_is_never_a_number_gives_no_column(scraped):
    assert "limits_ratio" not in {one.metric for one in scraped.table().series}


def test_only_the_asked_for_service_is_read_and_its_columns_are_the_same(scraped):
    every, one = scraped.table(), scraped.table(["billing"])
    columns = {series.column for series in every.series if series.entity.name == "billing"}
    assert {series.column for series in one.series} == columns
    assert "north/shop/billing_heap_bytes" in columns
    assert every.notes == one.notes == ()


@pytest.mark.parametrize(
    ("namespace", "named"),
    [("shop", ("billing", "ledger")), ("elsewhere", ()), (None, ("billing", "ledger"))],
)
def test_the_services_beside_one_are_those_of_its_namespace(scraped, namespace, named):
    begun = scraped.now - timedelta(seconds=4)
    found = scraped.source.beside(["ledger"], namespace, "north", begun, scraped.now)
    assert found == named


def test_a_check_counts_targets_and_services(scraped):
    assert scraped.source.check().startswith("3 of 3 targets up, ")


def test_an_older_window_of_fifty_services_is_read_whole(scraped):
    source = Prometheus.connect("main", {"url": scraped.source._chosen.url})
    table = source.metrics(None, PAST, PAST + timedelta(seconds=STEP_S * ROWS))
    source.close()
    assert table.values.shape == (ROWS, PAST_SERVICES * PAST_METRICS)
    assert table.times.tolist() == [PAST.timestamp() + STEP_S * row for row in range(ROWS)]
    moved = [one.column for n, one in enumerate(table.series) if np.ptp(table.values[:, n])]
    assert moved == ["app7_load_7"]
    assert column(table, "app7", "load_7")[[60, 61]].tolist() == [707, 1707]
