"""Probes and the source on the lab's API, with kubectl as the witness: the same pods, the same
counts; and nothing that anything returns holds the value of a Secret.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, CANARY_BASE64
from lab_kubectl import Kubectl, kubectls
from objects_lab import objects_lab
from probing import CLUSTER, TOKEN_CHARACTERS, Asking
from small_lab import eventually

from aiops.analyze.state.parse_kubectl import recorded
from aiops.errors import ToolFailed
from aiops_tools.kubernetes.ingest import KubernetesSource

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
PLANTED, ENCODED = CANARY, CANARY_BASE64
NAMESPACE = "kiosk"
MANY = 500
BUSY_S = 300.0
"""How long a machine that does much else may take for what is a matter of a second or two."""


class Shop:
    """A lab of objects, asked as its reader, as its administrator, and by kubectl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubectl = Kubectl(kubectls()[0], folder / "admin.kubeconfig", NAMESPACE)
        self.ask = Asking(folder / "reader.kubeconfig")
        self.admin = Asking(folder / "admin.kubeconfig")

    def close(self) -> None:
        self.ask.close()
        self.admin.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    with objects_lab(folder) as served:
        one = Shop(served)
        try:
            eventually(lambda: "Running" in one.kubectl("get", "pods"), within_s=BUSY_S)
            _prepare(one)
            yield one
        finally:
            one.close()


def _prepare(shop: Shop) -> None:
    """A secret that a workload takes, and a second version of another."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "planted"},
        "stringData": {"password": PLANTED},
    }
    shop.kubectl("apply", "-f", "-", text=json.dumps(secret))
    shop.kubectl("set", "env", "deployment/shelf", "--from=secret/planted")
    shop.kubectl("set", "image", "deployment/scale", "scale=lab/scale:9")

    def rolled() -> bool:
        return len(shop.ask("rollout_history", **named("scale"))["versions"]) == 2

    eventually(rolled, within_s=BUSY_S)


def named(name: str, kind: str = "Deployment") -> dict[str, str]:
    return {"namespace": NAMESPACE, "kind": kind, "name": name}


@pytest.mark.parametrize("kind", ["pods", "deployments", "services", "replicasets", "configmaps"])
def test_kubectl_sees_the_same_objects(shop: Shop, kind: str) -> None:
    def same() -> bool:
        seen = shop.kubectl("get", kind, "-o", "name").split()
        found = shop.ask("list", kind=kind, namespace=NAMESPACE, limit=200)
        names = {row["name"] for row in found["rows"]}
        return found["total"] == len(seen) and names == {one.partition("/")[2] for one in seen}

    eventually(same, within_s=BUSY_S)


def test_pages_hold_every_object_once(shop: Shop) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = shop.ask("list", kind="ReplicaSet", namespace=NAMESPACE, limit=2, after=after)
        seen += [row["name"] for row in page["rows"]]
        after = page["next_page"] or ""
        if not after:
            break
    assert len(seen) == len(set(seen)) == page["total"]


def test_the_last_deploy_is_told_with_what_it_changed(shop: Shop) -> None:
    assert "lab/scale:9" in shop.ask("rollout_diff", **named("scale"))["diff"]
    found = shop.ask("recent_changes", namespace=NAMESPACE, minutes=60)["changes"]
    assert any("lab/scale:9" in one["what"] for one in found if one["name"] == "scale")


def test_a_service_that_leads_nowhere_is_said_to(shop: Shop) -> None:
    checked = {"namespace": NAMESPACE, "name": "belt"}
    eventually(lambda: shop.ask("check_service", **checked)["ready"] == 1, within_s=BUSY_S)
    assert shop.ask("check_service", namespace=NAMESPACE, name="belt")["wrong"] == []
    patch = {"spec": {"ports": [{"port": 5672, "targetPort": "nowhere"}]}}
    shop.kubectl("patch", "service", "belt", "-p", json.dumps(patch))
    (wrong,) = shop.ask("check_service", namespace=NAMESPACE, name="belt")["wrong"]
    assert "'nowhere'" in wrong


def test_every_event_that_kubectl_lists_is_read(shop: Shop) -> None:
    found = shop.ask("events", namespace=NAMESPACE, minutes=60)
    seen = shop.kubectl("get", "events", "-o", "name").split()
    assert found["read"] == len(seen)


def test_the_reader_may_read_pods_and_delete_none(shop: Shop) -> None:
    for verb, allowed in (("list", True), ("delete", False)):
        asked = {"namespace": NAMESPACE, "verb": verb, "kind": "Pod"}
        assert shop.ask("can_i", **asked)["allowed"] is allowed
    assert shop.admin("who_can", namespace=NAMESPACE, verb="delete", kind="Pod")["total"] > 0


def test_nothing_that_anything_returns_holds_the_value_of_a_secret(shop: Shop) -> None:
    """Asked as the administrator, who may see every value."""
    pod = shop.kubectl(
        "get", "pods", "-l", "name=shelf", "-o", "jsonpath={.items[0].metadata.name}"
    )
    place = {"namespace": NAMESPACE}
    target = {"to_namespace": NAMESPACE, "to_pod": pod, "port": 80}
    arguments: dict[str, list[dict[str, Any]]] = {
        "list": [
            {"kind": "Secret", **place},
            {"kind": "sEcReTs", **place},
            {"kind": "Pod", **place},
        ],
        "get": [named("planted", "Secret"), named("shelf"), named(pod, "Pod")],
        "describe": [named("planted", "SECRETS"), named("shelf"), named(pod, "Pod")],
        "logs": [{"pod": pod, **place}],
        "reachability": [{"pod": pod, **place, **target}],
        "can_i": [{"verb": "get", "kind": "Secret", **place}],
        "who_can": [{"verb": "get", "kind": "Secret", **place}],
        "check_service": [{"name": "shelf", **place}],
        "rollout_history": [named("shelf")],
        "rollout_diff": [named("shelf")],
        "nodes": [{}],
        "top_nodes": [{}],
    }
    said: dict[str, str] = {}
    for name in shop.admin.tools:
        verb = name.partition(".")[2]
        for asked in arguments.get(verb, [place]):
            result = shop.admin.result(verb, asked)
            said[f"{verb} {asked}"] = result.content + result.summary + str(result.unread)
    source = KubernetesSource.connect(
        "mine", {"cluster": CLUSTER, "kubeconfig": str(shop.folder / "admin.kubeconfig")}
    )
    now = datetime.now(UTC)
    window = now - timedelta(hours=1), now + timedelta(minutes=1)
    said["state"] = str(source.state(*window))
    said["changes"] = str(source.changes(None, *window))
    source.close()
    assert shop.admin("get", **named("planted", "Secret"))["object"]["sizes"] == {
        "password": len(PLANTED)
    }
    assert [asked for asked, text in said.items() if PLANTED in text or ENCODED in text] == []


def test_the_snapshots_reader_reads_the_live_cluster_as_kubectl_counts_it(shop: Shop) -> None:
    config = str(shop.folder / "reader.kubeconfig")
    source = KubernetesSource.connect(
        "mine", {"cluster": CLUSTER, "kubeconfig": config, "namespaces": [NAMESPACE]}
    )
    now = datetime.now(UTC)
    state = recorded(source.state(now - timedelta(hours=1), now)).state
    changes = source.changes(["scale"], now - timedelta(hours=1), now + timedelta(minutes=1))
    source.close()
    pods = shop.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.name}").split()
    assert {pod.name for pod in state.pods} == set(pods)
    assert ("networkpolicy", NAMESPACE) in state.listed
    assert all(pod.age_s is not None and pod.age_s < 3600 for pod in state.pods)
    assert ("deploy", "lab/scale:9") in [(one.kind, one.ref) for one in changes]


def test_a_secret_that_may_not_be_read_is_told_so(shop: Shop) -> None:
    with pytest.raises(ToolFailed, match="may not") as caught:
        shop.ask("get", **named("planted", "Secret"))
    assert caught.value.kind == "forbidden"


def test_five_hundred_pods_fit_in_four_thousand_tokens_and_every_one_is_counted(
    shop: Shop,
) -> None:
    shop.kubectl("scale", "deployment/door", f"--replicas={MANY}")
    ready = ("get", "deployment/door", "-o", "jsonpath={.status.readyReplicas}")
    eventually(lambda: shop.kubectl(*ready) == str(MANY), within_s=BUSY_S)
    whole = len(shop.kubectl("get", "pods", "-o", "json")) // TOKEN_CHARACTERS
    for verb, arguments in (
        ("list", {"kind": "Pod", "namespace": NAMESPACE}),
        ("describe", named("door")),
    ):
        found = shop.ask.result(verb, arguments)
        tokens = (len(found.content) + len(found.summary)) // TOKEN_CHARACTERS
        assert tokens <= 4000, f"{verb}: {tokens} of {whole}"
    listing = shop.ask("list", kind="Pod", namespace=NAMESPACE, labels="name=door")
    assert sum(group["count"] for group in listing["groups"]) == MANY
