"""Recorded read-outs, manifests and live objects become one typed cluster state."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.analyze.state import manifests
from aiops.analyze.state.calls import understand
from aiops.analyze.state.outline import rows
from aiops.analyze.state.parse_kubectl import recorded
from aiops.analyze.state.parse_objects import cluster_state
from aiops.analyze.state.quantities import age, quantity
from aiops.model import RecordedOutput

POD = """Name:             web-7d4b9c6f5-x2x2x
Namespace:        shop
Service Account:  web
Node:             n1/10.0.0.1
Labels:           app=web
                  pod-template-hash=7d4b9c6f5
Annotations:      <none>
Status:           Running
IP:               10.1.0.5
Controlled By:  ReplicaSet/web-7d4b9c6f5
Containers:
  main:
    Image:          registry.test/web:1
    Port:           8080/TCP
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Exit Code:    1
    Ready:          False
    Restart Count:  4
    Limits:
      cpu:     200m
      memory:  64Mi
    Liveness:   http-get http://:8081/health delay=5s timeout=1s period=10s #success=1 #failure=3
    Environment Variables from:
      settings  ConfigMap  Optional: false
    Environment:
      CART_ADDR:  cart:7070
      TOKEN:      <set to the key 'token' in secret 'web-token'>  Optional: false
    Mounts:
      /data from data (rw)
Conditions:
  Type    Status
  Ready   False
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  web-data
    ReadOnly:   false
Node-Selectors:  disk=ssd
Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Warning  BackOff  26s (x11 over 2m)  kubelet  Back-off restarting failed container
"""


def read(*outputs: tuple[str, str]):
    return recorded(RecordedOutput(call, text) for call, text in outputs).state


def test_a_described_pod_keeps_its_containers_probes_volumes_and_events() -> None:
    state = read(("kubectl describe pods web-7d4b9c6f5-x2x2x -n shop", POD))
    (pod,) = state.pods
    (container,) = pod.spec.containers
    assert (pod.namespace, pod.node, pod.status, pod.owner) == (
        "shop",
        "n1",
        "CrashLoopBackOff",
        ("replicaset", "web-7d4b9c6f5"),
    )
    assert (container.restarts, container.last_exit_code, container.ready) == (4, 1, False)
    assert container.limits == {"cpu": 0.2, "memory": 64 * 2**20}
    (probe,) = container.probes
    assert (probe.handler, probe.port, probe.path, probe.delay_s) == ("http", "8081", "/health", 5)
    assert [(v.name, v.value, v.origin and v.origin.name) for v in container.variables] == [
        ("CART_ADDR", "cart:7070", None),
        ("TOKEN", None, "web-token"),
    ]
    assert pod.spec.volumes[0].origin is not None
    assert pod.spec.volumes[0].origin.name == "web-data"
    assert pod.spec.node_selector == {"disk": "ssd"}
    (event,) = state.events
    assert (event.reason, event.count, event.last_s, event.first_s) == ("BackOff", 11, 26, 120)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_truncated_describe_gives_what_is_left(share: float) -> None:
    state = read(("kubectl describe pods web -n shop", POD[: int(len(POD) * share)]))
    assert [pod.name for pod in state.pods] == ["web-7d4b9c6f5-x2x2x"]


def test_both_ports_of_a_service_are_read() -> None:
    text = (
        "Name:              db\nNamespace:         shop\nSelector:          app=db\n"
        "Type:              ClusterIP\nIP:                None\n"
        "Port:              sql  3306/TCP\nTargetPort:        3306/TCP\n"
        "Port:              <unset>  9104/TCP\nTargetPort:        metrics/TCP\n"
    )
    (service,) = read(("kubectl describe services db -n shop", text)).services
    assert service.headless
    assert [(p.name, p.number, p.target) for p in service.ports] == [
        ("sql", 3306, "3306"),
        ("", 9104, "metrics"),
    ]


def test_lists_describes_and_tool_answers_are_one_object_with_all_its_sources() -> None:
    table = (
        "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    0/2     2            0           5m\n"
    )
    manifest = (
        "kind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 2\n"
        "  template:\n    spec:\n      dnsPolicy: None\n      containers: [{name: main}]\n"
    )
    state = read(
        ("kubectl get deployments -n shop", table),
        ('GetResources:{"resource_type":"deployments","name":"","namespace":"shop"}', table),
        ('GetAppYAML:{"app_name":"web"}', manifest),
    )
    (workload,) = state.workloads
    assert (workload.desired, workload.ready, workload.age_s) == (2, 0, 300)
    assert workload.spec.dns_policy == "None"
    assert workload.observed
    assert len(workload.sources) == 2, "the same question asked twice is one source"


def test_what_only_a_manifest_declares_is_not_observed() -> None:
    manifest = (
        "kind: Service\nmetadata: {name: web, namespace: shop}\nspec: {ports: [{port: 80}]}\n"
    )
    state = read(("kubectl get services -n shop", ""), ('GetAppYAML:{"app_name":"web"}', manifest))
    assert [one.observed for one in state.services] == [False]
    assert ("service", "shop") in state.listed


def test_a_refused_list_is_no_list() -> None:
    state = read(("kubectl get services -n shop", "Error from server (Forbidden): no"))
    assert not state.listed


def test_comments_are_gone_before_a_manifest_is_read() -> None:
    text = 'a: "#kept" # the fault\nb: |\n  x: 1 # injected\nurl: http://h/#frag\n# all of it\n'
    stripped = manifests.without_comments(text)
    assert "fault" not in stripped
    assert "injected" not in stripped
    assert "all of it" not in stripped
    assert '"#kept"' in stripped
    assert "http://h/#frag" in stripped


def test_a_manifest_that_does_not_parse_is_counted_and_hides_no_other() -> None:
    text = "kind: [\n---\nkind: Service\nmetadata: {name: web}\n"
    state = read(('GetAppYAML:{"app_name":"web"}', text))
    assert [one.name for one in state.services] == ["web"]
    assert "1 parts of manifests" in state.notes[0]


def test_a_manifest_of_nested_aliases_is_left_out() -> None:
    lines = ["a0: &a0 [x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    ]
    found, unread = manifests.documents("\n".join(lines))
    assert (found, unread) == ([], 1)


def test_values_of_secrets_are_never_in_the_state() -> None:
    manifest = (
        "kind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {PASSWORD: hunter2}\n"
    )
    live = {
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "shop"},
        "data": {"PASSWORD": "aHVudGVyMg=="},
    }
    described = "Name: s\nNamespace: shop\nData\n====\nPASSWORD: hunter2\n"
    for state in (
        read(('GetAppYAML:{"app_name":"s"}', manifest), ("kubectl describe secrets s", described)),
        cluster_state([live]),
    ):
        assert [(one.type, one.name) for one in state.named] == [("secret", "s")]
        assert "hunter2" not in repr(state)
        assert "aHVudGVyMg" not in repr(state)


def test_live_objects_and_read_outs_give_the_same_pod() -> None:
    live = {
        "kind": "Pod",
        "metadata": {
            "name": "web-7d4b9c6f5-x2x2x",
            "namespace": "shop",
            "labels": {"app": "web", "pod-template-hash": "7d4b9c6f5"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-7d4b9c6f5"}],
        },
        "spec": {
            "nodeName": "n1",
            "serviceAccountName": "web",
            "nodeSelector": {"disk": "ssd"},
            "containers": [
                {"name": "main", "image": "registry.test/web:1", "ports": [{"containerPort": 8080}]}
            ],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {
                    "name": "main",
                    "ready": False,
                    "restartCount": 4,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
                }
            ],
        },
    }
    (mine,) = cluster_state([live]).pods
    (theirs,) = read(("kubectl describe pods web -n shop", POD)).pods
    assert (mine.key, mine.status, mine.owner, mine.labels, mine.node) == (
        theirs.key,
        theirs.status,
        theirs.owner,
        theirs.labels,
        theirs.node,
    )
    for field in ("name", "image", "ports", "restarts", "last_exit_code", "ready", "reason"):
        assert getattr(mine.spec.containers[0], field) == getattr(theirs.spec.containers[0], field)


def test_calls_between_services_and_daemons_of_machines_are_read() -> None:
    tree = (
        "[Service]: a\n[Upstream (Called By)]: x, y\n[Downstream (Calls)]:\n"
        "a\n├── b\n│   └── c\n└── d\n"
    )
    found = recorded(
        [
            RecordedOutput('GetServiceDependencies:{"service_name":"a"}', tree),
            RecordedOutput(
                'CheckNodeServiceStatus:{"node_name":"n1","service_name":"kubelet"}',
                "Status: kubelet.service\n     Active: inactive (dead) since today\n",
            ),
            RecordedOutput(
                'CheckNodeServiceStatus:{"node_name":"n2","service_name":"kubelet"}',
                "Active: active (running) since today\n",
            ),
        ]
    )
    assert found.calls == {("x", "a"), ("y", "a"), ("a", "b"), ("b", "c"), ("a", "d")}
    assert [(d.node, d.active) for d in found.state.daemons] == [("n1", False), ("n2", True)]


@pytest.mark.parametrize(
    "answer",
    [
        '{"patterns": [{"sample": "Access denied for user"}]}',
        '["Access denied for user"]',
        "Access denied for user",
    ],
)
def test_error_logs_are_read_as_object_list_or_text(answer: str) -> None:
    found = recorded([RecordedOutput('GetErrorLogs:{"service_name":"a"}', answer)])
    assert [name for name, text, _ in found.errors if "Access denied" in text] == ["a"]


def test_a_command_is_understood_with_its_flags_in_any_place() -> None:
    call = understand("kubectl get -n shop po -o wide")
    assert (call.verb, call.kind, call.namespace, call.whole) == ("get", "pod", "shop", True)
    assert understand("kubectl get pods -l app=web -n shop").whole is False
    assert understand("kubectl get deploy/web -n shop").name == "web"


def test_a_cell_that_is_empty_does_not_shift_the_row() -> None:
    text = (
        "NAME    STATUS    VOLUME   CAPACITY   STORAGECLASS   AGE\n"
        "claim   Pending                       fast           5s\n"
    )
    (row,) = rows(text.splitlines())
    assert (row["STATUS"], row["VOLUME"], row["STORAGECLASS"], row["AGE"]) == (
        "Pending",
        "",
        "fast",
        "5s",
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("200m", 0.2), ("1Gi", 2**30), ("1.5", 1.5), ("2e3", 2000), ("x", None), ("", None)],
)
def test_quantities(text: str, value: float | None) -> None:
    assert quantity(text) == value


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_an_age_reads_back_as_its_seconds(
    days: int, hours: int, minutes: int, seconds: int
) -> None:
    shown = f"{days}d{hours}h{minutes}m{seconds}s"
    assert age(shown) == ((days * 24 + hours) * 60 + minutes) * 60 + seconds


CALLS = st.sampled_from(
    [
        "kubectl describe pods p -n n",
        "kubectl describe services p -n n",
        "kubectl describe nodes p",
        "kubectl describe replicasets p -n n",
        "kubectl get pods -n n",
        "kubectl get events -n n",
        "kubectl get resourcequota -n n",
        'GetAppYAML:{"app_name":"p"}',
        'GetErrorLogs:{"service_name":"p"}',
        'GetServiceDependencies:{"service_name":"p"}',
        'CheckNodeServiceStatus:{"node_name":"p","service_name":"kubelet"}',
    ]
)
LINES = st.lists(
    st.one_of(
        st.sampled_from(POD.splitlines()),
        st.text(max_size=60),
        st.just("kind: Pod"),
        st.just("---"),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(CALLS, LINES)
def test_no_read_out_is_bad_enough_to_raise(call: str, lines: list[str]) -> None:
    found = recorded([RecordedOutput(call, "\n".join(lines))])
    assert all(pod.name for pod in found.state.pods)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["metadata", "name", "spec", "status", "containers", "ports", "kind"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["Pod", "Deployment", "Service", "Node", "ResourceQuota", "Event"]), JSON)
def test_no_live_object_is_bad_enough_to_raise(kind: str, rest: object) -> None:
    one = {"kind": kind, "metadata": {"name": "a"}, "spec": rest, "status": rest}
    state = cluster_state([json.loads(json.dumps(one))], now=0.0)
    assert state.notes == ()


DECLARED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: rack, operator: Exists}
"""


def test_what_a_pod_asks_of_machines_is_known_from_its_deployment_without_its_replica_set() -> None:
    outputs = [
        RecordedOutput("kubectl describe pod web-7d4b9c6f5-x2x2x -n shop", POD),
        RecordedOutput('GetAppYAML:{"app_name":"web"}', DECLARED),
    ]
    (pod,) = recorded(outputs).state.pods
    assert pod.owner == ("replicaset", "web-7d4b9c6f5")
    ((term,),) = pod.spec.node_affinity
    assert term.key == "rack"
