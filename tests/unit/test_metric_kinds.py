"""Metric names are read as words, by the conventions of common exporters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.metric_kinds import MetricKind, Vantage, is_second_hand, read, reading_of
from aiops.model import Entity, Series


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("cpu", "cpu CpuUsageRate(%) container_cpu_cfs_throttled_seconds_total CPUUtilization"),
        (
            "memory",
            "mem memory_rss MemoryUsage(Mi) container_memory_working_set_bytes ctn_mem jvm_heap",
        ),
        ("disk", "disk disk_io ctn_write ctn_read container_fs_reads_total VolumeIOPS"),
        ("power", "power energy_joules_total cpuless_watts"),
        ("network", "ctn_net_in NetworkReceiveBytes rx_packets tcp_sockets"),
        (
            "latency",
            "lat_50 latency_p95 PodServerLatencyP90(s) http_request_duration_seconds rtt",
        ),
        (
            "errors",
            "error_ratio http_5xx request_errors_total failed_requests tcp_retransmits timeouts",
        ),
        ("success", "SuccessRate(%) availability_Average up mysql_up"),
        ("load", "lod load request_rate requests_Sum PodWorkload(Ops) qps rps requests_total"),
        ("other", "threads gc_pauses syscall_reads quux requests_in_flight requests_waiting"),
    ],
)
def test_common_names_are_read_by_convention(kind, names):
    for name in names.split():
        wanted = "cpu" if name == "cpuless_watts" else kind
        assert read(name).kind == wanted, name


def test_up_is_a_success_only_at_the_end_of_a_name():
    assert read("up").kind is MetricKind.SUCCESS
    assert read("scale_up_events").kind is not MetricKind.SUCCESS


def test_a_metric_measured_by_a_client_shows_the_called_service():
    assert read("PodClientLatencyP90(s)").vantage is Vantage.CALLEE
    assert read("PodServerLatencyP90(s)").vantage is Vantage.OWN


def test_a_host_metric_is_second_hand_for_a_service_and_its_own_for_the_node():
    service = Series(Entity("service", "a"), "NodeCpuUsageRate(%)", "a_x")
    node = Series(Entity("node", "n1"), "NodeCpuUsageRate(%)", "n_x")
    assert reading_of(service).vantage is Vantage.HOST
    assert reading_of(node).vantage is Vantage.OWN
    assert reading_of(node).kind is MetricKind.CPU


def test_an_edge_metric_is_about_the_entity_whoever_measured_it():
    assert read("edge:client:SourceLatencyP50").vantage is Vantage.OWN
    assert read("edge:client:SourceLatencyP50").kind is MetricKind.LATENCY
    assert read("edge:cpu:SourceLatencyP50").kind is MetricKind.LATENCY


@pytest.mark.parametrize(
    ("name", "second_hand"),
    [("10.0.0.1_remote", True), ("x-client", True), ("remotes", False), ("clientele", False)],
)
def test_vertices_drawn_for_what_reports_nothing_are_second_hand(name, second_hand):
    assert is_second_hand(name) is second_hand


@given(st.text(max_size=60))
def test_any_text_has_a_reading_and_always_the_same(name):
    assert read(name) == read.__wrapped__(name)
    assert isinstance(read(name).kind, MetricKind)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("cpu", "cpu_idle cpu_credits_remaining"),
        ("memory", "memory_free_bytes memory_available_percent free_swap FreeableMemory"),
        ("disk", "disk_free fs_inodes_free disk_available_ratio FreeStorageSpace"),
        ("replicas", "kube_deployment_status_replicas_ready ReadyReplicas HealthyHostCount"),
        ("other", "cache_hit_ratio redis_keyspace_hit_rate hikaricp_connections_idle"),
    ],
)
def test_of_what_is_idle_free_or_ready_less_is_worse(kind, names):
    for name in names.split():
        assert (read(name).kind, read(name).inverted) == (kind, True), name


@pytest.mark.parametrize(
    "name",
    ["cpu", "memory_rss", "replicas_unavailable", "UnHealthyHostCount", "threads_running", "reads"],
)
def test_of_everything_else_more_is_worse(name):
    assert not read(name).inverted


def test_an_availability_is_a_success_rate_and_turned_round_as_one():
    for name in ("availability_Average", "service_available"):
        assert read(name).kind is MetricKind.SUCCESS
        assert not read(name).inverted
