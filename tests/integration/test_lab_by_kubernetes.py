"""What is asked of the lab's Kubernetes API happens to its processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab_kubectl import Kubectl, kubectls
from small_lab import eventually, fetch, small_lab

from aiops_lab.lab import Lab

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("kiosk")
    with small_lab(folder, kubernetes=True) as up:
        yield up
    assert not (folder / "lab" / "kubernetes").exists()


@pytest.fixture
def kubectl(lab: Lab) -> Kubectl:
    return Kubectl(kubectls()[0], Path(lab.status().kubernetes or ""), "kiosk")


def pods_of(lab: Lab, service: str) -> set[str]:
    return {uid for name, _, uid, _ in lab.orchestrator.pods() if name == service}


def ready(lab: Lab, service: str) -> int:
    return next(one.ready for one in lab.status().services if one.name == service)


def test_scaling_starts_and_ends_processes(lab: Lab, kubectl: Kubectl) -> None:
    kubectl("scale", "deployment/door", "--replicas=3")
    eventually(lambda: ready(lab, "door") == 3)
    kubectl("scale", "deployment/door", "--replicas=1")
    eventually(lambda: len(pods_of(lab, "door")) == 1)
    assert fetch(f"{lab.front_end}/things/1")[0] == 200


def test_a_deleted_pod_is_replaced_by_another_process(lab: Lab, kubectl: Kubectl) -> None:
    before = pods_of(lab, "shelf")
    kubectl("delete", "pod", "-l", "name=shelf")
    eventually(lambda: ready(lab, "shelf") == 1 and not pods_of(lab, "shelf") & before)


def test_an_image_nobody_has_leaves_the_old_pods_serving(lab: Lab, kubectl: Kubectl) -> None:
    kubectl("set", "image", "deployment/door", "door=lab/door:9.9")
    eventually(lambda: "ErrImagePull" in kubectl("get", "pods") + "")
    assert fetch(f"{lab.front_end}/")[0] == 200
    kubectl("rollout", "undo", "deployment/door")
    eventually(lambda: len(pods_of(lab, "door")) == ready(lab, "door") == 1)


def test_a_new_password_in_the_secret_counts_after_the_next_start(
    lab: Lab, kubectl: Kubectl
) -> None:
    kubectl("patch", "secret", "shelf-db-credentials", "-p", '{"stringData":{"password":"new"}}')
    kubectl("rollout", "restart", "deployment/shelf-db")
    kubectl("rollout", "status", "deployment/shelf-db", "--timeout=55s")
    # Who still has the old one is refused, for connections to the database that is gone end.
    eventually(lambda: fetch(f"{lab.front_end}/things/1")[0] >= 500)
    kubectl("rollout", "restart", "deployment/shelf")
    kubectl("rollout", "status", "deployment/shelf", "--timeout=55s")
    eventually(lambda: fetch(f"{lab.front_end}/things/1")[0] == 200)


def test_what_a_container_writes_is_its_log(lab: Lab, kubectl: Kubectl) -> None:
    assert '"msg": "listening on port 8080"' in kubectl("logs", "deployment/door")


def test_a_container_follows_the_image_of_its_pod(lab: Lab, kubectl: Kubectl) -> None:
    eventually(lambda: ready(lab, "belt") == 1)
    (pod,) = (name for service, name, _, _ in lab.orchestrator.pods() if service == "belt")
    kubectl("set", "image", f"pod/{pod}", "belt=lab/belt:9.9")
    eventually(lambda: ready(lab, "belt") == 0)
    kubectl("set", "image", f"pod/{pod}", "belt=lab/belt:1")
    eventually(lambda: ready(lab, "belt") == 1)
    assert "bye" in kubectl("logs", pod, "--previous")
