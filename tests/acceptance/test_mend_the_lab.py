"""From the alert to the mended system: proposed, approved, carried out, seen to help, resolved."""

import time
from collections.abc import Iterator

import pytest
from lab_kubectl import kubectls
from mended_lab import Mended, mended_lab, told

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
CALM_S = 12.0
"""Samples of normal running that a fault stands out against; not waited for, but collected."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mended]:
    with mended_lab(tmp_path_factory.mktemp("mended"), AIOPS_GATEWAY__MEND_S="20") as up:
        time.sleep(CALM_S)
        yield up


def mended(lab: Mended, service: str, tool: str) -> None:
    """Follow one incident to its end."""
    lab.alert(service)
    lab.until(lambda: lab.incident(service).get("report"))
    incident = lab.incident(service)["id"]
    lab.until(lambda: lab.actions(incident))
    action = lab.actions(incident)[0]
    assert (action["tool"], action["state"]) == (tool, "waits"), told(lab.actions(incident))
    assert action["diff"], "whoever approves sees what changes"
    assert action["reason"].endswith("]"), "and on what evidence"
    lab.approve(action["approval"])
    lab.until(lambda: lab.actions(incident)[0]["state"] == "done")
    assert lab.report(incident)["verification"]["worked"]
    lab.alert(service, status="resolved")
    lab.until(lambda: not lab.incident(service))


def test_a_version_with_a_bug_is_taken_back(lab: Mended) -> None:
    lab.inject("shelf/bad-deploy", "version=1-errors")
    lab.until(lambda: lab.seen.get()[0] == 500)
    mended(lab, "shelf", "kubernetes.rollout_undo")
    lab.until(lambda: lab.seen.get()[0] == 200)


def test_what_was_scaled_to_nothing_is_back(lab: Mended) -> None:
    lab.kubectl("scale", "deployment/scale", "--replicas=0")
    lab.until(lambda: not lab.seen.ready("scale"))
    mended(lab, "scale", "kubernetes.scale")
    lab.until(lambda: lab.seen.ready("scale"))


def test_an_image_that_cannot_be_pulled_is_taken_back(lab: Mended) -> None:
    lab.inject("packer/bad-image")
    lab.until(lambda: not lab.seen.ready("packer"))
    mended(lab, "packer", "kubernetes.rollout_undo")
    lab.until(lambda: lab.seen.ready("packer"))


def test_a_setting_that_names_nobody_is_put_right(lab: Mended) -> None:
    lab.inject("door/bad-config")
    lab.until(lambda: lab.seen.get()[0] != 200)
    mended(lab, "door", "plan.carry_out")
    lab.until(lambda: lab.seen.get()[0] == 200)


def test_a_closed_node_takes_pods_again(lab: Mended) -> None:
    node = lab.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    lab.kubectl("cordon", node)
    lab.kubectl("delete", "pods", "-l", "name=packer", "--wait=false")
    lab.until(lambda: not lab.seen.ready("packer"))
    mended(lab, "packer", "kubernetes.uncordon")
    lab.until(lambda: lab.seen.ready("packer"))
