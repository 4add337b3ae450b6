"""Workloads as a whole: scaled, evicted, paused, suspended, limited."""

from clusters import deployment, first, seen, service


def test_a_needed_workload_scaled_to_zero_is_named() -> None:
    scene = seen(deployment("web", 0, 0), service("web"))
    assert first(scene) == ("service", "web", "workload_scaled_to_zero_replicas")
