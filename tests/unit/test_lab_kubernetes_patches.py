"""JSON patch, merge patch and strategic merge do what their documents say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lab.kubernetes.patches import InvalidPatch, json_patch, merge_patch, strategic_merge
from aiops_lab.kubernetes.schema.types import shape_of

POD = shape_of("V1PodSpec")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


# The examples of RFC 6902, appendix A.
RFC_6902 = [
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    (
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [
            {"op": "test", "path": "/baz", "value": "qux"},
            {"op": "test", "path": "/foo/1", "value": 2},
        ],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
        {"foo": "bar", "baz": "qux"},
    ),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    (
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
]


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_6902)
def test_the_examples_of_rfc_6902_come_out_as_written(
    document: Any, patch: list[dict[str, Any]], expected: Any
) -> None:
    assert json_patch(document, patch) == expected


@pytest.mark.parametrize(
    ("document", "operation"),
    [
        ({"baz": "qux"}, {"op": "test", "path": "/baz", "value": "bar"}),
        ({"foo": "bar"}, {"op": "add", "path": "/baz/bat", "value": "qux"}),
        ({"foo": 1}, {"op": "test", "path": "/foo", "value": True}),
        ({"foo": [1]}, {"op": "remove", "path": "/foo/01"}),
        ({"foo": [1]}, {"op": "remove", "path": "/foo/1"}),
        ({"foo": {"a": 1}}, {"op": "move", "from": "/foo", "path": "/foo/a"}),
        ({}, {"op": "replace", "path": "/a", "value": 1}),
        ({}, {"op": "add", "path": "a", "value": 1}),
        ({}, {"op": "add", "path": "/a"}),
        ({}, {"op": "fold", "path": "/a"}),
    ],
)
def test_an_operation_that_does_not_fit_is_refused_and_changes_nothing(
    document: Any, operation: dict[str, Any]
) -> None:
    before = repr(document)
    with pytest.raises(InvalidPatch):
        json_patch(document, [{"op": "add", "path": "/new", "value": 1}, operation])
    assert repr(document) == before


# The test cases of RFC 7386, appendix A.
RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_7386)
def test_the_cases_of_rfc_7386_come_out_as_written(
    document: Any, patch: Any, expected: Any
) -> None:
    assert merge_patch(document, patch) == expected


@given(json_values, json_values)
def test_a_merge_patch_applied_twice_is_applied_once(document: Any, patch: Any) -> None:
    once = merge_patch(document, patch)
    assert merge_patch(once, patch) == once


@given(json_values, json_values)
def test_replacing_the_whole_document_gives_the_value(document: Any, value: Any) -> None:
    assert json_patch(document, [{"op": "replace", "path": "", "value": value}]) == value


def test_containers_merge_by_name() -> None:
    present = {"containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}
    patch = {"containers": [{"name": "b", "image": "b:2"}, {"name": "c", "image": "c:1"}]}
    assert strategic_merge(present, patch, POD) == {
        "containers": [
            {"name": "a", "image": "a:1"},
            {"name": "b", "image": "b:2"},
            {"name": "c", "image": "c:1"},
        ]
    }


def test_an_element_can_be_deleted_and_a_list_replaced() -> None:
    present = {"containers": [{"name": "a"}, {"name": "b"}]}
    deleting = {"containers": [{"name": "a", "$patch": "delete"}]}
    assert strategic_merge(present, deleting, POD) == {"containers": [{"name": "b"}]}
    replacing = {"containers": [{"name": "c"}, {"$patch": "replace"}]}
    assert strategic_merge(present, replacing, POD) == {"containers": [{"name": "c"}]}


def test_an_element_without_its_merge_key_is_refused() -> None:
    with pytest.raises(InvalidPatch, match="merge key: name"):
        strategic_merge({"containers": []}, {"containers": [{"image": "x"}]}, POD)


def test_lists_without_a_merge_key_are_replaced() -> None:
    present = {"tolerations": [{"key": "a"}]}
    assert strategic_merge(present, {"tolerations": [{"key": "b"}]}, POD) == {
        "tolerations": [{"key": "b"}]
    }


def test_element_order_and_primitive_deletes_are_followed() -> None:
    present = {"containers": [{"name": "a"}, {"name": "x"}, {"name": "b"}]}
    patch = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}
    ordered = strategic_merge(present, patch, POD)
    assert [c["name"] for c in ordered["containers"]] == ["b", "x", "a"]
    meta = shape_of("V1ObjectMeta")
    patch = {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}
    assert strategic_merge({"finalizers": ["a", "b"]}, patch, meta) == {"finalizers": ["b", "c"]}


def test_retained_keys_drop_the_other_strategy() -> None:
    present = {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}
    patch = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    merged = strategic_merge(present, patch, shape_of("V1DeploymentSpec"))
    assert merged == {"strategy": {"type": "Recreate"}}
