"""What objects say of themselves: their standing, versions and changes; and what they keep."""

import base64
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing import TOKEN_CHARACTERS

from aiops.toolbelt.redaction import Redactor
from aiops_tools.kubernetes import revisions
from aiops_tools.kubernetes.affected import told
from aiops_tools.kubernetes.changes import changes
from aiops_tools.kubernetes.kinds import KINDS, SECRET, kind_named
from aiops_tools.kubernetes.owners import workload
from aiops_tools.kubernetes.probes.events import grouped
from aiops_tools.kubernetes.probes.objects import summed
from aiops_tools.kubernetes.probes.objects import told as words_of
from aiops_tools.kubernetes.rbac import Wish, who_can
from aiops_tools.kubernetes.sealed import LAST_APPLIED, sealed
from aiops_tools.kubernetes.selectors import chooses, selector_text
from aiops_tools.kubernetes.standing import standing
from aiops_tools.kubernetes.veil import Veil

NOW = 1_700_000_000.0


def ago(seconds: float) -> str:
    return datetime.fromtimestamp(NOW - seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- secrets


@given(st.dictionaries(st.text("abcxyz-", min_size=1), st.binary(min_size=8, max_size=60)))
def test_a_secret_keeps_names_and_sizes_and_no_value(values: dict[str, bytes]) -> None:
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    whole = {
        "type": "Opaque",
        "metadata": {"name": "s", "annotations": {LAST_APPLIED: json.dumps({"data": data})}},
        "data": data,
        "stringData": {key: value.hex() for key, value in values.items()},
    }
    left = sealed(whole, SECRET)
    assert left["sizes"] == {key: len(value) for key, value in values.items()}
    shown = json.dumps(left)
    assert not any(one in shown for one in data.values())
    assert not any(value.hex() in shown for value in values.values())


def test_no_object_keeps_the_copy_of_what_was_applied() -> None:
    one = {"metadata": {"annotations": {LAST_APPLIED: "{}", "note": "kept"}}}
    assert sealed(one, kind_named("Deployment"))["metadata"]["annotations"] == {"note": "kept"}


def test_what_looks_secret_in_plain_places_is_hidden_and_the_rest_stays() -> None:
    veil = Veil(Redactor(b"0" * 32))
    env = [{"name": "DB_PASSWORD", "value": "Xk29fjQ1zz!"}, {"name": "MODE", "value": "fast"}]
    pod = {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"env": env}]}}
    shown = json.dumps(veil.over(pod))
    assert "Xk29fjQ1zz!" not in shown
    assert "fast" in shown
    settings = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"api_token": "Xk29fjQ1z"}}
    assert "Xk29fjQ1z" not in json.dumps(veil.over(settings))


# ---- words


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_goes_by_every_word_in_any_case(kind: Any) -> None:
    for word in (kind.name, kind.plural, *kind.short):
        assert kind_named(word.upper()) == kind


def test_a_pod_belongs_to_the_deployment_behind_its_replica_set() -> None:
    pod = {
        "metadata": {
            "labels": {"pod-template-hash": "abc12"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-abc12", "controller": True}],
        }
    }
    assert workload(pod) == ("Deployment", "web")


@pytest.mark.parametrize(
    ("expression", "words", "labels"),
    [
        ({"operator": "In", "values": ["a", "b"]}, "k in (a,b)", {"k": "a"}),
        ({"operator": "NotIn", "values": ["a"]}, "k notin (a)", {}),
        ({"operator": "Exists"}, "k", {"k": ""}),
        ({"operator": "DoesNotExist"}, "!k", {"other": "a"}),
    ],
)
def test_a_selector_is_written_and_judged_alike(
    expression: dict[str, Any], words: str, labels: dict[str, str]
) -> None:
    selector = {"matchExpressions": [{"key": "k", **expression}]}
    assert selector_text(selector) == words
    assert chooses(selector, labels)


# ---- standing


def pod(**status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": "p"}, "status": status}


READY = [{"type": "Ready", "status": "True"}]


@pytest.mark.parametrize(
    ("one", "word", "abnormal"),
    [
        (pod(phase="Running", conditions=READY), "Running", False),
        (pod(phase="Succeeded"), "Completed", False),
        (pod(phase="Running", conditions=[{"type": "Ready", "status": "False"}]), "NotReady", True),
        (
            pod(
                phase="Running",
                containerStatuses=[
                    {"name": "c", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
                ],
            ),
            "CrashLoopBackOff",
            True,
        ),
        (pod(phase="Pending"), "Pending", True),
        (
            {
                "kind": "Deployment",
                "spec": {"replicas": 3},
                "status": {"readyReplicas": 2, "updatedReplicas": 3},
            },
            "2/3 ready",
            True,
        ),
        ({"kind": "Deployment", "spec": {"replicas": 0}, "status": {}}, "0/0 ready", False),
        ({"kind": "Node", "status": {"conditions": READY}}, "Ready", False),
        ({"kind": "Node", "status": {}}, "NotReady", True),
        ({"kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}}, "Pending", True),
        (
            {"kind": "ResourceQuota", "status": {"hard": {"cpu": "1"}, "used": {"cpu": "1000m"}}},
            "full",
            True,
        ),
        ({"kind": "SomethingElse"}, "present", False),
    ],
)
def test_an_object_is_said_to_be_as_it_is(one: dict[str, Any], word: str, abnormal: bool) -> None:
    found = standing(one, NOW)
    assert (found.word, found.abnormal) == (word, abnormal)


def test_a_pod_that_ran_out_of_memory_lately_needs_a_look_though_it_runs_again() -> None:
    ended = {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(60)}
    status = {"name": "c", "lastState": {"terminated": ended}, "restartCount": 2}
    one = pod(phase="Running", conditions=READY, containerStatuses=[status])
    assert standing(one, NOW).abnormal
    assert "OOMKilled" in standing(one, NOW).why
    assert not standing(one, NOW + 86400).abnormal


def test_five_hundred_pods_that_all_fail_differently_still_fit_in_four_thousand_tokens() -> None:
    pods = [
        {
            "kind": "Pod",
            "metadata": {
                "name": f"some-rather-long-service-name-{i % 50}-5d9c7b6f4c-{i:05d}",
                "namespace": "a-namespace-with-a-long-name",
                "creationTimestamp": ago(i),
                "ownerReferences": [
                    {"kind": "StatefulSet", "name": f"some-rather-long-service-name-{i % 50}"}
                ],
            },
            "spec": {"nodeName": f"node-{i}.region.example"},
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "main",
                        "restartCount": i,
                        "state": {
                            "waiting": {"reason": f"Reason{i % 7}", "message": f"{i} went " * 40}
                        },
                    }
                ],
            },
        }
        for i in range(500)
    ]
    found = summed(pods, datetime.fromtimestamp(NOW, UTC))
    assert (found.total, found.abnormal) == (500, 500)
    assert found.groups_left_out > 0
    assert found.next_page
    assert (len(found.model_dump_json()) + len(words_of(found))) / TOKEN_CHARACTERS <= 4000


# ---- events


def event(name: str, message: str, last: float, type_: str = "Warning") -> dict[str, Any]:
    return {
        "involvedObject": {"kind": "Pod", "name": name},
        "reason": "BackOff",
        "message": message,
        "type": type_,
        "firstTimestamp": ago(last + 10),
        "lastTimestamp": ago(last),
        "count": 2,
    }


def test_the_same_said_of_many_pods_is_told_once_with_its_first_and_last() -> None:
    names = [f"web-5d9c7b6f4c-abc{i}x" for i in range(5)]
    said = [event(name, f"back-off of {name}", 10.0 * i) for i, name in enumerate(names)]
    (group,) = grouped(said, most=10)
    assert (group.about, group.objects, group.count) == ("Pod/web-*", 5, 10)
    assert group.first < group.last


def test_warnings_come_before_what_is_normal() -> None:
    said = [event("a-1", "fine", 0, "Normal"), event("b-1", "bad", 100)]
    assert [one.warning for one in grouped(said, most=10)] == [True, False]


# ---- versions and changes


def deployment(**metadata: Any) -> dict[str, Any]:
    named = {"name": "web", "namespace": "shop", "uid": "u1", "creationTimestamp": ago(9000)}
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "settings"}}]}]},
    }
    return {
        "kind": "Deployment",
        "metadata": {**named, **metadata},
        "spec": {"template": template},
    }


def replica_set(number: int, image: str, made: float) -> dict[str, Any]:
    return {
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"web-{number}",
            "namespace": "shop",
            "creationTimestamp": ago(made),
            "ownerReferences": [{"uid": "u1"}],
            "annotations": {"deployment.kubernetes.io/revision": str(number)},
        },
        "spec": {
            "template": {
                "metadata": {"labels": {"pod-template-hash": str(number)}},
                "spec": {"containers": [{"image": image}]},
            }
        },
    }


def test_the_difference_of_two_versions_is_what_people_changed() -> None:
    found = revisions.of_replica_sets(
        [replica_set(2, "web:2", 60), replica_set(1, "web:1", 9000)], deployment()
    )
    diff = revisions.difference(*found)
    assert re.search(r'^- +"image": "web:1"$', diff, re.MULTILINE)
    assert "pod-template-hash" not in diff


def test_a_new_version_and_an_edited_config_map_are_changes_of_the_service_that_has_them() -> None:
    edited = {
        "manager": "kubectl-edit",
        "time": ago(30),
        "fieldsV1": {"f:data": {"f:timeout": {}}},
    }
    settings = {
        "kind": "ConfigMap",
        "metadata": {
            "name": "settings",
            "namespace": "shop",
            "creationTimestamp": ago(9000),
            "managedFields": [edited],
        },
        "data": {"timeout": "s3cret value"},
    }
    objects = {
        "Deployment": [deployment()],
        "ReplicaSet": [replica_set(1, "web:1", 9000), replica_set(2, "web:2", 60)],
        "ConfigMap": [settings],
    }
    late = [one for one in changes(objects, ()) if one.at > NOW - 100]
    found = list(told(late, objects, ["web"], "here"))
    assert [(one.entity.name, one.kind) for one in found] == [("web", "deploy"), ("web", "config")]
    assert found[0].ref == "web:2"
    assert found[1].author == "kubectl-edit"
    assert "data.timeout" in found[1].description
    assert "s3cret" not in str(found)
    assert list(told(late, objects, ["other"], "here")) == []


def test_what_controllers_write_into_the_status_is_no_change() -> None:
    entries = [
        {"manager": "kube-controller-manager", "time": ago(5)},
        {"manager": "kubectl", "time": ago(5), "subresource": "status"},
    ]
    objects = {"Deployment": [deployment(managedFields=entries)]}
    assert [one for one in changes(objects, ()) if one.at > NOW - 100] == []


# ---- roles


def test_who_may_is_read_from_roles_and_their_bindings() -> None:
    rules = [{"verbs": ["delete"], "apiGroups": [""], "resources": ["pods"]}]
    roles = {("Role", "shop", "cleaner"): {"rules": rules}}
    binding = {
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "shop"},
        "roleRef": {"kind": "Role", "name": "cleaner"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "shop", "name": "robot"}],
    }
    (grant,) = who_can(Wish("delete", "", "pods"), [binding], roles)
    assert grant.subject == "ServiceAccount shop/robot"
    assert who_can(Wish("delete", "", "secrets"), [binding], roles) == []
    assert who_can(Wish("delete", "", "pods/eviction"), [binding], roles) == []
