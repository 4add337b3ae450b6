"""The official Python client reads and watches every kind without model errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, watch
from lab_kubectl import Served

LABELS = {"app": "web"}
POD = {"containers": [{"name": "main", "image": "web:1", "resources": {"limits": {"cpu": "1"}}}]}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
SELECTOR = {"matchLabels": LABELS}
ONCE = {"spec": {**POD, "restartPolicy": "Never"}}
ROLE = {"apiGroup": "rbac.authorization.k8s.io", "name": "r"}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"}
# API class of the client, the kind in its method names, what to create; cluster-wide where True.
KINDS: list[tuple[str, str, dict[str, Any], bool]] = [
    ("CoreV1Api", "config_map", {"data": {"a": "b"}}, False),
    ("CoreV1Api", "secret", {"stringData": {"a": "b"}}, False),
    ("CoreV1Api", "service", {"spec": {"selector": LABELS, "ports": [{"port": 80}]}}, False),
    ("CoreV1Api", "service_account", {}, False),
    ("CoreV1Api", "pod", {"spec": POD}, False),
    ("CoreV1Api", "resource_quota", {"spec": {"hard": {"pods": "50"}}}, False),
    (
        "CoreV1Api",
        "limit_range",
        {"spec": {"limits": [{"type": "Container", "max": {"cpu": "9"}}]}},
        False,
    ),
    (
        "CoreV1Api",
        "persistent_volume_claim",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
        False,
    ),
    (
        "CoreV1Api",
        "persistent_volume",
        {
            "spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/x"},
            }
        },
        True,
    ),
    ("CoreV1Api", "namespace", {}, True),
    (
        "CoreV1Api",
        "endpoints",
        {"subsets": [{"addresses": [{"ip": "127.0.0.1"}], "ports": [{"port": 80}]}]},
        False,
    ),
    ("AppsV1Api", "deployment", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}, False),
    ("AppsV1Api", "replica_set", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}, False),
    (
        "AppsV1Api",
        "stateful_set",
        {"spec": {"serviceName": "x", "selector": SELECTOR, "template": TEMPLATE}},
        False,
    ),
    ("AppsV1Api", "daemon_set", {"spec": {"selector": SELECTOR, "template": TEMPLATE}}, False),
    ("BatchV1Api", "job", {"spec": {"template": ONCE}}, False),
    (
        "BatchV1Api",
        "cron_job",
        {"spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": ONCE}}}},
        False,
    ),
    (
        "AutoscalingV2Api",
        "horizontal_pod_autoscaler",
        {"spec": {"scaleTargetRef": TARGET, "maxReplicas": 3}},
        False,
    ),
    (
        "AutoscalingV1Api",
        "horizontal_pod_autoscaler",
        {
            "spec": {
                "scaleTargetRef": TARGET,
                "maxReplicas": 3,
                "targetCPUUtilizationPercentage": 50,
            }
        },
        False,
    ),
    (
        "PolicyV1Api",
        "pod_disruption_budget",
        {"spec": {"minAvailable": 1, "selector": SELECTOR}},
        False,
    ),
    ("NetworkingV1Api", "network_policy", {"spec": {"podSelector": SELECTOR}}, False),
    (
        "NetworkingV1Api",
        "ingress",
        {"spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}}},
        False,
    ),
    ("DiscoveryV1Api", "endpoint_slice", {"addressType": "IPv4", "endpoints": []}, False),
    (
        "RbacAuthorizationV1Api",
        "role",
        {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        False,
    ),
    (
        "RbacAuthorizationV1Api",
        "role_binding",
        {"roleRef": {**ROLE, "kind": "Role"}, "subjects": [{"kind": "User", "name": "u"}]},
        False,
    ),
    ("RbacAuthorizationV1Api", "cluster_role", {"rules": []}, True),
    (
        "RbacAuthorizationV1Api",
        "cluster_role_binding",
        {"roleRef": {**ROLE, "kind": "ClusterRole"}},
        True,
    ),
    ("StorageV1Api", "storage_class", {"provisioner": "none"}, True),
    ("SchedulingV1Api", "priority_class", {"value": 5}, True),
    ("CoordinationV1Api", "lease", {"spec": {"holderIdentity": "me"}}, False),
]
IDS = [f"{api}-{kind}" for api, kind, _, _ in KINDS]


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    served = Served(tmp_path_factory.mktemp("lab"))
    loaded = config.new_client_from_config(str(served.api.kubeconfig()))
    yield loaded
    loaded.close()
    served.stop()


@pytest.mark.parametrize(("api", "kind", "body", "wide"), KINDS, ids=IDS)
def test_a_kind_is_created_read_listed_watched_patched_and_deleted(
    connection: Any, api: str, kind: str, body: dict[str, Any], wide: bool
) -> None:
    calls = getattr(client, api)(connection)
    middle, place = ("", ()) if wide else ("namespaced_", ("default",))
    name = f"x-{api.lower()}"

    def call(verb: str) -> Any:
        return getattr(calls, f"{verb}_{middle}{kind}")

    made = call("create")(*place, {**body, "metadata": {"name": name}})
    assert call("read")(name, *place).metadata.uid == made.metadata.uid
    found = call("list")(*place)
    assert name in [item.metadata.name for item in found.items]
    watching = watch.Watch()
    for event in watching.stream(call("list"), *place, timeout_seconds=5):
        if event["object"].metadata.name == name:
            watching.stop()
            break
    else:
        pytest.fail("the watch ended without the object")
    patched = call("patch")(name, *place, {"metadata": {"labels": {"a": "b"}}})
    assert patched.metadata.labels["a"] == "b"
    call("delete")(name, *place)


def test_nodes_events_and_metrics_are_read(connection: Any) -> None:
    core = client.CoreV1Api(connection)
    assert core.list_node().items[0].status.allocatable["cpu"] == "8"
    core.list_event_for_all_namespaces()
    client.EventsV1Api(connection).list_event_for_all_namespaces()
    client.ApiextensionsV1Api(connection).list_custom_resource_definition()
    metrics = client.CustomObjectsApi(connection)
    assert metrics.list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")["items"]


def test_errors_are_status_objects(connection: Any) -> None:
    core = client.CoreV1Api(connection)
    with pytest.raises(client.ApiException) as found:
        core.read_namespaced_pod("nosuch", "default")
    assert found.value.status == 404
    assert '"reason": "NotFound"' in found.value.body
    with pytest.raises(client.ApiException) as invalid:
        core.create_namespaced_pod("default", {"metadata": {"name": "UP"}, "spec": POD})
    assert invalid.value.status == 422
    assert '"field": "metadata.name"' in invalid.value.body
