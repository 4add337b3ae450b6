"""The state hash, and the patches and diffs made of the same view of an object."""

import json
import random
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aiops.model.tool import Target
from aiops_lab.kubernetes.patches import merge_patch as applied
from aiops_tools.kubernetes.actions.diff import hides_a_change, unified
from aiops_tools.kubernetes.actions.merging import merge_patch
from aiops_tools.kubernetes.actions.secrecy import HIDDEN, looks_secret, masked
from aiops_tools.kubernetes.state_hash import normalised, state_hash

TARGET = Target("c", "Deployment", "web", "shop")
KEYS = st.text("abcdef/.", min_size=1, max_size=4)
VALUES = st.recursive(
    st.integers(2, 9) | st.text("xyz1 \n", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=6,
)
SPECS = st.dictionaries(KEYS, VALUES, max_size=5)


def deployment(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": spec, **more}


def taint(key: str) -> dict[str, str]:
    return {"key": key, "effect": "NoSchedule"}


def shuffled(value: Any, source: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        source.shuffle(keys)
        return {key: shuffled(value[key], source) for key in keys}
    if isinstance(value, list):
        return [shuffled(each, source) for each in value]
    return value


@given(SPECS, st.randoms(use_true_random=False))
def test_the_order_of_maps_does_not_matter(spec: dict[str, Any], source: random.Random) -> None:
    assert state_hash(deployment(spec)) == state_hash(deployment(shuffled(spec, source)))


@given(SPECS, SPECS, SPECS)
def test_what_the_server_sets_does_not_matter(
    spec: dict[str, Any], metadata: dict[str, Any], status: dict[str, Any]
) -> None:
    seen = deployment(spec, status=status, apiVersion="apps/v1")
    seen["metadata"] |= {"resourceVersion": "7", "managedFields": [metadata], "uid": "u"}
    seen["spec"] = {**spec, "nothing": None}

    assert state_hash(seen) == state_hash(deployment(spec))


@given(SPECS, SPECS)
def test_any_change_of_the_spec_does_matter(one: dict[str, Any], other: dict[str, Any]) -> None:
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))

    assert state_hash(deployment(one)) != state_hash(deployment(other))


def test_the_order_of_a_list_matters_and_so_does_an_empty_map() -> None:
    assert state_hash(deployment({"a": [1, 2]})) != state_hash(deployment({"a": [2, 1]}))
    assert state_hash(deployment({"volume": {}})) != state_hash(deployment({}))


def test_a_cordon_is_in_a_nodes_state_and_the_taint_that_follows_from_it_is_not() -> None:
    node = {"kind": "Node", "metadata": {}, "spec": {"podCIDR": "10.0.0.0/24"}}
    cordoned = {"kind": "Node", "metadata": {}, "spec": {"unschedulable": True}}
    tainted = deepcopy(cordoned)
    tainted["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    ]
    kept = {
        "kind": "Node",
        "metadata": {},
        "spec": {"taints": [{"key": "own", "effect": "NoExecute"}]},
    }

    assert state_hash(cordoned) == state_hash(tainted) != state_hash(node)
    assert state_hash(kept) != state_hash(node)


def test_a_config_maps_data_is_its_state() -> None:
    one = {"kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"x": "1"}}

    assert state_hash(one) != state_hash({**one, "data": {"x": "2"}})
    assert state_hash(one) == state_hash({**one, "metadata": {"name": "a", "labels": {"l": "m"}}})


@given(SPECS, SPECS)
def test_a_merge_patch_makes_one_object_of_the_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    patch = merge_patch(before, after)

    assert applied(before, patch) == after
    assert bool(patch) == (before != after)


@given(SPECS, SPECS)
def test_a_change_is_in_the_diff_or_said_to_be_hidden(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    before, after = deployment(one), deployment(other)
    same = state_hash(before) == state_hash(after)
    shown = unified(TARGET, before, after)

    assert not (same and shown)
    assert same or shown or hides_a_change(before, after)


SECRET_LOOKING = [
    ("DB_PASSWORD", "x"),
    ("api-key", "x"),
    ("AUTH", "x"),
    ("URL", "postgres://me:pw@db/shop"),
    ("X", "-----BEGIN RSA PRIVATE KEY-----\nabc"),
    ("X", "AKIAIOSFODNN7EXAMPLE"),
    ("ARGUMENTS", "serve --password=abc --port=1"),
    ("X", "ghp_0123456789abcdefghij0123"),
    ("X", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9t"),
]


@pytest.mark.parametrize(("name", "value"), SECRET_LOOKING)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(name: str, value: str) -> None:
    assert looks_secret(name, value)
    variable = {"env": [{"name": name, "value": value}]}

    assert HIDDEN in masked(variable)["env"][0]["value"]
    assert HIDDEN in json.dumps(masked({name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEVEL", "debug"),
        ("AUTHOR", "me"),
        ("MAX_TOKENS", "100"),
        ("URL", "http://store:8080/a"),
        ("IMAGE", "web@sha256:" + "ab12" * 16),
    ],
)
def test_what_does_not_is_shown(name: str, value: str) -> None:
    assert not looks_secret(name, value)
    assert masked({name: value}) == {name: value}


def test_a_password_within_a_file_is_hidden_and_its_change_said() -> None:
    before = {"kind": "ConfigMap", "data": {"app.ini": "level = info\npassword = one\n"}}
    after = {"kind": "ConfigMap", "data": {"app.ini": "level = info\npassword = two\n"}}

    assert looks_secret("app.ini", before["data"]["app.ini"])
    assert "one" not in json.dumps(masked(normalised(before)))
    assert "level = info" in json.dumps(masked(normalised(before)))
    assert unified(TARGET, before, after) == ""
    assert hides_a_change(before, after)
