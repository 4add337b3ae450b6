"""Tools and outcomes survive the way over MCP and back."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp_types import CallToolResult, TextContent, Tool

from aiops.errors import ToolFailed
from aiops.model.canonical import canonical
from aiops.model.tool import Outcome, OutcomeStatus, ToolSpec, Unread, Verified
from aiops.toolbelt.mcp_forms import outcome_of, published, spec_of, told

WORDS = st.text(max_size=20)
OUTCOMES = st.builds(
    Outcome,
    call=WORDS,
    status=st.sampled_from(get_args(OutcomeStatus)),
    summary=WORDS,
    content=st.none() | st.dictionaries(WORDS, st.integers(), max_size=3).map(canonical),
    reason=st.none() | WORDS,
    unread=st.lists(st.builds(Unread, WORDS, WORDS), max_size=2).map(tuple),
    refs=st.lists(WORDS, max_size=2).map(tuple),
    blob=st.none() | WORDS,
    approval=st.none() | WORDS,
    handle=st.none() | WORDS,
    verified=st.none() | st.builds(Verified, st.booleans(), WORDS),
    suspicious=st.booleans(),
)
NESTED = canonical(
    {
        "type": "object",
        "properties": {"pods": {"type": "array", "items": {"$ref": "#/$defs/Pod"}}},
        "$defs": {"Pod": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
)
SCALE = ToolSpec(
    name="kubernetes.scale",
    description="Set how many replicas there are.",
    arguments=canonical({"type": "object", "properties": {"to": {"type": "integer"}}}),
    result=NESTED,
    effect="write",
    capability="executor",
    risk="high",
    reversible=False,
    timeout_s=90.0,
    lasting=True,
    examples=("more of it",),
)


@given(OUTCOMES)
def test_an_outcome_is_read_as_it_was_told(outcome: Outcome) -> None:
    assert outcome_of(told(outcome)) == outcome


def test_a_tool_is_read_as_it_was_published() -> None:
    assert spec_of(published(SCALE)) == SCALE


def test_hints_say_what_a_tool_does() -> None:
    hints = published(SCALE).annotations
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (False, True)
    assert hints.idempotent_hint is True


@pytest.mark.parametrize(
    ("pods", "valid"), [([{"name": "web-1"}], True), ([{"name": 1}], False), ("x", False)]
)
def test_the_output_schema_is_that_of_the_result_inside_an_outcome(
    pods: object, valid: bool
) -> None:
    schema = published(SCALE).output_schema
    Draft202012Validator.check_schema(schema)
    outcome = Outcome("call-1", "done", "scaled", content=canonical({"pods": pods}))
    said = told(outcome).structured_content
    assert Draft202012Validator(schema).is_valid(said) is valid


@pytest.mark.parametrize("status", ["denied", "failed", "rolled_back", "unknown"])
def test_what_was_not_done_is_an_error_for_any_client(status: OutcomeStatus) -> None:
    assert told(Outcome("call-1", status, "no")).is_error
    assert not told(Outcome("call-1", "waits", "for a person")).is_error


def test_other_peoples_tools_and_answers_are_not_taken_for_ours() -> None:
    with pytest.raises(ToolFailed, match="no tool of aiops"):
        spec_of(Tool(name="x", input_schema={"type": "object"}))
    with pytest.raises(ToolFailed, match="no outcome: hello"):
        outcome_of(CallToolResult(content=[TextContent(text="hello")]))
