"""Writes conflict, own fields, are validated and refused as Kubernetes does it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_kubernetes import ROOT, Lab, deployment, pod

from aiops_lab.kubernetes import apply as server_side
from aiops_lab.kubernetes.access import Attributes, User
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.reading import choice, read_page, seen
from aiops_lab.kubernetes.schema.types import shape_of
from aiops_lab.kubernetes.store import Change, HistoryGone, ObjectStore
from aiops_lab.kubernetes.wire import read_protobuf

DEPLOYMENTS = "deployments.apps"


@pytest.fixture
def lab() -> Lab:
    return Lab()


def refused(lab: Lab, resource: str, obj: dict[str, Any], **how: Any) -> Refused:
    with pytest.raises(Refused) as found:
        lab.create(resource, obj, replace(ROOT, **how))
    return found.value


def apply(lab: Lab, manager: str, config: dict[str, Any], *, force: bool = False) -> dict[str, Any]:
    kind = lab.cluster.kind("configmaps")
    how = replace(ROOT, manager=manager, force=force)
    return lab.plane.writer.patch(kind, "default", "c", config, "apply", how).object


def test_an_update_of_an_older_revision_is_a_conflict(lab: Lab) -> None:
    first = lab.create("configmaps", {"metadata": {"name": "c"}, "data": {"a": "1"}})
    kind = lab.cluster.kind("configmaps")
    lab.plane.writer.update(kind, "default", "c", {**first, "data": {"a": "2"}}, ROOT)
    with pytest.raises(Refused) as found:
        lab.plane.writer.update(kind, "default", "c", {**first, "data": {"a": "3"}}, ROOT)
    assert (found.value.code, found.value.reason) == (409, "Conflict")


def test_a_name_is_taken_once(lab: Lab) -> None:
    lab.create("configmaps", {"metadata": {"name": "c"}})
    assert refused(lab, "configmaps", {"metadata": {"name": "c"}}).reason == "AlreadyExists"


def test_an_invalid_object_names_each_field_that_is_wrong(lab: Lab) -> None:
    wanted = deployment(selector={"matchLabels": {"app": "other"}}, replicas=-1)
    problem = refused(lab, DEPLOYMENTS, wanted)
    assert problem.code == 422
    fields = {cause["field"] for cause in problem.status()["details"]["causes"]}
    assert fields == {"spec.template.metadata.labels", "spec.replicas"}


def test_an_unknown_field_is_refused_when_asked_and_warned_of_otherwise(lab: Lab) -> None:
    wanted = deployment(replcas=2)
    problem = refused(lab, DEPLOYMENTS, wanted, unknown="Strict")
    assert 'unknown field "spec.replcas"' in problem.message
    kind = lab.cluster.kind(DEPLOYMENTS)
    written = lab.plane.writer.create(kind, "default", wanted, ROOT)
    assert written.warnings == ('unknown field "spec.replcas"',)


def test_a_selector_cannot_be_changed(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment())
    labels = {"app": "web", "v": "2"}
    change = {
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    }
    with pytest.raises(Refused, match="field is immutable"):
        lab.patch(DEPLOYMENTS, "web", change)


def test_only_a_change_of_the_spec_is_a_new_generation(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, deployment())
    assert (
        lab.patch(DEPLOYMENTS, "web", {"metadata": {"labels": {"x": "y"}}})["metadata"][
            "generation"
        ]
        == 1
    )
    assert lab.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 2}})["metadata"]["generation"] == 2


def test_an_apply_takes_back_what_it_no_longer_names(lab: Lab) -> None:
    apply(lab, "one", {"data": {"a": "1", "b": "1"}})
    assert apply(lab, "one", {"data": {"a": "1"}})["data"] == {"a": "1"}


def test_another_managers_field_is_a_conflict_unless_forced(lab: Lab) -> None:
    apply(lab, "one", {"data": {"a": "1"}})
    apply(lab, "two", {"data": {"b": "2"}})
    with pytest.raises(Refused) as found:
        apply(lab, "two", {"data": {"a": "2", "b": "2"}})
    assert found.value.causes[0].field == ".data.a"
    assert 'conflict with "one"' in found.value.message
    forced = apply(lab, "two", {"data": {"a": "2", "b": "2"}}, force=True)
    assert forced["data"] == {"a": "2", "b": "2"}
    assert apply(lab, "one", {"data": {}})["data"] == {"a": "2", "b": "2"}


def test_applying_the_same_twice_writes_once(lab: Lab) -> None:
    first = apply(lab, "one", {"data": {"a": "1"}})
    lab.time.advance(5)
    assert apply(lab, "one", {"data": {"a": "1"}}) == first


@given(st.dictionaries(st.sampled_from("abcd"), st.text(max_size=2), max_size=4))
def test_field_paths_survive_being_written(data: dict[str, str]) -> None:
    paths = set(server_side.owned({"data": data}, shape_of("V1ConfigMap")))
    assert set(server_side.decode(server_side.encode(paths))) >= {p for p in paths if p}


def test_a_role_gives_what_it_says_in_its_namespace_only(lab: Lab) -> None:
    rule = {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]}
    lab.create("roles.rbac.authorization.k8s.io", {"metadata": {"name": "r"}, "rules": [rule]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    binding = {
        "metadata": {"name": "b"},
        "roleRef": reference,
        "subjects": [{"kind": "User", "name": "ann"}],
    }
    lab.create("rolebindings.rbac.authorization.k8s.io", binding)
    allowed = lab.plane.authorizer.allowed
    ann = User("ann")
    assert allowed(ann, Attributes("list", "", "pods", namespace="default"))
    assert allowed(ann, Attributes("get", "", "pods", "log", "default", "p"))
    assert not allowed(ann, Attributes("delete", "", "pods", namespace="default"))
    assert not allowed(ann, Attributes("list", "", "pods", namespace="kube-system"))
    assert not allowed(ann, Attributes("list", "", "pods"))


def test_nobody_grants_what_they_do_not_hold(lab: Lab) -> None:
    weak = User("lab-executor", ("lab:executors",))
    rule = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    role = {"metadata": {"name": "r"}, "rules": [rule]}
    assert refused(lab, "roles.rbac.authorization.k8s.io", role, user=weak).code == 403


def test_roles_are_aggregated_from_others(lab: Lab) -> None:
    view = lab.cluster.find("clusterroles.rbac.authorization.k8s.io", "", "view")
    admin = lab.cluster.find("clusterroles.rbac.authorization.k8s.io", "", "admin")
    assert view is not None
    assert admin is not None
    assert all(rule in admin["rules"] for rule in view["rules"])


def test_a_list_comes_in_pages_that_together_are_the_whole(lab: Lab) -> None:
    for number in range(7):
        lab.create("configmaps", {"metadata": {"name": f"c{number}", "labels": {"of": "test"}}})
    wanted = choice(lab.cluster.kind("configmaps"), "default", "of=test", "")
    names, token = [], ""
    while True:
        page = read_page(lab.cluster.store, wanted, 3, token)
        names += [kept.key[2] for kept in page.items]
        token = page.next
        if not token:
            break
    assert names == [f"c{number}" for number in range(7)]


def test_a_token_older_than_the_history_is_gone(lab: Lab) -> None:
    wanted = choice(lab.cluster.kind("namespaces"), "", "", "")
    token = read_page(lab.cluster.store, wanted, 1, "").next
    lab.create("configmaps", {"metadata": {"name": "c"}})
    lab.cluster.store.forget_history()
    with pytest.raises(Refused) as found:
        read_page(lab.cluster.store, wanted, 1, token)
    assert (found.value.code, found.value.reason) == (410, "Expired")


def test_an_object_that_leaves_the_selection_is_deleted_for_its_watcher(lab: Lab) -> None:
    wanted = choice(lab.cluster.kind("pods"), "default", "app=p", "")
    changes: list[Change] = []
    lab.create("pods", pod("p"))
    lab.cluster.store.listen(changes.append)
    lab.patch("pods", "p", {"metadata": {"labels": {"app": "other"}}})
    lab.patch("pods", "p", {"metadata": {"labels": {"app": "p"}}})
    assert [found[0] for change in changes if (found := seen(change, wanted))] == [
        "DELETED",
        "ADDED",
    ]


@given(
    st.lists(st.tuples(st.sampled_from(["put", "drop"]), st.sampled_from("abc")), max_size=30),
    st.integers(0, 30),
)
def test_a_watch_from_any_revision_ends_with_what_is_there(
    steps: list[tuple[str, str]], at: int
) -> None:
    store = ObjectStore(history=1000)
    seen_from: dict[str, Any] = {}
    since = store.revision
    for number, (what, name) in enumerate(steps):
        if number == at:
            since = store.revision
            seen_from = {k.key[2]: k.object for k in store.select("things")}
        key = ("things", "", name)
        if store.get(*key) is None:
            if what == "put":
                store.create(key, {"metadata": {"name": name}, "n": number})
        elif what == "put":
            store.replace(key, {"metadata": {"name": name}, "n": number})
        else:
            store.remove(key)

    def follow(change: Change) -> None:
        if change.type == "DELETED":
            del seen_from[change.now.key[2]]
        else:
            seen_from[change.now.key[2]] = change.now.object

    store.listen(follow, since=since)
    assert seen_from == {k.key[2]: k.object for k in store.select("things")}


def test_a_watch_from_before_the_history_is_told_to_list_anew() -> None:
    store = ObjectStore(history=2)
    for name in "abcd":
        store.create(("things", "", name), {"metadata": {"name": name}})
    with pytest.raises(HistoryGone):
        store.listen(lambda _: None, since=1)


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def test_protobuf_of_a_typed_client_is_read() -> None:
    meta = _field(1, b"web") + _field(11, _field(1, b"app") + _field(2, b"x"))
    body = _field(1, meta) + _field(2, _field(1, b"key") + _field(2, b"value"))
    unknown = _field(1, _field(1, b"v1") + _field(2, b"ConfigMap")) + _field(2, body)
    assert read_protobuf(b"k8s\x00" + unknown) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web", "labels": {"app": "x"}},
        "data": {"key": "value"},
    }


@given(st.binary(max_size=60))
def test_bytes_that_are_no_message_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        read_protobuf(b"k8s\x00" + raw)
