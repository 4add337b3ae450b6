"""Actions on the lab's API: previewed, applied, verified, seen by kubectl, and taken back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from acting import Hands, writer
from canary import CANARY
from lab_kubectl import Kubectl, Served, kubectls
from small_lab import eventually

from aiops.errors import Drifted, ToolFailed
from aiops_tools.kubernetes.actions.scene import is_ready, pods_of
from aiops_tools.kubernetes.kinds import kind_named

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
SPACE = "shop"
OBJECTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: web:1
          ports: [{containerPort: 8080, name: http}]
          env:
            - {name: MODE, value: fast}
            - {name: LEVEL, value: info}
            - {name: DB_PASSWORD, value: hunter2hunter2}
            - {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: one}}}
          envFrom: [{configMapRef: {name: settings}}]
          resources: {requests: {cpu: 100m}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store, namespace: shop}
spec:
  replicas: 2
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: main, image: "store:1"}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent, namespace: shop}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: main, image: "agent:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81, targetPort: 8081}]
---
apiVersion: v1
kind: Service
metadata: {name: by-hand, namespace: shop}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {level: info, limits: "a: 1\\nb: 2\\n"}
---
apiVersion: v1
kind: Secret
metadata: {name: keys, namespace: shop}
stringData: {one: THE_SECRET}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: store, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: StatefulSet, name: store}
  minReplicas: 1
  maxReplicas: 4
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: store, namespace: shop}
spec: {minAvailable: 2, selector: {matchLabels: {app: store}}}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: shop, labels: {app: alone}}
spec:
  containers: [{name: main, image: "alone:1"}]
  volumes: [{name: scratch, emptyDir: {}}]
---
apiVersion: v1
kind: Node
metadata: {name: spare}
spec: {taints: [{key: kept/for-others, effect: NoSchedule}]}
"""


@dataclass(frozen=True)
class World:
    kubectl: Kubectl
    hands: Hands

    def see(self, what: str, path: str) -> str:
        return self.kubectl("get", *what.split(), "-o", f"jsonpath={{{path}}}").strip()

    def wait_ready(self) -> None:
        for kind, name, ready in (("Deployment", "web", 3), ("StatefulSet", "store", 2)):
            eventually(lambda kind=kind, name=name, ready=ready: self._ready(kind, name) == ready)

    def _ready(self, kind: str, name: str) -> int:
        workload = self.hands.writer.one(kind_named(kind), SPACE, name)
        return sum(map(is_ready, pods_of(self.hands.writer, workload)))

    def pods(self, app: str) -> list[str]:
        found = self.kubectl(
            "get", "pods", "-l", f"app={app}", "-o", "jsonpath={.items[*].metadata.name}"
        )
        return found.split()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One lab for all: whoever changes it brings it back."""
    served = Served(tmp_path_factory.mktemp("lab"))
    executor = writer(served.api.kubeconfig("executor"), served.api.kubeconfig("reader"))
    kubectl = Kubectl(kubectls()[0], served.api.kubeconfig("admin"), SPACE)
    kubectl("create", "namespace", SPACE)
    kubectl("apply", "-f", "-", text=OBJECTS.replace("THE_SECRET", CANARY))
    yield World(kubectl, Hands(executor, SPACE))
    executor.close()
    served.stop()


@pytest.fixture
def world(lab: World) -> World:
    """The lab with every workload as it was made, and ready."""
    lab.wait_ready()
    return lab


WEB = {"namespace": SPACE, "kind": "Deployment", "name": "web"}
STORE = {"namespace": SPACE, "kind": "StatefulSet", "name": "store"}
SERVICE = {"namespace": SPACE, "name": "web"}
AGENT = {"namespace": SPACE, "kind": "DaemonSet", "name": "agent"}
_TEMPLATE = ".spec.template.spec.containers[0]"
# verb, arguments, where kubectl looks, what it sees afterwards
REVERSIBLE: list[tuple[str, dict[str, Any], str, str]] = [
    ("scale", WEB | {"replicas": 5}, ".status.readyReplicas", "5"),
    ("scale", STORE | {"replicas": 0}, ".status.replicas", "0"),
    ("set_image", WEB | {"container": "main", "image": "web:2"}, f"{_TEMPLATE}.image", "web:2"),
    (
        "set_image",
        AGENT | {"container": "main", "image": "agent:2"},
        f"{_TEMPLATE}.image",
        "agent:2",
    ),
    (
        "set_resources",
        WEB | {"container": "main", "cpu_limit": "500m", "memory_limit": "64Mi"},
        f"{_TEMPLATE}.resources.limits",
        '{"cpu":"500m","memory":"64Mi"}',
    ),
    (
        "set_resources",
        WEB | {"container": "main", "cpu_request": None},
        f"{_TEMPLATE}.resources",
        "{}",
    ),
    (
        "set_env",
        WEB | {"container": "main", "variables": {"MODE": "safe", "NEW": "1"}},
        f"{_TEMPLATE}.env[?(@.name=='MODE')].value",
        "safe",
    ),
    (
        "set_env",
        WEB | {"container": "main", "variables": {"MODE": None}},
        f"{_TEMPLATE}.env[0].name",
        "LEVEL",
    ),
    ("rollout_restart", WEB, ".spec.template.metadata.annotations", '{"aiops/restarted":"1"}'),
    ("rollout_restart", STORE, ".spec.template.metadata.annotations", '{"aiops/restarted":"1"}'),
    ("rollout_restart", AGENT, ".spec.template.metadata.annotations", '{"aiops/restarted":"1"}'),
    ("rollout_pause", {"namespace": SPACE, "name": "web"}, ".spec.paused", "true"),
    (
        "set_config",
        {"namespace": SPACE, "name": "settings", "data": {"level": "debug", "limits": None}},
        ".data",
        '{"level":"debug"}',
    ),
    (
        "set_hpa_bounds",
        {"namespace": SPACE, "name": "store", "min_replicas": 2, "max_replicas": 8},
        ".spec.maxReplicas",
        "8",
    ),
    (
        "set_selector",
        {"namespace": SPACE, "name": "web", "selector": {"app": None, "tier": "front"}},
        ".spec.selector",
        '{"tier":"front"}',
    ),
    (
        "set_target_port",
        {"namespace": SPACE, "name": "web", "port": 81, "target_port": "http"},
        ".spec.ports[*].targetPort",
        "8080 http",
    ),
    ("cordon", {"name": "spare"}, ".spec.unschedulable", "true"),
]
_KINDS = {
    "set_config": "ConfigMap",
    "set_hpa_bounds": "HorizontalPodAutoscaler",
    "set_selector": "Service",
    "set_target_port": "Service",
    "cordon": "Node",
}


@pytest.mark.parametrize(
    ("verb", "arguments", "path", "seen"),
    REVERSIBLE,
    ids=[f"{one[0]}-{n}" for n, one in enumerate(REVERSIBLE)],
)
def test_a_reversible_action_is_seen_by_kubectl_and_taken_back_to_the_same_state(
    world: World, verb: str, arguments: dict[str, Any], path: str, seen: str
) -> None:
    kind = arguments.get("kind") or _KINDS.get(verb, "Deployment")
    what = f"{kind.lower()}/{arguments['name']}"
    before = world.hands.hash(kind, arguments["name"])
    looked_at = world.hands.preview(verb, **arguments)
    assert world.hands.hash(kind, arguments["name"]) == before, "a preview changes nothing"
    assert looked_at.state == before
    assert world.hands.tool(verb).spec.reversible

    preview = world.hands.do(verb, **arguments)

    assert preview.diff == looked_at.diff
    assert "+" in preview.diff
    assert world.see(what, path) == seen
    assert world.hands.hash(kind, arguments["name"]) != before
    world.hands.take_back(preview)
    assert world.hands.hash(kind, arguments["name"]) == before


def test_an_earlier_revision_comes_back_and_goes_again(world: World) -> None:
    revision = int(
        world.see("deployment/web", ".metadata.annotations.deployment\\.kubernetes\\.io/revision")
    )
    first = world.hands.do("set_image", **WEB, container="main", image="web:2")
    before = world.hands.hash("Deployment", "web")

    preview = world.hands.do("rollout_undo", **WEB, to_revision=revision)

    assert world.see("deployment/web", f"{_TEMPLATE}.image") == "web:1"
    world.hands.take_back(preview)
    assert world.hands.hash("Deployment", "web") == before
    with pytest.raises(ToolFailed, match="keeps no revision 77; it keeps: "):
        world.hands.preview("rollout_undo", **WEB, to_revision=77)
    world.hands.take_back(first)


@pytest.mark.parametrize("verb", ["evict_pod", "delete_pod"])
def test_a_pod_that_goes_is_replaced_and_the_preview_says_that_it_cannot_be_undone(
    world: World, verb: str
) -> None:
    pod = world.pods("web")[0]

    preview = world.hands.do(verb, namespace=SPACE, name=pod)

    assert preview.undo is None
    assert not world.hands.tool(verb).spec.reversible
    assert any("cannot be taken back" in one for one in preview.warnings)
    assert (preview.radius.interrupted, preview.radius.serving) == (1, 3)
    assert [str(one) for one in preview.targets] == [
        f"lab/shop/Pod/{pod}",
        "lab/shop/Deployment/web",
    ]
    assert pod not in world.pods("web")
    assert len(world.pods("web")) == 3


def test_a_pod_that_nobody_makes_anew_says_so(world: World) -> None:
    preview = world.hands.do("delete_pod", namespace=SPACE, name="alone")

    told = " ".join(preview.warnings)
    assert "nothing makes another" in told
    assert "emptyDir" in told
    assert "downtime" in told
    assert world.pods("alone") == []


def test_a_disruption_budget_stops_an_eviction_and_is_told_of_before_a_deletion(
    world: World,
) -> None:
    eventually(lambda: world.see("pdb/store", ".status.currentHealthy") == "2")

    with pytest.raises(ToolFailed, match="budget store allows no pod less") as refused:
        world.hands.preview("evict_pod", namespace=SPACE, name="store-0")

    assert refused.value.kind == "conflict"
    told = world.hands.preview("delete_pod", namespace=SPACE, name="store-0").warnings
    assert any("disruption budget store allows 0 pods less" in one for one in told)


def test_another_pod_of_the_same_name_is_not_deleted_in_its_place(world: World) -> None:
    asked = {"namespace": SPACE, "name": "store-0"}
    preview = world.hands.preview("delete_pod", **asked)
    first = world.see("pod/store-0", ".metadata.uid")
    world.kubectl("delete", "pod", "store-0", "--grace-period=0", "--force")
    eventually(lambda: _uid(world, "store-0") not in ("", first))

    with pytest.raises(Drifted, match="nothing was changed"):
        world.hands.apply("delete_pod", preview, **asked)


def _uid(world: World, pod: str) -> str:
    found = world.kubectl(
        "get",
        "pods",
        "-o",
        "jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{'\\n'}{end}",
    )
    return dict(line.split() for line in found.splitlines()).get(pod, "")


def test_what_drifted_since_the_preview_is_not_changed(world: World) -> None:
    asked = WEB | {"container": "main", "image": "web:2"}
    preview = world.hands.preview("set_image", **asked)
    world.kubectl("scale", "deployment/web", "--replicas=2")

    with pytest.raises(Drifted):
        world.hands.apply("set_image", preview, **asked)

    assert world.see("deployment/web", f"{_TEMPLATE}.image") == "web:1"
    world.kubectl("scale", "deployment/web", "--replicas=3")


def test_a_label_or_a_status_that_moves_is_no_drift(world: World) -> None:
    asked = WEB | {"replicas": 4}
    preview = world.hands.preview("scale", **asked)
    world.kubectl("label", "deployment/web", "team=a")

    world.hands.apply("scale", preview, **asked)

    assert world.see("deployment/web", ".spec.replicas") == "4"
    world.hands.take_back(preview)


def test_no_secret_is_shown_set_or_reached(world: World) -> None:
    preview = world.hands.preview("set_env", **WEB, container="main", variables={"LEVEL": "warn"})
    everything = f"{preview}"
    assert "hunter2" not in everything
    assert "planted" not in everything
    for variables, said in (
        ({"API_TOKEN": "abc"}, "looks like a secret"),
        ({"DB_PASSWORD": None}, "looks like a secret"),
        ({"KEY": "x"}, "taken from elsewhere"),
        ({"URL": "postgres://me:pw123@db/shop"}, "looks like a secret"),
    ):
        with pytest.raises(ToolFailed, match=said) as refused:
            world.hands.preview("set_env", **WEB, container="main", variables=variables)
        assert "hunter2" not in str(refused.value)
        assert "pw123" not in str(refused.value)
    with pytest.raises(ToolFailed, match="looks like a secret"):
        world.hands.preview(
            "set_config", namespace=SPACE, name="settings", data={"app.ini": "x=1\npassword=abc\n"}
        )
    with pytest.raises(ToolFailed):
        world.hands.preview("scale", namespace=SPACE, kind="Secret", name="keys", replicas=0)


def test_previews_warn_of_what_will_hurt(world: World) -> None:
    world.kubectl(
        "create",
        "-f",
        "-",
        text=yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "ResourceQuota",
                "metadata": {"name": "small"},
                "spec": {"hard": {"pods": "8"}},
            }
        ),
    )
    eventually(lambda: world.see("quota/small", ".status.hard.pods") == "8")

    told = world.hands.preview("scale", **STORE, replicas=9)
    down = world.hands.preview("scale", **WEB, replicas=0)
    image = world.hands.preview("set_image", **WEB, container="main", image="web")
    config = world.hands.preview(
        "set_config", namespace=SPACE, name="settings", data={"level": "x"}
    )
    cordon = world.hands.preview("cordon", name="spare")
    service = {"namespace": SPACE, "name": "web"}
    nobody = world.hands.preview("set_selector", **service, selector={"app": "wep"})
    more = world.hands.preview("set_selector", **service, selector={"tier": "front"})
    port = world.hands.preview("set_target_port", **service, port=80, target_port="9")

    assert any("autoscaler store (1 to 4 replicas)" in one for one in told.warnings)
    assert any("quota small has no room" in one for one in told.warnings)
    assert any("downtime" in one for one in down.warnings)
    assert (down.radius.interrupted, down.radius.serving) == (3, 3)
    assert any("has not run web before" in one for one in image.warnings)
    assert any("no fixed tag" in one for one in image.warnings)
    assert image.radius.interrupted == 0, "it surges: no replica is missing meanwhile"
    assert any("3 pods take variables" in one for one in config.warnings)
    assert any("stay where they are" in one for one in cordon.warnings)
    assert any("no pod has these labels" in one for one in nobody.warnings)
    assert (more.radius.interrupted, more.radius.serving) == (3, 3)
    assert any("3 of 3 pods" in one for one in port.warnings)
    assert (port.radius.interrupted, port.radius.serving) == (3, 3)
    world.kubectl("delete", "quota", "small")


@pytest.mark.parametrize(
    ("verb", "arguments", "kind"),
    [
        ("scale", WEB | {"replicas": 3}, "invalid"),  # so already
        ("scale", WEB | {"name": "w*", "replicas": 1}, "invalid"),
        ("scale", WEB | {"replicas": "3"}, "invalid"),
        ("scale", WEB | {"replicas": 1, "force": True}, "invalid"),
        ("scale", WEB | {"cluster": "other", "replicas": 1}, "not_found"),
        ("scale", WEB | {"name": "webb", "replicas": 1}, "not_found"),
        ("scale", WEB | {"kind": "ReplicaSet", "replicas": 1}, "invalid"),
        ("set_image", WEB | {"container": "side", "image": "x:1"}, "not_found"),
        ("set_resources", WEB | {"container": "main"}, "invalid"),
        (
            "set_resources",
            WEB | {"container": "main", "cpu_request": "2", "cpu_limit": "1"},
            "invalid",
        ),
        ("cordon", {"name": "no-such-node"}, "not_found"),
        ("set_selector", SERVICE | {"selector": {"app": None}}, "invalid"),  # by nothing
        ("set_selector", SERVICE | {"selector": {"app": "web!"}}, "invalid"),
        ("set_selector", SERVICE | {"name": "by-hand", "selector": {"app": "web"}}, "invalid"),
        ("set_target_port", SERVICE | {"port": 80, "target_port": "8080"}, "invalid"),  # so already
        ("set_target_port", SERVICE | {"port": 82, "target_port": "8080"}, "not_found"),
        ("set_target_port", SERVICE | {"port": 80, "target_port": "99999"}, "invalid"),
        ("set_target_port", SERVICE | {"port": 80, "target_port": "a_b"}, "invalid"),
        ("evict_pod", {"namespace": SPACE, "name": "nobody"}, "not_found"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anybody_is_asked(
    world: World, verb: str, arguments: dict[str, Any], kind: str
) -> None:
    with pytest.raises(ToolFailed) as refused:
        world.hands.preview(verb, **arguments)

    assert refused.value.kind == kind, refused.value


def test_bounds_of_an_autoscaler_that_scales_nothing_are_set_all_the_same(world: World) -> None:
    gone = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gone"}
    lost = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "lost"},
        "spec": {"scaleTargetRef": gone, "maxReplicas": 2},
    }
    world.kubectl("create", "-f", "-", text=yaml.safe_dump(lost))
    bounds = {"namespace": SPACE, "name": "lost", "min_replicas": 1, "max_replicas": 3}
    world.hands.do("set_hpa_bounds", **bounds)
    world.kubectl("delete", "hpa/lost")


def test_a_number_that_somebody_else_sets_meanwhile_is_not_reached(world: World) -> None:
    asked = WEB | {"replicas": 4}
    preview = world.hands.preview("scale", **asked)
    world.hands.apply("scale", preview, **asked)
    world.kubectl("scale", "deployment/web", "--replicas=1")

    verified = world.hands.verify("scale", preview, **asked)

    assert not verified.reached
    assert "somebody set it to 1" in verified.seen
    world.kubectl("scale", "deployment/web", "--replicas=3")
