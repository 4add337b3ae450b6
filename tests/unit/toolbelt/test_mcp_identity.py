"""Whose call a request is: only as it was signed, for exactly that call, and not for long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import InvalidInput, NotAuthentic
from aiops.model.canonical import canonical
from aiops.model.tool import CAPABILITIES, Caller, ToolCall
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.store.repositories import MemoryAudit
from aiops.toolbelt.mcp_identity import LIFETIME, META, Seal
from aiops_mcp.door import Door, Visitor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SEAL = Seal(b"k" * 32, "kubernetes")
WORDS = st.text(max_size=20)
CALLS = st.builds(
    ToolCall,
    id=WORDS,
    tool=WORDS,
    arguments=st.dictionaries(WORDS, st.integers(), max_size=3).map(canonical),
    caller=st.builds(
        Caller,
        name=WORDS,
        capability=st.sampled_from(CAPABILITIES),
        run=WORDS,
        incident=st.none() | WORDS,
    ),
    key=WORDS,
    approval=st.none() | WORDS,
    reason=WORDS,
)
CALL = ToolCall(
    "call-1", "kubernetes.scale", canonical({"to": 3}), Caller("ann", "executor", "run-1"), "key-1"
)


@given(CALLS)
def test_what_was_signed_is_opened_again(call: ToolCall) -> None:
    assert SEAL.opened(SEAL.signed(call, NOON), call.tool, call.arguments, NOON) == call


@pytest.mark.parametrize(
    "changed",
    [
        {"call": "call-2"},
        {"caller": {"name": "eve", "capability": "executor", "run": "r", "incident": None}},
        {"caller": None},
        {"key": "key-2"},
        {"approval": "app-1"},
        {"reason": "because"},
        {"until": 10**12},
        {"signature": ""},
        {"signature": None},
        {"signature": "0" * 64},
        {"signature": "ß"},
        {"call": float("nan")},
    ],
)
def test_a_changed_word_voids_it(changed: dict[str, Any]) -> None:
    signed = {**SEAL.signed(CALL, NOON), **changed}
    with pytest.raises(NotAuthentic):
        SEAL.opened(signed, CALL.tool, CALL.arguments, NOON)


@pytest.mark.parametrize("given_", [None, "x", 7, [], {}])
def test_no_identity_is_none(given_: object) -> None:
    with pytest.raises(NotAuthentic):
        SEAL.opened(given_, CALL.tool, CALL.arguments, NOON)


def test_it_is_for_one_tool_its_arguments_one_server_and_one_key() -> None:
    signed = SEAL.signed(CALL, NOON)
    for seal, tool, arguments in (
        (SEAL, "kubernetes.delete", CALL.arguments),
        (SEAL, CALL.tool, canonical({"to": 0})),
        (Seal(SEAL.secret, "aws"), CALL.tool, CALL.arguments),
        (Seal(b"x" * 32, "kubernetes"), CALL.tool, CALL.arguments),
    ):
        with pytest.raises(NotAuthentic):
            seal.opened(signed, tool, arguments, NOON)


def test_it_ends() -> None:
    signed = SEAL.signed(CALL, NOON)
    assert SEAL.opened(signed, CALL.tool, CALL.arguments, NOON + timedelta(seconds=60)) == CALL
    with pytest.raises(NotAuthentic, match="too long ago"):
        SEAL.opened(signed, CALL.tool, CALL.arguments, NOON + LIFETIME)


def test_a_short_key_is_refused_and_never_shown() -> None:
    with pytest.raises(InvalidInput, match="32 bytes") as error:
        Seal(b"short", "kubernetes")
    assert "short" not in str(error.value)
    assert "kkkk" not in repr(SEAL)


class TestDoor:
    """Whom a server takes a caller for."""

    door = Door(SEAL, ManualClock(NOON), CountedIds(), MemoryAudit())

    @pytest.mark.parametrize(
        ("most", "signed", "may"),
        [
            ("executor", "executor", "executor"),
            ("executor", "observer", "observer"),
            ("probe", "executor", "probe"),
            ("observer", "executor", "observer"),
        ],
    )
    def test_a_signature_counts_up_to_what_was_granted(
        self, most: Any, signed: Any, may: str
    ) -> None:
        call = replace(CALL, caller=replace(CALL.caller, capability=signed))
        visitor = Visitor("token", "session", most)
        meta = {META: SEAL.signed(call, NOON)}
        found = self.door.call(visitor, meta, call.tool, call.arguments)
        assert found.caller.capability == may
        assert (found.id, found.caller.name, found.caller.run) == ("call-1", "ann", "run-1")

    @pytest.mark.parametrize("granted", CAPABILITIES)
    def test_nobody_writes_unsigned(self, granted: Any) -> None:
        visitor = Visitor("token", "session", most=granted, unsigned=granted)
        found = self.door.call(visitor, None, CALL.tool, CALL.arguments)
        assert found.caller.capability != "executor"
        assert found.approval is None
        assert (found.caller.name, found.caller.run) == ("token", "session")

    def test_a_broken_signature_only_observes_under_a_name_that_says_so(self) -> None:
        visitor = Visitor("token", "session", most="executor", unsigned="probe")
        meta = {META: {**SEAL.signed(CALL, NOON), "key": "other"}}
        found = self.door.call(visitor, meta, CALL.tool, CALL.arguments)
        assert found.caller.capability == "observer"
        assert "not as signed" in found.caller.name
