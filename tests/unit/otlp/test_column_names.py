"""Columns of pushed metrics have names that a report can cite, and no two things share one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.ingest.otlp.samples import _called
from aiops.model import Entity

_NAMES = st.sampled_from(
    ["web", "shop", "of service", 'a" in cluster "b', "web in namespace shop", " "]
)
_MAYBE = st.none() | _NAMES
_ENTITIES = st.builds(
    Entity, st.sampled_from(["service", "instance"]), _NAMES, _MAYBE, _MAYBE, _MAYBE
)


@pytest.mark.parametrize(
    ("entity", "called"),
    [
        (Entity("service", "web"), "web"),
        (Entity("service", "web", namespace="shop"), "web in namespace shop"),
        (Entity("instance", "web-1", service="web"), "instance web-1 of service web"),
        (Entity("service", "my shop"), '"my shop"'),
    ],
    ids=["service", "namespace", "instance", "quoted"],
)
def test_an_entity_is_called_as_a_person_would(entity: Entity, called: str) -> None:
    assert _called(entity) == called


@given(_ENTITIES, _ENTITIES)
def test_two_entities_are_never_called_alike(one: Entity, other: Entity) -> None:
    assert (_called(one) == _called(other)) == (one == other)
