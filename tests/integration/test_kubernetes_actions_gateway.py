"""Real pods of the lab, changed through the gateway only: asked for, approved, done, taken back."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acting import CLUSTER, writer
from belt import Bench
from lab_kubectl import Kubectl, kubectls
from small_lab import eventually, small_lab

from aiops.model.tool import Outcome
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.state_hash import state_hash
from aiops_tools.kubernetes.writer import Writer

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
SPACE, WHOLE = "kiosk", "lab"


@dataclass(frozen=True)
class Guarded:
    """The lab behind a gateway."""

    bench: Bench
    kubectl: Kubectl
    writer: Writer

    def ask(self, verb: str, approval: str | None = None, **arguments: Any) -> Outcome:
        asked = {"cluster": CLUSTER, "namespace": SPACE, "kind": "Deployment", **arguments}
        return asyncio.run(self.bench.ask(f"{WHOLE}.{verb}", asked, approval=approval))

    def approved(self, verb: str, **arguments: Any) -> str:
        waits = self.ask(verb, **arguments)
        assert waits.status == "waits", waits
        assert waits.approval is not None
        self.bench.approve(waits.approval)
        return waits.approval

    def hash(self, name: str) -> str:
        return state_hash(self.writer.one(kind_named("Deployment"), SPACE, name))

    def seen(self, name: str, path: str) -> str:
        return self.kubectl("get", f"deployment/{name}", "-o", f"jsonpath={{{path}}}")

    def rows(self, verb: str) -> list[str]:
        return [outcome for tool, _, outcome in self.bench.rows() if tool == f"{WHOLE}.{verb}"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Writer, Kubectl]]:
    folder = tmp_path_factory.mktemp("lab")
    with small_lab(folder, kubernetes=True):
        configs = folder / "lab" / "kubernetes"
        executor = writer(configs / "executor.kubeconfig", configs / "reader.kubeconfig")
        kubectl = Kubectl(kubectls()[0], configs / "admin.kubeconfig", SPACE)
        yield executor, kubectl
        executor.close()


@pytest.fixture
def guarded(lab: tuple[Writer, Kubectl], tmp_path: Path) -> Guarded:
    executor, kubectl = lab
    return Guarded(Bench(tools=actions(WHOLE, executor, rollout_s=75.0)), kubectl, executor)


def test_a_scale_waits_for_a_person_and_is_then_done_seen_and_recorded(guarded: Guarded) -> None:
    before = guarded.hash("shelf")
    waits = guarded.ask("scale", name="shelf", replicas=2)
    assert (waits.status, guarded.hash("shelf")) == ("waits", before)
    assert waits.approval is not None
    guarded.bench.approve(waits.approval)

    done = guarded.ask("scale", waits.approval, name="shelf", replicas=2)

    assert done.status == "done", done
    assert done.verified is not None
    assert done.verified.reached
    assert guarded.seen("shelf", ".status.readyReplicas") == "2"
    assert guarded.bench.approvals.get(waits.approval).state == "used"
    assert len(guarded.rows("scale")) == 2
    again = guarded.ask("scale", waits.approval, name="shelf", replicas=2)
    assert again.status == "denied"
    back = guarded.ask(
        "scale", guarded.approved("scale", name="shelf", replicas=1), name="shelf", replicas=1
    )
    assert back.status == "done", back
    assert guarded.hash("shelf") == before


def test_what_drifts_after_the_approval_is_not_touched_and_asked_for_anew(guarded: Guarded) -> None:
    approval = guarded.approved("set_env", name="scale", container="scale", variables={"MODE": "a"})
    guarded.kubectl("set", "env", "deployment/scale", "OTHER=b")
    drifted = guarded.hash("scale")

    refused = guarded.ask(
        "set_env", approval, name="scale", container="scale", variables={"MODE": "a"}
    )

    assert (refused.status, refused.reason) == ("denied", "stale"), refused
    assert "MODE" in refused.summary, "the new diff is shown"
    assert refused.approval not in (None, approval)
    assert guarded.bench.approvals.get(approval).state == "superseded"
    assert guarded.hash("scale") == drifted


def test_an_image_that_never_starts_is_taken_back_by_itself(guarded: Guarded) -> None:
    eventually(lambda: guarded.seen("packer", ".status.readyReplicas") == "1")
    before, image = guarded.hash("packer"), guarded.seen("packer", _IMAGE)
    asked = {"name": "packer", "container": "packer", "image": "lab/no-such-image:9"}

    outcome = guarded.ask("set_image", guarded.approved("set_image", **asked), **asked)

    assert outcome.status == "rolled_back", outcome
    assert outcome.verified is not None
    assert "cannot start" in outcome.verified.seen
    assert guarded.hash("packer") == before
    assert guarded.seen("packer", _IMAGE) == image
    eventually(lambda: guarded.seen("packer", ".status.updatedReplicas") == "1")


_IMAGE = ".spec.template.spec.containers[0].image"
