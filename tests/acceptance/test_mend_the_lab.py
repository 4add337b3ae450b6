"""From the alert to the mended system: proposed, approved, carried out, seen to help, resolved."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from lab_kubectl import kubectls
from mended_lab import Mended, mended_lab, told

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
CALM_S = 10.0
"""Samples of normal running that a fault stands out against, and without the fault before it."""
SHOWS_S = 4.0
"""An alert comes when a fault has shown for a while."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how it is made, whose it is, what mends it, and how well is told."""

    breaks: Callable[[Mended], None]
    service: str
    tool: str
    well: Callable[[Mended], bool]


def bad_deploy(lab: Mended) -> None:
    lab.inject("shelf/bad-deploy", "version=1-errors")


def scaled_to_nothing(lab: Mended) -> None:
    lab.kubectl("scale", "deployment/scale", "--replicas=0")


def bad_image(lab: Mended) -> None:
    lab.inject("packer/bad-image")


def closed_node(lab: Mended) -> None:
    node = lab.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    lab.kubectl("cordon", node)
    lab.kubectl("delete", "pods", "-l", "name=packer", "--wait=false")


def users_are_served(lab: Mended) -> bool:
    return lab.seen.get()[0] == 200


def ready(service: str) -> Callable[[Mended], bool]:
    return lambda lab: lab.seen.ready(service)


KINDS = (
    Kind(bad_deploy, "shelf", "kubernetes.rollout_undo", users_are_served),
    Kind(scaled_to_nothing, "scale", "kubernetes.scale", ready("scale")),
    Kind(bad_image, "packer", "kubernetes.rollout_undo", ready("packer")),
    Kind(closed_node, "packer", "kubernetes.uncordon", ready("packer")),
)


# One test: workers that share its parts would each bring up a lab.
@pytest.mark.timeout(600)
def test_four_kinds_of_fault_are_mended_from_the_alert_to_the_resolved_incident(
    tmp_path: Path,
) -> None:
    with mended_lab(tmp_path, AIOPS_GATEWAY__MEND_S="20") as lab:
        for kind in KINDS:
            time.sleep(CALM_S)
            kind.breaks(lab)
            lab.until(partial(_unwell, kind, lab))
            time.sleep(SHOWS_S)
            mended(lab, kind.service, kind.tool)
            lab.until(partial(kind.well, lab))


def _unwell(kind: Kind, lab: Mended) -> bool:
    return not kind.well(lab)


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
    ended = lab.approve(action["approval"])
    lab.until(lambda: lab.kept(ended))
    whole = lab.kept(ended)
    assert [one["state"] for one in whole["actions"]][:1] == ["done"], told(whole["actions"])
    assert whole["verification"]["worked"]
    lab.alert(service, status="resolved")
    lab.until(lambda: not lab.incident(service))
