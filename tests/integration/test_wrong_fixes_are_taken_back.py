"""Each action that rules propose: where users are served no better, all is as it was before."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from acting import CLUSTER, writer
from belt import Bench
from lab_kubectl import Kubectl, Served, kubectls
from small_lab import eventually

from aiops.agents.proposing.proposer import PLAN
from aiops.model.tool import Outcome, Target
from aiops.ports.objectives import Held
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.actions.scene import is_ready, pods_of
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.state_hash import state_hash
from aiops_tools.kubernetes.writer import Writer

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
SPACE, TOOLS = "shop", "lab"
MEND_S, BUSY_S = 40.0, 60.0
OBJECTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: main
          image: web:1
          ports: [{containerPort: 8080}]
          env: [{name: CART_URL, value: "http://cart-old"}]
          resources: {limits: {memory: 64Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: new}, ports: [{port: 80, targetPort: 8081}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {CART_URL: "http://cart-old"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pool, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: pool}}
  template:
    metadata: {labels: {app: pool}}
    spec: {containers: [{name: main, image: "pool:1"}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: pool, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: pool}
  minReplicas: 2
  maxReplicas: 2
---
apiVersion: v1
kind: Node
metadata: {name: spare}
spec: {unschedulable: true, taints: [{key: kept/for-others, effect: NoSchedule}]}
"""


class Unmoved:
    """Objectives that burn on as before, whatever is done."""

    def covering(self, targets: Sequence[Target]) -> tuple[str, ...]:
        return ("users-errors",)

    def held(
        self, targets: Sequence[Target], changed: datetime, since: datetime, until: datetime
    ) -> Held:
        return Held(True, "it did not help", mended=False)


@dataclass(frozen=True)
class World:
    kubectl: Kubectl
    writer: Writer
    bench: Bench

    def hash(self, kind: str, name: str) -> str:
        found = kind_named(kind)
        space = SPACE if found.namespaced else None
        return state_hash(self.writer.one(found, space, name))

    def ready(self) -> bool:
        web = self.writer.one(kind_named("Deployment"), SPACE, "web")
        return sum(map(is_ready, pods_of(self.writer, web))) == web["spec"]["replicas"]

    def carried_out(self, tool: str, arguments: dict[str, Any]) -> Outcome:
        run = {"run": f"run of {tool}", "incident": "inc-1"}
        waits = asyncio.run(self.bench.ask(tool, arguments, **run))
        assert waits.approval is not None, waits
        self.bench.approve(waits.approval)
        return asyncio.run(self.bench.ask(tool, arguments, approval=waits.approval, **run))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    served = Served(tmp_path_factory.mktemp("lab"))
    executor = writer(served.api.kubeconfig("executor"), served.api.kubeconfig("reader"))
    kubectl = Kubectl(kubectls()[0], served.api.kubeconfig("admin"), SPACE)
    kubectl("create", "namespace", SPACE)
    kubectl("apply", "-f", "-", text=OBJECTS)
    kubectl("set", "image", "deployment/web", "main=web:2")
    bench = Bench(tools=actions(TOOLS, executor, rollout_s=75.0))

    async def pause(waited: float) -> None:
        bench.clock.advance(waited)

    bench.doors = replace(bench.doors, objectives=Unmoved(), pause=pause)
    bench.restarted(replace(bench.rules, watch_s=MEND_S / 2, mend_s=MEND_S))
    yield World(kubectl, executor, bench)
    executor.close()
    served.stop()


HERE = {"cluster": CLUSTER, "namespace": SPACE}
WEB = {**HERE, "kind": "Deployment", "name": "web"}
SETTINGS = {**HERE, "name": "settings", "data": {"CART_URL": "http://cart"}}
ACTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("Deployment", "rollout_undo", {**WEB, "to_revision": 1}),
    ("Deployment", "set_env", {**WEB, "container": "main", "variables": {"CART_URL": "cart"}}),
    ("Deployment", "set_resources", {**WEB, "container": "main", "memory_limit": "128Mi"}),
    ("Deployment", "scale", {**WEB, "replicas": 4}),
    ("Deployment", "rollout_restart", WEB),
    ("Service", "set_selector", {**HERE, "name": "web", "selector": {"app": "web"}}),
    ("Service", "set_target_port", {**HERE, "name": "web", "port": 80, "target_port": "8080"}),
    (
        "HorizontalPodAutoscaler",
        "set_hpa_bounds",
        {**HERE, "name": "pool", "min_replicas": 2, "max_replicas": 4},
    ),
    ("ConfigMap", "set_config", SETTINGS),
    ("Node", "uncordon", {"cluster": CLUSTER, "name": "spare"}),
]


@pytest.mark.parametrize(
    ("kind", "verb", "arguments"), ACTIONS, ids=[verb for _, verb, _ in ACTIONS]
)
def test_what_does_not_help_is_taken_back_to_the_same_state(
    world: World, kind: str, verb: str, arguments: dict[str, Any]
) -> None:
    eventually(world.ready, within_s=BUSY_S)
    name = arguments["name"]
    before = world.hash(kind, name)
    outcome = world.carried_out(f"{TOOLS}.{verb}", arguments)
    assert outcome.status == "rolled_back", outcome
    assert "it did not help" in outcome.summary
    assert world.hash(kind, name) == before


def test_of_a_plan_that_does_not_help_every_step_is_taken_back(world: World) -> None:
    eventually(world.ready, within_s=BUSY_S)
    before = world.hash("ConfigMap", "settings"), world.hash("Deployment", "web")
    steps = [
        {"tool": f"{TOOLS}.set_config", "arguments": SETTINGS},
        {"tool": f"{TOOLS}.rollout_restart", "arguments": WEB},
    ]
    outcome = world.carried_out(PLAN, {"steps": steps})
    assert outcome.status == "rolled_back", outcome
    assert (world.hash("ConfigMap", "settings"), world.hash("Deployment", "web")) == before
