"""Freezes, radius, schemas and places, each on its own."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from belt import schema, spec
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import InvalidInput
from aiops.model.canonical import canonical
from aiops.model.tool import BlastRadius, Preview, Target
from aiops.toolbelt.arguments import read_arguments
from aiops.toolbelt.freezes import Freeze
from aiops.toolbelt.places import Places, plain_kind
from aiops.toolbelt.radius import RadiusLimits
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.schemas import Schemas

FRIDAY = datetime(2026, 11, 20, 18, tzinfo=UTC)
WEEKEND = Freeze("weekend", cron="0 18 * * FRI", lasts=timedelta(hours=60), zone="Europe/Paris")


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        (FRIDAY - timedelta(hours=1, seconds=1), False),
        (FRIDAY - timedelta(hours=1), True),  # 18:00 in Paris
        (FRIDAY + timedelta(hours=58), True),
        (FRIDAY + timedelta(hours=59), False),
    ],
)
def test_a_freeze_begins_and_ends_by_the_clock_of_its_place(at: datetime, frozen: bool) -> None:
    assert (WEEKEND.until_when(at) is not None) == frozen


def preview(radius: BlastRadius, *namespaces: str) -> Preview:
    targets = tuple(Target("prod", "Deployment", "web", one) for one in namespaces or ("shop",))
    return Preview("x", targets, "", "0" * 64, radius)


LIMITS = RadiusLimits(objects=2, namespaces=1, share=0.5)


@pytest.mark.parametrize(
    ("radius", "within"),
    [
        (BlastRadius(2), True),
        (BlastRadius(3), False),
        (BlastRadius(1, 2, 4), True),
        (BlastRadius(1, 3, 4), False),
        (BlastRadius(1, 1, 1), False),
        (BlastRadius(1, 0, 0), True),
        (BlastRadius(1, 1, 0), False),
    ],
)
def test_a_share_at_the_limit_is_within_it(radius: BlastRadius, within: bool) -> None:
    if within:
        LIMITS.check(preview(radius))
    else:
        with pytest.raises(Refused):
            LIMITS.check(preview(radius))


def test_more_targets_than_the_tool_says_count() -> None:
    with pytest.raises(Refused, match="namespaces"):
        LIMITS.check(preview(BlastRadius(1), "shop", "front"))
    with pytest.raises(Refused, match="objects"):
        LIMITS.check(preview(BlastRadius(1), "a", "b", "c"))
    with pytest.raises(Refused, match="does not say"):
        LIMITS.check(Preview("x", (), "", "0" * 64, BlastRadius(0)))


def test_what_no_schema_names_is_refused_at_every_depth() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "integer"}}}
    outer = canonical({"type": "object", "properties": {"inner": inner}})
    schemas = Schemas(spec("x.y", outer))
    schemas.check_arguments({"inner": {"a": 1}})
    for arguments in ({"b": 1}, {"inner": {"a": 1, "b": 2}}):
        with pytest.raises(Refused):
            schemas.check_arguments(arguments)


@pytest.mark.parametrize("text", ['{"type": "text"}', "[]", "3", "{", '{"type": "array"}'])
def test_a_tool_without_a_schema_of_an_object_is_not_taken(text: str) -> None:
    with pytest.raises(InvalidInput):
        Schemas(spec("x.y", text))


def test_a_schema_elsewhere_is_not_fetched() -> None:
    other = {"$ref": "http://127.0.0.1:1/schema.json"}
    schemas = Schemas(spec("x.y", canonical({"type": "object", "properties": {"a": other}})))
    with pytest.raises(Refused, match="refers to what is not there"):
        schemas.check_arguments({"a": 1})


def test_a_dimension_that_is_left_open_is_every_place_and_one_that_is_not_there_is_none() -> None:
    places = Places(spec("x.y", schema(("cluster",))))
    (place,) = places.of({"cluster": "Prod"})
    assert (place.cluster, place.namespace, place.kind) == ("prod", "*", None)


@given(st.text())
def test_arguments_are_an_object_or_refused(text: str) -> None:
    with suppress(Refused):  # and nothing else
        assert isinstance(read_arguments(text), dict)


@given(
    st.dictionaries(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), st.integers())
)
def test_plain_arguments_are_read_as_they_are(arguments: dict[str, int]) -> None:
    assert read_arguments(canonical(arguments)) == arguments


@given(st.sampled_from(["Secret", "secret", "SECRETS", "secrets.", "secrets.v1", "v1/Secrets"]))
def test_every_way_to_write_a_kind_is_the_kind(word: str) -> None:
    assert plain_kind(word) == "secret"
