"""What people record of a live cluster: JSON and YAML, all namespaces, parts of a whole."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.analyze.state import manifests
from aiops.analyze.state.calls import understand
from aiops.analyze.state.parse_kubectl import recorded
from aiops.analyze.state.reader import StateReader
from aiops.analyze.state.scene import scene
from aiops.model import CaseData, Episode, RecordedOutput, TelemetryWindow
from aiops.model.cluster import ClusterState

AT = datetime(2026, 1, 1, tzinfo=UTC)


def case(*outputs: tuple[str, str]) -> CaseData:
    state = tuple(RecordedOutput(call, text) for call, text in outputs)
    return CaseData("c", TelemetryWindow(AT, AT, cluster_state=state))


def read(*outputs: tuple[str, str]) -> ClusterState:
    return recorded(RecordedOutput(call, text) for call, text in outputs).state


def pod(name: str = "web-6d4cf56db6-x2x2x", owner: str = "web-6d4cf56db6") -> dict[str, Any]:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    status = {
        "name": "main",
        "ready": False,
        "restartCount": 5,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": last,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": "2026-01-01T10:00:00Z",
            "labels": {"app": "web"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": owner}],
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "web:1"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def event(message: str, at: str) -> dict[str, Any]:
    return {
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "web-6d4cf56db6-x2x2x", "namespace": "shop"},
        "type": "Warning",
        "reason": "BackOff",
        "message": message,
        "lastTimestamp": at,
    }


def answer(*items: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)})


def accused(*outputs: tuple[str, str]) -> tuple[str, str]:
    best = StateReader().read(case(*outputs), Episode(AT, AT)).hypotheses[0]
    return best.entity.name, best.kind


OOM = ("web", "container_memory_limit_too_low_oom_killed")


def test_pods_as_json_accuse_the_deployment_they_are_called_after() -> None:
    assert accused(("kubectl get pods -n shop -o json", answer(pod()))) == OOM


def test_one_pod_as_yaml_is_read_too() -> None:
    import yaml

    assert accused(("kubectl get pod web-1 -n shop -o yaml", yaml.safe_dump(pod()))) == OOM


@pytest.mark.parametrize(
    "call",
    [
        "kubectl -n shop get pods -ojson",
        "kubectl get pods --namespace shop --output=json --sort-by .metadata.name",
        "kubectl --context prod get po -A -o json",
        "kubectl get pods -l app=web -n shop -o json",
    ],
)
def test_a_command_is_read_however_its_options_are_written(call: str) -> None:
    assert accused((call, answer(pod()))) == OOM


def test_ages_count_from_the_newest_stamp_of_the_snapshot() -> None:
    state = read(
        ("kubectl get pods -n shop -o json", answer(pod())),
        (
            "kubectl get events -n shop -o json",
            answer(event("old", "2026-01-01T10:01:00Z"), event("new", "2026-01-01T11:00:00Z")),
        ),
    )
    assert state.pods[0].age_s == 3600
    assert {one.message: one.last_s for one in state.events} == {"old": 3540, "new": 0}


def test_json_that_breaks_off_gives_the_items_before_the_break_and_is_counted() -> None:
    whole = answer(pod("web-6d4cf56db6-x2x2x"), pod("web-6d4cf56db6-zzzzz"))
    state = read(("kubectl get pods -n shop -o json", whole[:-40]))
    assert [one.name for one in state.pods] == ["web-6d4cf56db6-x2x2x"]
    assert "1 parts of manifests could not be read" in state.notes[0]
    assert ("pod", "shop") not in state.listed


def test_secrets_read_as_json_keep_their_names_alone() -> None:
    secret = {
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "shop"},
        "data": {"k": "djE="},
    }
    state = read(("kubectl get secrets -n shop -o json", answer(secret)))
    assert [one.name for one in state.named] == ["s"]
    assert "djE=" not in repr(state)


def test_tables_of_all_namespaces_keep_each_rows_namespace() -> None:
    pods = (
        "NAMESPACE   NAME                   READY   STATUS    RESTARTS   AGE\n"
        "shop        web-6d4cf56db6-x2x2x   0/1     Pending   0          5m\n"
    )
    events = (
        "NAMESPACE   LAST SEEN   TYPE      REASON             OBJECT     MESSAGE\n"
        "shop        26s         Warning   FailedScheduling   pod/web-6d4cf56db6-x2x2x   "
        "0/3 nodes are available: 3 Insufficient cpu.\n"
    )
    assert accused(("kubectl get pods -A", pods), ("kubectl get events -A", events)) == (
        "web",
        "cpu_request_over_capacity_of_nodes",
    )


def test_a_table_without_its_header_is_not_guessed_at() -> None:
    row = "web-1   0/1     Pending   0          5m\ncart-1   0/1     Pending   0          5m\n"
    assert read(("kubectl get pods -n shop | grep Pending", row)).pods == ()


def test_a_described_pod_alone_is_an_app_of_its_own() -> None:
    text = (
        "Name:             web-6d4cf56db6-x2x2x\nNamespace:        shop\n"
        "Status:           Pending\n"
        "Controlled By:    ReplicaSet/web-6d4cf56db6\n"
    )
    (app,) = scene(case(("kubectl describe pod web-6d4cf56db6-x2x2x -n shop", text))).apps
    assert app.name == "web"


def test_a_stateful_set_that_an_operator_makes_is_an_app() -> None:
    made = {
        "kind": "StatefulSet",
        "metadata": {
            "name": "db",
            "namespace": "shop",
            "ownerReferences": [{"kind": "Database", "name": "main"}],
        },
        "spec": {"replicas": 3},
        "status": {"readyReplicas": 1},
    }
    (app,) = scene(case(("kubectl get sts -n shop -o json", answer(made)))).apps
    assert app.name == "db"


def test_a_description_that_breaks_off_is_read_as_far_as_it_goes_and_counted() -> None:
    text = "Name:             web-1\nNamespace:        shop\nNode:             n1/10.0.0.1\nStat"
    state = read(("kubectl describe pod web-1 -n shop", text))
    assert state.pods[0].node == "n1"
    assert state.notes == ("1 descriptions break off before their events; the rest was read",)


def test_a_description_of_nothing_is_counted() -> None:
    state = read(("kubectl describe pod web-1 -n shop", "\x00\x01 garbage"))
    assert state.pods == ()
    assert state.notes == ("1 descriptions hold no object of their kind; left out",)


def test_structured_answers_are_told_from_tables_by_their_beginning() -> None:
    assert manifests.is_structured('{"kind": "List"}')
    assert manifests.is_structured("apiVersion: v1\nkind: Pod\n")
    assert not manifests.is_structured("NAME   READY\nweb-1   1/1\n")
    assert not manifests.is_structured("Name:   web-1\n")


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2000), st.binary(max_size=4))
def test_json_cut_anywhere_never_raises(at: int, instead: bytes) -> None:
    text = answer(pod(), event("x", "2026-01-01T10:01:00Z"))
    broken = text[:at] + instead.decode("latin-1")
    found = recorded([RecordedOutput("kubectl get pods -n shop -o json", broken)])
    assert all(one.name for one in found.state.pods)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["kubectl", "get", "describe", "-n", "-o", "json", "--", "-", "pods", "|"])
    )
)
def test_no_command_line_is_bad_enough_to_raise(words: list[str]) -> None:
    understand(" ".join(["kubectl", *words]))


@pytest.mark.parametrize(
    ("ready", "word", "kind"),
    [
        ("0/1", "CrashLoopBackOff", "container_keeps_crashing"),
        ("0/1", "OOMKilled", "container_memory_limit_too_low_oom_killed"),
        ("0/1", "ImagePullBackOff", "image_reference_wrong"),
        ("0/1", "CreateContainerConfigError", "referenced_settings_missing"),
        ("0/2", "Init:CrashLoopBackOff", "init_container_fails"),
        ("1/2", "Running", "pod_not_ready"),
        ("0/1", "Pending", "pod_not_ready"),
    ],
)
def test_a_list_of_pods_alone_accuses_by_its_one_word(ready: str, word: str, kind: str) -> None:
    table = (
        "NAME                    READY   STATUS   RESTARTS       AGE\n"
        f"web-6d4cf56db6-x2x2x    {ready}     {word}   4 (2m ago)     9m\n"
        "cart-6d4cf56db6-x2x2x   1/1     Running   0              9m\n"
        "once-29100000-x2x2x     0/1     Completed   0              9m\n"
    )
    reading = StateReader().read(case(("kubectl get pods -n shop", table)), Episode(AT, AT))
    assert [(one.entity.name, one.kind) for one in reading.hypotheses] == [("web", kind)]
