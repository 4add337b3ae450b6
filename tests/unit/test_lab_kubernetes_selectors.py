"""Selectors choose what they say; quantities keep their value."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_lab.kubernetes.quantities import InvalidQuantity, cores, parse_quantity, size
from aiops_lab.kubernetes.selectors import (
    InvalidSelector,
    equals,
    field_selector,
    label_selector,
    parse_selector,
)

word = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "labels", "chosen"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a", {"a": ""}, True),
        ("!a", {"a": "b"}, False),
        ("a in (b, c),d", {"a": "c", "d": "x"}, True),
        ("a notin (b,c)", {"a": "b"}, False),
        ("a notin (b,c)", {}, True),
        ("n>5", {"n": "7"}, True),
        ("n<5", {"n": "x"}, False),
        ("app.kubernetes.io/name=web", {"app.kubernetes.io/name": "web"}, True),
    ],
)
def test_a_label_selector_chooses_as_written(
    text: str, labels: dict[str, str], chosen: bool
) -> None:
    assert parse_selector(text).matches(labels) is chosen


@pytest.mark.parametrize("text", ["a=b,,c", "a in b", "=b", "a in (b", "n>x"])
def test_what_is_no_selector_is_refused(text: str) -> None:
    with pytest.raises(InvalidSelector):
        parse_selector(text)


@given(st.dictionaries(word, word, min_size=1, max_size=4), st.dictionaries(word, word, max_size=4))
def test_pairs_choose_exactly_what_has_them_all(
    wanted: dict[str, str], found: dict[str, str]
) -> None:
    text = ",".join(f"{key}={value}" for key, value in wanted.items())
    expected = wanted.items() <= found.items()
    assert parse_selector(text).matches(found) is expected
    assert equals(wanted).matches(found) is expected
    assert label_selector({"matchLabels": wanted}).matches(found) is expected


@given(word, st.lists(word, min_size=1, max_size=3), st.dictionaries(word, word, max_size=3))
def test_in_and_notin_are_opposites(key: str, values: list[str], found: dict[str, str]) -> None:
    listed = ",".join(values)
    chosen = parse_selector(f"{key} in ({listed})").matches(found)
    assert parse_selector(f"{key} notin ({listed})").matches(found) is not chosen


def test_no_selector_chooses_nothing_and_an_empty_one_everything() -> None:
    assert not label_selector(None).matches({"a": "b"})
    assert label_selector({}).matches({"a": "b"})
    assert not equals({}).matches({"a": "b"})


def test_fields_select_by_path_and_only_where_the_resource_has_them() -> None:
    pod = {"metadata": {"name": "p"}, "status": {"phase": "Running"}, "spec": {"nodeName": "n"}}
    assert field_selector("status.phase=Running,spec.nodeName=n", "pods")(pod)
    assert not field_selector("status.phase!=Running", "pods")(pod)
    with pytest.raises(InvalidSelector, match="not a field of services"):
        field_selector("status.phase=Running", "services")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("250m", "0.25"),
        ("1.5", "1.5"),
        ("64Mi", str(64 * 2**20)),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("2E", "2e18"),
        ("100n", "1e-7"),
        ("-1k", "-1000"),
        (".5", "0.5"),
    ],
)
def test_a_quantity_has_its_value(text: str, value: str) -> None:
    assert parse_quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "abc", "1KiB", "1 Gi", "--1", "1e", "0x10"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(InvalidQuantity):
        parse_quantity(text)


@given(st.integers(0, 10**15))
def test_sizes_and_millicores_survive_being_written(number: int) -> None:
    assert parse_quantity(size(number)) == number
    assert parse_quantity(cores(Decimal(number) / 1000)) == Decimal(number) / 1000
