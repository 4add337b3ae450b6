"""Rules over general Kubernetes semantics, each on a small cluster made for it."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from aiops.analyze.state.alerts_text import moved
from aiops.analyze.state.parse_kubectl import Reach
from aiops.analyze.state.parse_objects import cluster_state
from aiops.analyze.state.reader import RULES
from aiops.analyze.state.scene import Said, Scene
from aiops.model import AlertSignal, Entity, Hypothesis, Window
from aiops.model.cluster import Daemon

NOW = 1_700_000_000.0
AT = datetime.fromtimestamp(NOW, UTC)
WINDOW = Window(AT, AT)
Api = dict[str, Any]


def ago(seconds: float) -> str:
    return datetime.fromtimestamp(NOW - seconds, UTC).isoformat()


def meta(name: str, age: float = 300, **more: Any) -> Api:
    return {"name": name, "namespace": "shop", "creationTimestamp": ago(age), **more}


def deployment(name: str, ready: int = 1, desired: int = 1, **spec: Any) -> Api:
    return {
        "kind": "Deployment",
        "metadata": meta(name),
        "spec": {
            "replicas": desired,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": pod_spec(name, **spec)},
        },
        "status": {"readyReplicas": ready, "replicas": desired},
    }


def pod_spec(name: str, **more: Any) -> Api:
    container = {"name": "main", "image": f"{name}:1", "ports": [{"containerPort": 8080}]}
    container |= more.pop("container", {})
    return {"containers": [container], **more}


def pod(
    app: str, waiting: str = "", node: str = "n1", status: Api | None = None, **spec: Any
) -> Api:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    one = {"name": "main", "ready": not waiting, "restartCount": 0, "state": state}
    return {
        "kind": "Pod",
        "metadata": meta(
            f"{app}-1",
            labels={"app": app},
            ownerReferences=[{"kind": "Deployment", "name": app}],
        ),
        "spec": pod_spec(app, **spec) | {"nodeName": node},
        "status": {
            "phase": "Running" if node else "Pending",
            "containerStatuses": [one | (status or {})] if node else [],
        },
    }


def service(name: str, **spec: Any) -> Api:
    ports = [{"port": 80, "targetPort": 8080}]
    return {
        "kind": "Service",
        "metadata": meta(name),
        "spec": {"selector": {"app": name}, "ports": ports} | spec,
    }


def node(name: str, ready: str = "True", labels: Api | None = None, **spec: Any) -> Api:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def event(kind: str, name: str, reason: str, message: str, last: float = 10) -> Api:
    return {
        "kind": "Event",
        "metadata": {"name": f"{name}.{reason}", "namespace": "shop"},
        "involvedObject": {"kind": kind, "name": name, "namespace": "shop"},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": ago(last),
        "firstTimestamp": ago(last + 60),
    }


def healthy(name: str) -> list[Api]:
    return [deployment(name), pod(name), service(name)]


def seen(*objects: Api, logs: dict[str, str] | None = None, **more: Any) -> Scene:
    state = cluster_state(deepcopy(list(objects)), now=NOW)
    said = {name: (Said.of(text, "log", "logs"),) for name, text in (logs or {}).items()}
    return Scene(state, WINDOW, logs=said, **more)


def raised(scene: Scene) -> list[Hypothesis]:
    found = [hypothesis for rule in RULES for hypothesis in rule(scene)]
    return sorted(found, key=lambda hypothesis: -hypothesis.strength)


def first(scene: Scene) -> tuple[str, str, str]:
    best = raised(scene)[0]
    assert best.support, "a hypothesis without evidence"
    return best.entity.kind, best.entity.name, best.kind


def pending(message: str, *nodes: Api, **spec: Any) -> Scene:
    return seen(
        deployment("web", 0, **spec),
        pod("web", node="", **spec),
        event("Pod", "web-1", "FailedScheduling", message),
        *nodes,
    )


def test_a_cluster_in_order_accuses_nobody() -> None:
    scene = seen(*healthy("web"), *healthy("cart"), node("n1"))
    assert [h.kind for h in raised(scene)] == []


def test_noise_from_before_everything_came_up_accuses_nobody() -> None:
    scene = seen(
        *healthy("web"),
        event("Deployment", "web", "FailedCreate", 'serviceaccount "web" not found', last=100),
        event("Pod", "web-1", "Unhealthy", "Readiness probe failed: connection refused", last=90),
        event("Pod", "web-1", "FailedScheduling", "0/1 nodes: 1 Insufficient cpu", last=100),
        event("Pod", "web-1", "FailedMount", "timed out waiting for the condition", last=80),
    )
    assert raised(scene) == []


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("requests.cpu=1", "cpu_quota_of_namespace_used_up"),
        ("limits.memory=1Gi", "memory_quota_of_namespace_used_up"),
        ("pods=1", "pod_quota_of_namespace_used_up"),
        ("count/deployments.apps=1", "deployment_quota_of_namespace_used_up"),
    ],
)
def test_a_full_quota_accuses_its_namespace_and_explains_what_it_blocks(
    resource: str, kind: str
) -> None:
    message = f'pods "web-" is forbidden: exceeded quota: q, requested: {resource}, used: 9'
    scene = seen(deployment("web", 0), event("Deployment", "web", "FailedCreate", message))
    assert first(scene) == ("namespace", "shop", kind)
    assert raised(scene)[0].explains == (Entity("service", "web", namespace="shop"),)


def test_a_missing_service_account_that_still_blocks_is_named() -> None:
    message = 'error looking up service account shop/webb: serviceaccount "webb" not found'
    scene = seen(deployment("web", 0), event("Deployment", "web", "FailedCreate", message))
    assert first(scene) == ("service", "web", "service_account_not_found")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("maximum memory usage per Container is 1Gi", "limit_range_violated"),
        ('violates PodSecurity "restricted:latest"', "pod_security_standard_violated"),
        ('no PriorityClass with name "high" was found', "priority_class_missing"),
        ('failed calling webhook "a.b": connection refused', "admission_webhook_unreachable"),
    ],
)
def test_other_refusals_are_named(message: str, kind: str) -> None:
    scene = seen(deployment("web", 0), event("Deployment", "web", "FailedCreate", message))
    assert first(scene) == ("service", "web", kind)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("3 Insufficient cpu.", "cpu_request_over_capacity_of_nodes"),
        ("3 Insufficient memory.", "memory_request_over_capacity_of_nodes"),
        ("3 node(s) didn't match pod anti-affinity rules.", "pod_anti_affinity_leaves_no_node"),
        ("3 node(s) had untolerated taint {team: a}.", "taint_of_node_not_tolerated"),
        (
            "3 node(s) didn't match pod topology spread constraints.",
            "topology_spread_leaves_no_node",
        ),
        (
            "1 node(s) didn't have free ports for the requested pod ports.",
            "host_port_taken_on_nodes",
        ),
        ("3 node(s) had volume node affinity conflict.", "volume_node_affinity_conflict"),
    ],
)
def test_what_the_scheduler_says_is_named(message: str, kind: str) -> None:
    assert first(pending(f"0/3 nodes are available: {message}", node("n1")))[2] == kind


def test_selector_affinity_and_cordon_are_told_apart_by_the_nodes_themselves() -> None:
    message = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    ssd = {"disk": "ssd"}
    term = {"matchExpressions": [{"key": "gpu", "operator": "Exists"}]}
    wish = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    cordoned = node("n2", labels=ssd, unschedulable=True)
    selector = pending(message, node("n1"), nodeSelector=ssd)
    affinity = pending(message, node("n1"), affinity={"nodeAffinity": wish})
    cordon = pending(message, node("n1"), cordoned, nodeSelector=ssd)
    assert first(selector)[2] == "node_selector_matches_no_node"
    assert first(affinity)[2] == "node_affinity_matches_no_node"
    assert first(cordon)[2] == "matching_node_is_cordoned"


def test_a_scheduler_that_says_nothing_is_gone() -> None:
    plane = node("cp", labels={"node-role.kubernetes.io/control-plane": ""})
    scene = seen(
        deployment("web", 0),
        pod("web", node=""),
        *healthy("cart"),
        event("Pod", "cart-1", "Pulled", "image present"),
        plane,
    )
    assert first(scene) == ("node", "cp", "kube_scheduler_not_running")


def test_without_events_of_pods_a_silent_scheduler_is_not_accused() -> None:
    scene = seen(deployment("web", 0), pod("web", node=""), node("cp"))
    assert not [h for h in raised(scene) if "scheduler" in h.kind]


def claim_scene(claim: Api, volume: Api, *more: Api, phase: str = "Pending") -> Scene:
    wanted = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    wanted["resources"] = {"requests": {"storage": "1Gi"}}
    offered = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return seen(
        deployment("web", 0, volumes=volumes),
        pod("web", node="", volumes=volumes),
        {
            "kind": "PersistentVolumeClaim",
            "metadata": meta("data"),
            "spec": wanted | claim,
            "status": {"phase": phase},
        },
        {
            "kind": "PersistentVolume",
            "metadata": {"name": "disk", "labels": {"tier": "a"}, "creationTimestamp": ago(300)},
            "spec": offered | volume,
            "status": {"phase": "Bound" if volume.get("claimRef") else "Available"},
        },
        *more,
    )


@pytest.mark.parametrize(
    ("claim", "volume", "kind"),
    [
        ({"accessModes": ["ReadWriteMany"]}, {}, "access_mode_of_claim_not_offered_by_volume"),
        (
            {"resources": {"requests": {"storage": "5Gi"}}},
            {},
            "claim_asks_more_capacity_than_volume",
        ),
        ({"selector": {"matchLabels": {"tier": "b"}}}, {}, "selector_of_claim_matches_no_volume"),
        ({"storageClassName": "fast"}, {}, "storage_class_of_claim_differs_from_volume"),
        ({"volumeMode": "Block"}, {}, "volume_mode_of_claim_differs"),
        (
            {},
            {"claimRef": {"namespace": "shop", "name": "other"}},
            "volume_already_bound_by_another_claim",
        ),
    ],
)
def test_an_unbound_claim_is_compared_with_the_volume(claim: Api, volume: Api, kind: str) -> None:
    assert first(claim_scene(claim, volume)) == ("service", "web", kind)


def test_a_volume_left_behind_does_not_hide_the_one_that_nearly_fits() -> None:
    left = {
        "kind": "PersistentVolume",
        "metadata": {"name": "old", "creationTimestamp": ago(900000)},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "claimRef": {"namespace": "shop", "name": "gone"},
        },
        "status": {"phase": "Released"},
    }
    scene = claim_scene({"selector": {"matchLabels": {"tier": "b"}}}, {}, left)
    assert first(scene)[2] == "selector_of_claim_matches_no_volume"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("lookup r.test: no such host", "image_registry_name_not_resolved_by_dns"),
        ("failed to authorize: 401 Unauthorized", "image_pull_secret_missing_or_refused"),
        ("manifest unknown: not found", "image_reference_wrong"),
        ("x509: certificate signed by unknown authority", "image_registry_certificate_not_trusted"),
        ("429 toomanyrequests", "image_registry_rate_limit"),
    ],
)
def test_a_failed_pull_is_named_by_what_it_says(said: str, kind: str) -> None:
    message = f'Failed to pull image "r.test/web:1": {said}'
    scene = seen(
        deployment("web", 0),
        pod("web", "ImagePullBackOff"),
        event("Pod", "web-1", "Failed", message),
    )
    assert first(scene) == ("service", "web", kind)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('secret "a" not found', "referenced_secret_missing"),
        ('configmap "a" not found', "referenced_config_map_missing"),
        ("couldn't find key k in ConfigMap shop/a", "key_missing_in_config_map"),
        (
            "container has runAsNonRoot and image will run as root",
            "image_runs_as_root_where_forbidden",
        ),
    ],
)
def test_a_container_that_cannot_be_made_is_named(message: str, kind: str) -> None:
    scene = seen(
        deployment("web", 0),
        pod("web", "CreateContainerConfigError"),
        event("Pod", "web-1", "Failed", f"Error: {message}"),
    )
    assert first(scene) == ("service", "web", kind)


def crashing(**status: Any) -> tuple[Api, Api]:
    last = {"terminated": {"exitCode": 1, "reason": "Error"}}
    return deployment("web", 0), pod(
        "web", "CrashLoopBackOff", status={"restartCount": 4, "lastState": last} | status
    )


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("listen tcp :80: bind: address already in use", "port_conflict"),
        ("open /data/x: read-only file system", "file_system_read_only"),
        ("write /data/x: no space left on device", "disk_full"),
        ("tls: certificate has expired", "certificate_expired_or_not_trusted"),
        ("Access denied for user 'a'@'b' mysql", "mysql_credentials_invalid"),
        ("FATAL: password authentication failed postgres", "postgres_credentials_invalid"),
    ],
)
def test_last_words_name_why_a_container_dies(words: str, kind: str) -> None:
    assert first(seen(*crashing(), logs={"web": f"starting\n{words}\n"}))[2] == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [(127, "container_command_not_found"), (139, "container_segmentation_fault")],
)
def test_exit_codes_name_why_a_container_dies(code: int, kind: str) -> None:
    last = {"terminated": {"exitCode": code, "reason": "Error"}}
    assert first(seen(*crashing(lastState=last)))[2] == kind


def test_a_container_killed_for_memory_is_told_from_one_that_just_dies() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert first(seen(*crashing(lastState=last)))[2] == "container_memory_limit_too_low_oom_killed"
    assert first(seen(*crashing()))[2] == "container_keeps_crashing"


@pytest.mark.parametrize(
    ("probe", "said", "kind"),
    [
        ({"tcpSocket": {"port": 9090}}, "connection refused", "liveness_probe_on_wrong_port"),
        (
            {"httpGet": {"port": 8080, "path": "/"}},
            "malformed HTTP response",
            "liveness_probe_by_wrong_protocol",
        ),
        (
            {"httpGet": {"port": 8080, "path": "/x"}},
            "HTTP probe failed with statuscode: 404",
            "liveness_probe_on_wrong_path",
        ),
        (
            {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 1},
            "connection refused",
            "liveness_probe_with_too_tight_timing",
        ),
    ],
)
def test_a_liveness_probe_that_kills_by_its_settings_is_named(
    probe: Api, said: str, kind: str
) -> None:
    settings = {"container": {"livenessProbe": probe}}
    scene = seen(
        deployment("web", 0, **settings),
        pod("web", status={"restartCount": 3, "ready": False}, **settings),
        event("Pod", "web-1", "Unhealthy", f"Liveness probe failed: {said}"),
    )
    assert first(scene) == ("service", "web", kind)


def test_a_readiness_probe_that_failed_once_while_starting_accuses_nobody() -> None:
    settings = {"container": {"readinessProbe": {"tcpSocket": {"port": 9090}}}}
    scene = seen(
        deployment("web", **settings),
        pod("web", **settings),
        event("Pod", "web-1", "Unhealthy", "Readiness probe failed: connection refused"),
    )
    assert raised(scene) == []


def test_a_needed_workload_scaled_to_zero_is_named() -> None:
    scene = seen(deployment("web", 0, 0), service("web"))
    assert first(scene) == ("service", "web", "workload_scaled_to_zero_replicas")


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ({"selector": {"app": "wep"}}, "service_selector_matches_no_pod"),
        ({"selector": {"app": "cart"}}, "service_selector_matches_other_pods"),
        (
            {"ports": [{"port": 80, "targetPort": 9999}]},
            "service_port_maps_to_no_container_port",
        ),
        (
            {"ports": [{"port": 80, "targetPort": 8080, "protocol": "UDP"}]},
            "service_protocol_differs_from_container",
        ),
    ],
)
def test_a_service_that_reaches_no_pod_is_named_by_its_own_settings(spec: Api, kind: str) -> None:
    scene = seen(*healthy("cart"), deployment("web"), pod("web"), service("web", **spec))
    assert first(scene) == ("service", "web", kind)


def test_a_service_that_answered_is_not_accused() -> None:
    odd = service("web", ports=[{"port": 80, "targetPort": 9999}])
    scene = seen(deployment("web"), pod("web"), odd, reach=(Reach("web", "shop", "80", 1, 0, "c"),))
    assert raised(scene) == []


def environment(value: str) -> Api:
    return {"container": {"env": [{"name": "CART_ADDR", "value": value}]}}


@pytest.mark.parametrize("value", ["cart:81", "carts:80", "cart-old:80", "http://cart:99/x"])
def test_an_address_that_misses_a_real_service_accuses_the_client(value: str) -> None:
    env = environment(value)
    scene = seen(*healthy("cart"), deployment("web", **env), pod("web", **env), service("web"))
    assert first(scene) == ("service", "web", "environment_variable_names_wrong_address")


@pytest.mark.parametrize("value", ["cart:80", "assistant:80", "db.other.test:5432", "8080", "true"])
def test_a_right_a_foreign_or_an_optional_address_accuses_nobody(value: str) -> None:
    env = environment(value)
    scene = seen(*healthy("cart"), deployment("web", **env), pod("web", **env), service("web"))
    assert raised(scene) == []


GATEWAY = """routes:
  - {id: cart, uri: "lb://${CART:cart}", predicates: ["Path=/api/v1/cart/**"]}
  - {id: web, uri: "lb://web", predicates: ["Path=/api/v1/web/**"]}
  - {id: users, uri: "lb://auth", predicates: ["Path=/api/v1/users/**"]}
  - {id: order, uri: "lb://TARGET", predicates: ["Path=/api/v1/order/**"]}
"""


def gateway(target: str) -> Scene:
    settings = {
        "kind": "ConfigMap",
        "metadata": meta("gateway"),
        "data": {"application.yml": GATEWAY.replace("TARGET", target)},
    }
    names = ("cart", "web", "auth", "order")
    return seen(*(one for name in names for one in healthy(name)), settings)


def test_a_path_sent_elsewhere_accuses_the_service_it_is_called_after() -> None:
    assert first(gateway("cart")) == (
        "service",
        "order",
        "gateway_route_sends_path_to_wrong_service",
    )
    assert raised(gateway("order")) == []


def test_a_policy_that_stops_all_traffic_counts_less_once_it_is_old() -> None:
    def strength(age: float) -> float:
        policy = {
            "kind": "NetworkPolicy",
            "metadata": meta("deny", age),
            "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]},
        }
        (found,) = raised(seen(*healthy("web"), policy))
        assert found.kind == "network_policy_blocks_traffic"
        return found.strength

    assert strength(86400) < 0.5 < strength(60)


def test_a_pod_with_foreign_name_servers_is_named_when_it_suffers() -> None:
    dns = {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1"]}}
    dying = pod("web", "CrashLoopBackOff", status={"restartCount": 4}, **dns)
    scene = seen(deployment("web", 0, **dns), dying, logs={"web": "UnknownHostException: cart\n"})
    assert first(scene) == ("service", "web", "dns_settings_of_pod_resolve_no_service")


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


def test_every_hypothesis_says_what_would_refute_it() -> None:
    message = "0/1 nodes are available: 1 Insufficient cpu."
    for scene in (pending(message, node("n1")), gateway("cart"), seen(*crashing())):
        assert all(hypothesis.refuted_by for hypothesis in raised(scene))
