"""Machines, stores, and slowness."""

from dataclasses import replace

from clusters import NOW, WINDOW, deployment, first, healthy, node, pod, raised, seen

from aiops.analyze.state.alerts_text import moved
from aiops.analyze.state.parse_objects import cluster_state
from aiops.analyze.state.scene import Scene
from aiops.model import AlertSignal, Entity
from aiops.model.cluster import Daemon


def test_a_store_out_of_connections_is_accused_and_explains_its_clients() -> None:
    last = {"terminated": {"exitCode": 1}}
    dying = {"restartCount": 4, "lastState": last}
    image = {"container": {"image": "mysql:8"}}
    scene = seen(
        deployment("db", **image),
        pod("db", **image),
        *(deployment(name, 0) for name in ("a", "b")),
        *(pod(name, "CrashLoopBackOff", status=dying) for name in ("a", "b")),
        logs=dict.fromkeys(("a", "b"), "java.sql.SQLException: Too many connections (mysql)"),
    )
    best = raised(scene)[0]
    assert (best.entity.name, best.kind) == ("db", "database_connections_exhausted")
    assert {entity.name for entity in best.explains} == {"a", "b"}


def test_a_stopped_daemon_accuses_its_machine_before_the_pods_it_keeps_down() -> None:
    state = cluster_state(
        [deployment("web", 0), pod("web", "ContainerCreating"), node("n1", "False")], now=NOW
    )
    daemon = Daemon("n1", "kubelet", False, "inactive (dead)", "c")
    scene = Scene(replace(state, daemons=(daemon,)), WINDOW)
    assert first(scene) == ("node", "n1", "kubelet_not_running")


def test_without_kube_proxy_whoever_calls_from_that_machine_is_explained() -> None:
    apps = [deployment(name) for name in ("front", "web", "db")]
    pods = [pod("front", node="n2"), pod("web", node="n1"), pod("db", node="n2")]
    state = cluster_state([*apps, *pods], now=NOW)
    daemon = Daemon("n1", "kube-proxy", False, "inactive (dead)", "c")
    calls = frozenset({("front", "web"), ("web", "db")})
    best = raised(Scene(replace(state, daemons=(daemon,)), WINDOW, calls=calls))[0]
    assert best.kind == "kube_proxy_not_running"
    assert {entity.name for entity in best.explains} == {"front", "web"}


def test_pressure_of_a_machine_is_named() -> None:
    full = node("n1")
    full["status"]["conditions"].append({"type": "DiskPressure", "status": "True"})
    assert first(seen(*healthy("web"), full)) == ("node", "n1", "node_disk_pressure")


def slow(name: str, before: float, after: float, percentile: int = 50) -> AlertSignal:
    detail = f"p{percentile}latency: Normal={before}ms -> Current={after}ms (+1%)"
    entity = Entity("service", name, namespace="shop")
    return AlertSignal("service", entity, "LATENCY_DEGRADATION [Slow Response]", detail)


def performance(*alerts: AlertSignal) -> Scene:
    objects = [*healthy("web"), *healthy("cart"), *healthy("db"), *healthy("ads"), node("n1")]
    calls = frozenset({("web", "cart"), ("cart", "db"), ("web", "ads")})
    return seen(*objects, calls=calls, signs=moved(alerts))


def test_the_callee_is_accused_of_its_callers_slowness() -> None:
    scene = performance(slow("web", 10, 900), slow("cart", 5, 700), slow("db", 1, 300))
    assert first(scene) == ("service", "db", "pod_network_delayed")


def test_slowness_no_service_explains_is_that_of_the_machine() -> None:
    scene = performance(slow("db", 1, 400), slow("ads", 1, 500), slow("web", 10, 900))
    assert first(scene) == ("node", "n1", "node_network_delayed")


def test_a_service_that_runs_out_of_cpu_is_told_from_one_with_a_slow_network() -> None:
    entity = Entity("service", "db", namespace="shop")
    scene = performance(
        slow("web", 10, 90),
        slow("db", 1, 60),
        AlertSignal("service", entity, "RESOURCE [cpu_cfs]", "Val: 0.8s (Throttled)"),
        AlertSignal(
            "service", entity, "RESOURCE [cpu core]", "Normal=0.01 cores -> Current=0.2 cores"
        ),
    )
    assert first(scene) == ("service", "db", "pod_cpu_saturated_and_throttled")
