"""The metrics that faults name as ground truth are ones that a recording has."""

import pytest

from aiops_lab.faults.catalogue import KINDS
from aiops_lab.faults.deploys import BAD_DEPLOY
from aiops_lab.pods.meter import Meter, add_process
from aiops_lab.recording.exposition import read_totals
from aiops_lab.recording.shaping import NodeSeen, PodSeen, WorkloadSeen, columns
from aiops_lab.topology.load import SHOP, load


@pytest.fixture(scope="module")
def metrics() -> set[str]:
    """Names of what is recorded of a system, without whose it is."""
    meter = Meter(())
    add_process(meter)
    to = (("target", "db"),)
    meter.observe("request_duration_seconds", 0.1, (("status_code", "200"),))
    meter.observe("client_request_duration_seconds", 0.1, to)
    meter.count("client_errors_total", to)
    meter.count("client_retries_total", to)
    for name in ("client_pool_in_use", "client_pool_size"):
        meter.gauge(name, lambda: 1.0, to)
    for name in ("requests_in_flight", "queue_depth", "volume_used_bytes", "volume_size_bytes"):
        meter.gauge(name, lambda: 1.0)
    said = read_totals(meter.text())
    pod = PodSeen("api", "api-1", said, said, 1.0, 0.1, 1e6, ready=True, restarts=0)
    work = WorkloadSeen("api", 1, 1, 0)
    found = columns([pod], [work], [NodeSeen("node", 0.1, 1e6, 0)])
    owners = ("api->db_", "api_", "node_")
    return {name.removeprefix(one) for name in found for one in owners if name.startswith(one)}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_the_metric_that_shows_a_fault_is_recorded(kind: object, metrics: set[str]) -> None:
    (fault,) = (one for one in KINDS if one is kind)
    assert fault.metric in metrics


def test_whatever_bug_is_deployed_its_metric_is_recorded(metrics: set[str]) -> None:
    topology = load(SHOP)
    for version in topology.versions:
        assert BAD_DEPLOY.indicator(topology, {"version": version}).name in metrics
