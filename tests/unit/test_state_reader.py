"""The state reader as a whole: silence, labels, and recorded clusters it was not written for."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aiops.analyze.state.changes import ChangeReader
from aiops.analyze.state.label_match import match
from aiops.analyze.state.parse_kubectl import recorded
from aiops.analyze.state.reader import StateReader
from aiops.app.evidence import resolve
from aiops.model import CaseData, Episode, RecordedOutput, TelemetryWindow

ROOT = Path(
    os.environ.get("AIOPS_DATASETS", Path(__file__).parents[2].parent / "shared" / "datasets")
)
FIXTURES = ROOT.parent / "fixtures"
SET = "cloudopsbench"
needs_cases = pytest.mark.skipif(
    not (ROOT / SET).is_dir(), reason=f"{SET} is not below {ROOT}; set AIOPS_DATASETS"
)
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason=f"no public fixtures in {FIXTURES}; set AIOPS_DATASETS"
)
AT = datetime(2026, 1, 1, tzinfo=UTC)
EPISODE = Episode(AT, AT)
LABELS = (
    "missing_service_account",
    "missing_image_pull_secret",
    "missing_secret_binding",
    "incorrect_image_reference",
    "image_registry_dns_failure",
    "node_selector_mismatch",
    "node_affinity_mismatch",
    "pvc_selector_mismatch",
    "service_selector_mismatch",
    "pod_network_delay",
    "node_network_delay",
    "kubelet_unavailable",
)


def case(*outputs: tuple[str, str]) -> CaseData:
    state = tuple(RecordedOutput(call, text) for call, text in outputs)
    return CaseData("c", TelemetryWindow(AT, AT, cluster_state=state))


def test_without_a_snapshot_the_modality_is_missing() -> None:
    reading = StateReader().read(case(), EPISODE)
    assert reading.missing
    assert reading.notes == ()


def test_an_empty_snapshot_is_missing_too_and_says_so() -> None:
    reading = StateReader().read(
        case(("kubectl get pods -n shop", ""), ("kubectl get services -n shop", "")), EPISODE
    )
    assert reading.missing
    assert "holds no objects" in reading.notes[0]


def test_a_snapshot_in_order_is_read_and_accuses_nobody() -> None:
    table = "NAME    READY   STATUS    RESTARTS   AGE\nweb-1   1/1     Running   0          5m\n"
    reading = StateReader().read(case(("kubectl get pods -n shop", table)), EPISODE)
    assert not reading.missing
    assert reading.hypotheses == ()


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("service_account_not_found", "missing_service_account"),
        ("image_pull_secret_missing_or_refused", "missing_image_pull_secret"),
        ("referenced_secret_missing", "missing_secret_binding"),
        ("image_reference_wrong", "incorrect_image_reference"),
        ("selector_of_claim_matches_no_volume", "pvc_selector_mismatch"),
        ("service_selector_matches_no_pod", "service_selector_mismatch"),
        ("node_network_delayed", "node_network_delay"),
        ("kubelet_not_running", "kubelet_unavailable"),
    ],
)
def test_a_kind_finds_its_label_in_a_list_handed_over(kind: str, label: str) -> None:
    assert match(kind, LABELS)[0][0] == label


def test_labels_that_share_no_word_are_left_out() -> None:
    assert match("container_keeps_crashing", LABELS) == ()
    assert match("anything", ()) == ()


def test_the_order_of_labels_does_not_matter() -> None:
    kind = "image_reference_wrong"
    assert match(kind, LABELS) == match(kind, LABELS[::-1])


def rollout(age: str, others: str = "9d") -> CaseData:
    deployments = (
        f"NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nweb    1/1     1   1   {others}\n"
        f"cart   1/1     1            1           {others}\n"
    )
    described = (
        "Name:           web-2\nNamespace:      shop\nControlled By:  Deployment/web\n"
        "Replicas:       1 current / 1 desired\n"
    )
    sets = (
        "NAME    DESIRED   CURRENT   READY   AGE\n"
        f"web-1   0         0         0       {others}\nweb-2   1         1         1       {age}\n"
    )
    return case(
        ("kubectl get deployments -n shop", deployments),
        ("kubectl describe replicasets web-2 -n shop", described),
        ("kubectl get replicasets -n shop", sets),
    )


def test_a_new_version_just_before_the_onset_is_a_suspect() -> None:
    episode = Episode(AT - timedelta(minutes=3), AT)
    reading = ChangeReader().read(rollout("5m"), episode)
    assert [(h.entity.name, h.kind) for h in reading.hypotheses] == [
        ("web", "new_version_rolled_out")
    ]
    assert resolve(rollout("5m"), reading.hypotheses[0].support[0])


def test_a_version_rolled_out_long_before_or_after_the_onset_is_none() -> None:
    episode = Episode(AT - timedelta(minutes=3), AT)
    assert ChangeReader().read(rollout("3h"), episode).hypotheses == ()
    late = Episode(AT - timedelta(hours=1), AT)
    assert ChangeReader().read(rollout("5m"), late).hypotheses == ()


def test_a_system_that_was_just_set_up_has_no_changes() -> None:
    episode = Episode(AT - timedelta(minutes=3), AT)
    assert ChangeReader().read(rollout("5m", others="5m"), episode).hypotheses == ()


@needs_fixtures
def test_recorded_outputs_of_other_systems_are_survived_and_understood() -> None:
    files = sorted((FIXTURES / "holmesgpt").rglob("kubectl*.txt"))
    assert files
    names = set()
    for file in files:
        body = file.read_text(encoding="utf-8", errors="replace").split("\n", 2)[-1]
        body = body.removeprefix("stdout:\n")
        kinds = ("pods", "deployments", "jobs", "nodes", "persistentvolumeclaims")
        for kind in kinds:
            verb = "describe" if "describe" in file.name else "get"
            call = f"kubectl {verb} {kind} x -n y" if verb == "describe" else f"kubectl get {kind}"
            state = recorded([RecordedOutput(call, body)]).state
            names |= {pod.name.partition("-")[0] for pod in state.pods}
    assert {"giant", "redis"} <= names


@needs_fixtures
def test_manifests_of_a_whole_system_are_read() -> None:
    files = sorted((FIXTURES / "sock-shop").rglob("*.y*ml"))
    assert files
    outputs = [
        RecordedOutput(f'GetAppYAML:{{"app_name":"{i}"}}', file.read_text(encoding="utf-8"))
        for i, file in enumerate(files)
    ]
    state = recorded(outputs).state
    assert len(state.workloads) >= 10
    assert len(state.services) >= 10
    assert not any(one.observed for one in state.workloads)


@needs_cases
def test_dev_cases_are_read_with_their_object_first_and_evidence_that_resolves() -> None:
    from aiops_datasets.catalog import load_case, locations

    found = list(locations(ROOT, SET))[::12]
    first = 0
    for location in found:
        one = load_case(location)
        window = one.data.window
        reading = StateReader().read(one.data, Episode(window.start, window.end))
        again = StateReader().read(one.data, Episode(window.start, window.end), seed=7)
        assert reading == again
        for hypothesis in reading.hypotheses:
            assert hypothesis.support
            assert hypothesis.strength > 0
            for evidence in hypothesis.support:
                assert resolve(one.data, evidence)
        best, answer = reading.hypotheses[0].entity, one.answers.entities[0]
        first += (best.kind, best.name) == (answer.kind, answer.name)
    assert first >= len(found) - 1
