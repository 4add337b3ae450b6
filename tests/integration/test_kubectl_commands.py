"""The real kubectl does its everyday work on the lab's API."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lab_kubectl import FIXTURES, Served, kubectls
from small_lab import eventually

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: web:1
          ports: [{containerPort: 80}]
          resources: {requests: {cpu: 100m}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
"""
EXPERIMENT = """
apiVersion: chaos-mesh.org/v1alpha1
kind: PodChaos
metadata: {name: one}
spec: {action: pod-kill, mode: one, selector: {labelSelectors: {app: web}}}
"""
Kubectl = Callable[..., str]

pytestmark = pytest.mark.skipif(not kubectls(), reason="no kubectl on the PATH")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("lab"))
    yield found
    found.stop()


@pytest.fixture(params=range(max(1, len(kubectls()))))
def program(request: pytest.FixtureRequest) -> str:
    return kubectls()[request.param]


@pytest.fixture
def kubectl(served: Served, program: str) -> Iterator[Kubectl]:
    """kubectl in a namespace of its own with a deployment; fails the test where it fails."""
    namespace = f"n{len(served.api.plane.cluster.every('namespaces'))}"

    def run(
        command: str, *more: str, user: str = "admin", text: str = "", fails: bool = False
    ) -> str:
        done = served.run(program, f"-n {namespace} {command}", *more, user=user, text=text)
        assert (done.returncode != 0) is fails, f"kubectl {command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    run(f"create namespace {namespace}")
    run("apply -f -", text=MANIFEST)
    run("rollout status deploy/web --timeout=30s")
    yield run
    run(f"delete namespace {namespace} --wait=false")


def test_it_gets_describes_and_reads_logs(kubectl: Kubectl) -> None:
    assert kubectl("get pods").count("1/1") == 2
    assert "web:1" in kubectl("get deploy -o wide")
    assert len(json.loads(kubectl("get pods -o json"))["items"]) == 2
    assert "ScalingReplicaSet" in kubectl("describe deploy web")
    assert "Scheduled" in kubectl("describe pods")
    assert "Endpoints" in kubectl("describe svc web")
    assert "objects only" in kubectl("logs deploy/web --tail=5")
    assert "objects only" in kubectl("logs deploy/web --since=1h --timestamps")
    assert "not found" in kubectl("logs deploy/web --previous", fails=True)
    assert "Scheduled" in kubectl("get events")


def test_it_scales_rolls_out_and_back(kubectl: Kubectl) -> None:
    kubectl("scale deploy/web --replicas=3")
    kubectl("wait --for=condition=Available deploy/web --timeout=30s")
    kubectl("set image deploy/web web=web:2")
    kubectl("rollout status deploy/web --timeout=30s")
    assert "web:2" in kubectl("rollout history deploy/web --revision=2")
    kubectl("rollout undo deploy/web --to-revision=1")
    kubectl("rollout status deploy/web --timeout=30s")
    assert "web:1" in kubectl("get deploy web -o wide")
    kubectl("rollout restart deploy/web")
    kubectl("rollout status deploy/web --timeout=30s")
    assert len(kubectl("rollout history deploy/web").strip().splitlines()) >= 4


def test_it_patches_and_applies_in_every_way(kubectl: Kubectl) -> None:
    container = {"name": "web", "env": [{"name": "A", "value": "1"}]}
    strategic = json.dumps({"spec": {"template": {"spec": {"containers": [container]}}}})
    kubectl("patch deploy web -p", strategic)
    assert (
        kubectl("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}") == "web:1"
    )
    kubectl("patch deploy web --type=merge -p", '{"spec":{"replicas":4}}')
    kubectl(
        "patch deploy web --type=json -p", '[{"op":"replace","path":"/spec/replicas","value":3}]'
    )
    kubectl("apply -f - --dry-run=server", text=MANIFEST)
    assert kubectl("get deploy web -o jsonpath={.spec.replicas}") == "3"
    kubectl("apply --server-side --force-conflicts -f -", text=MANIFEST)
    assert kubectl("get deploy web -o jsonpath={.spec.replicas}") == "2"
    assert "replcas" in kubectl(
        "apply -f -", text=MANIFEST.replace("replicas", "replcas"), fails=True
    )


def test_it_deletes_pods_and_waits_for_their_end(kubectl: Kubectl) -> None:
    name = kubectl("get pods -o jsonpath={.items[0].metadata.name}")
    kubectl(f"delete pod {name}")
    assert "NotFound" in kubectl(f"get pod {name}", fails=True)
    kubectl("rollout status deploy/web --timeout=30s")


def test_what_a_user_may_do_is_what_is_enforced(kubectl: Kubectl) -> None:
    assert "yes" in kubectl("auth can-i delete pods")
    assert "no" in kubectl("auth can-i delete pods", user="reader", fails=True)
    assert "Forbidden" in kubectl("delete deploy web", user="reader", fails=True)
    kubectl("get pods", user="reader")
    kubectl("get secrets", user="reader", fails=True)
    kubectl("scale deploy/web --replicas=1", user="executor")
    kubectl("create namespace of-mine", user="executor", fails=True)


def test_it_shows_what_pods_and_nodes_use(kubectl: Kubectl) -> None:
    assert "16Mi" in kubectl("top pods")
    assert "lab-node" in kubectl("top nodes")


def test_a_drain_goes_through_evictions_and_stops_at_the_budget(
    kubectl: Kubectl, program: str, served: Served
) -> None:
    kubectl("apply -f -", text=BUDGET)
    kubectl("wait --for=condition=Available deploy/web")
    drain = "drain lab-node --ignore-daemonsets --pod-selector=app=web --timeout=3s"
    try:
        assert "disruption budget" in kubectl(drain, fails=True)
        assert "SchedulingDisabled" in kubectl("get nodes")
    finally:
        kubectl("uncordon lab-node")


def test_it_creates_with_typed_clients(kubectl: Kubectl) -> None:
    kubectl("create configmap c --from-literal=a=b")
    assert kubectl("get configmap c -o jsonpath={.data.a}") == "b"
    kubectl("create secret generic s --from-literal=a=b")
    assert kubectl("get secret s -o jsonpath={.data.a}") == "Yg=="
    kubectl("create job once --image=x:1")
    kubectl("create quota few --hard=pods=9")
    kubectl("create role r --verb=get --resource=pods")
    kubectl("autoscale deploy web --max=5 --cpu-percent=50")
    assert "web" in kubectl("get hpa")
    kubectl("create cronjob tick --image=x:1", "--schedule=*/5 * * * *")
    assert "*/5" in kubectl("get cronjobs")
    kubectl("expose deploy web --name=more --port=81")
    assert "81/TCP" in kubectl("get svc more")


def test_it_changes_what_a_deployment_runs_and_is_called(kubectl: Kubectl) -> None:
    kubectl("set resources deploy/web --limits=cpu=200m")
    kubectl("set env deploy/web MODE=quick")
    assert "MODE=quick" in kubectl("set env deploy/web --list")
    kubectl("rollout status deploy/web --timeout=60s")
    kubectl("label deploy web team=blue")
    assert "blue" in kubectl("get deploy -L team")
    kubectl("annotate deploy web note=seen")
    assert "seen" in kubectl("describe deploy web")
    changed = MANIFEST.replace("replicas: 2", "replicas: 3")
    assert "replicas: 3" in kubectl("diff -f -", text=changed, fails=True)
    kubectl("wait --for=condition=Ready pods --all --timeout=60s")


def test_a_new_image_of_a_pod_restarts_its_container(kubectl: Kubectl) -> None:
    name = kubectl("get pods -o jsonpath={.items[0].metadata.name}")
    kubectl(f"set image pod/{name} web=web:9")
    shown = "-o jsonpath={.status.containerStatuses[0].restartCount}"
    kubectl(f"wait --for=condition=Ready pod/{name} --timeout=60s")
    eventually(lambda: kubectl(f"get pod {name} {shown}") == "1")


def test_events_of_a_pod_are_told_in_their_order(kubectl: Kubectl) -> None:
    name = kubectl("get pods -o jsonpath={.items[0].metadata.name}")
    told = kubectl(f"describe pod {name}").partition("Events:")[2]
    places = [told.index(reason) for reason in ("  Scheduled", "  Pulling", "  Started")]
    assert places == sorted(places)


def test_what_the_lab_does_not_offer_is_refused_with_a_reason(kubectl: Kubectl) -> None:
    name = kubectl("get pods -o jsonpath={.items[0].metadata.name}")
    assert "read their logs instead" in kubectl(f"exec {name} -- ls", fails=True)
    assert "loopback" in kubectl(f"port-forward {name} :80", fails=True)


def test_an_experiment_without_an_enactor_is_stored_and_an_invalid_one_refused(
    kubectl: Kubectl,
) -> None:
    kubectl("apply -f -", text=EXPERIMENT)
    kubectl("apply -f - --dry-run=server", text=EXPERIMENT)
    eventually(lambda: "nothing in this lab enacts it" in kubectl("describe podchaos one"))
    assert "pod-kill" in kubectl("get podchaos")
    refused = kubectl("apply -f -", text=EXPERIMENT.replace("pod-kill", "pod-x"), fails=True)
    assert "spec" in refused
    other = EXPERIMENT.replace("pod-kill", "pod-x").replace("name: one", "name: two")
    assert 'Unsupported value: "pod-x"' in kubectl("apply -f -", text=other, fails=True)
    kubectl("delete podchaos one --timeout=60s")


def test_it_explains_and_discovers(kubectl: Kubectl) -> None:
    assert "containers" in kubectl("explain pod.spec")
    assert "podchaos" in kubectl("api-resources")


def test_every_manifest_of_the_shop_applies_unchanged(served: Served, program: str) -> None:
    folder = FIXTURES / "sock-shop"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    files = [p for p in sorted(folder.rglob("*.y*ml")) if p.name != "skaffold.yaml"]
    assert files
    # A namespace may stand in any of them. One command: each would ask anew what the API offers.
    named = [word for file in sorted(files, key=_namespaces_first) for word in ("-f", str(file))]
    done = served.run(program, "apply", *named)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= len(files)


def _namespaces_first(path: Path) -> tuple[bool, str]:
    return "kind: Namespace" not in path.read_text(encoding="utf-8"), str(path)
