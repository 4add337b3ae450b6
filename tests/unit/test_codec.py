"""What is kept as JSON is read back exactly, also by the versions to come."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.model.access import Token
from aiops.model.alert import Alert, AlertState, Delivery, RefusedDelivery, Silence
from aiops.model.incident import Incident, TimelineEntry
from aiops.model.investigation import AuditEntry, Investigation
from aiops.store.codec import Codec, Unreadable

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEPT = (
    Alert,
    AlertState,
    AuditEntry,
    Delivery,
    Incident,
    Investigation,
    RefusedDelivery,
    Silence,
    TimelineEntry,
    Token,
)
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))
st.register_type_strategy(datetime, MOMENTS)  # the model knows no others
OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@pytest.mark.parametrize("kind", KEPT)
@given(choices=st.data())
@settings(max_examples=15)
def test_whatever_is_written_is_read_back(kind: type[Any], choices: st.DataObject) -> None:
    value = choices.draw(st.from_type(kind))
    codec = Codec(kind)
    text = codec.write(value)
    # repr, because a NaN does not equal itself and 1 equals 1.0.
    assert repr(codec.read(text)) == repr(value)
    assert text.isascii()
    assert "\0" not in text


@given(st.datetimes(timezones=OFFSETS))
def test_a_time_keeps_its_microseconds_and_its_offset(at: datetime) -> None:
    codec = Codec(Token)
    got = codec.read(codec.write(Token("tok-1", "ana", "viewer", "0" * 64, at))).created_at
    assert (got, got.utcoffset()) == (at, at.utcoffset())


@given(st.floats())
def test_a_float_is_read_back_to_its_last_bit(value: float) -> None:
    got = Codec(float).read(Codec(float).write(value))
    assert got == value or (math.isnan(got) and math.isnan(value))


def test_a_field_added_by_a_later_version_is_passed_over() -> None:
    codec = Codec(AuditEntry)
    entry = AuditEntry(NOON, "ana", "restart", "deployment/cart", "done")
    later = json.loads(codec.write(entry)) | {"approved_by": "ben"}
    assert codec.read(json.dumps(later)) == entry


def test_a_field_that_an_earlier_version_did_not_write_has_its_default() -> None:
    codec = Codec(Incident)
    incident = Incident("inc-1", "Slow", "cart", "SEV2", "triggered", NOON, NOON)
    earlier = json.loads(codec.write(incident))
    del earlier["flapping"], earlier["verdict"]
    assert codec.read(json.dumps(earlier)) == incident


def test_what_lacks_something_without_a_default_is_named() -> None:
    with pytest.raises(Unreadable, match="a kept Incident cannot be read: it has no group, id"):
        Codec(Incident).read('{"title": "Slow", "opened_at": "2026-11-20T12:00:00+00:00"}')


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"at": 3}', '{"at": "yesterday"}'])
def test_damaged_text_is_no_traceback(text: str) -> None:
    with pytest.raises(Unreadable, match="AuditEntry"):
        Codec(AuditEntry).read(text)


def test_a_type_without_an_exact_form_is_refused_before_anything_is_kept() -> None:
    @dataclass(frozen=True, slots=True)
    class Loose:
        labels: dict[str, str]

    with pytest.raises(TypeError, match="no exact JSON form"):
        Codec(Loose)
