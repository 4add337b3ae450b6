"""What a conversation keeps when it grows too long."""

from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.context.compaction import HEADING, compacted, evidence_ids
from aiops.model.chat import AskedCall, Message

BEGUN = (Message("system", "You look for causes."), Message("user", "Why is the shop slow?"))


def turn(number: int, tool: str, evidence: tuple[int, ...], chars: int) -> tuple[Message, ...]:
    call = AskedCall(f"c{number}", tool, "{}")
    cited = " ".join(f"E{each}" for each in evidence)
    result = Message("tool", f"{cited} {'x' * chars}", call=call.id)
    return Message("assistant", "", (call,)), result


TURNS = st.lists(
    st.tuples(
        st.sampled_from(["metrics.query", "logs.search", "kubernetes.describe"]),
        st.tuples(st.integers(1, 99)),
        st.integers(0, 2_000),
    ),
    max_size=12,
)


def conversation(turns: list[tuple[str, tuple[int, ...], int]]) -> tuple[Message, ...]:
    return BEGUN + tuple(m for n, each in enumerate(turns) for m in turn(n, *each))


def told(messages: tuple[Message, ...]) -> str:
    return "\n".join(f"{one.text} {' '.join(call.tool for call in one.calls)}" for one in messages)


@given(TURNS, st.integers(50, 3_000), st.integers(50, 3_000))
def test_no_tool_name_and_no_evidence_id_is_lost_however_often_it_is_compacted(
    turns: list[tuple[str, tuple[int, ...], int]], first: int, second: int
) -> None:
    whole = conversation(turns)
    short = compacted(compacted(whole, first), second)
    assert set(evidence_ids(told(whole))) == set(evidence_ids(told(short)))
    assert all(tool in told(short) for tool, _, _ in turns)
    assert short[:2] == BEGUN


@given(TURNS, st.integers(50, 3_000))
def test_a_call_is_never_parted_from_its_result(
    turns: list[tuple[str, tuple[int, ...], int]], limit: int
) -> None:
    short = compacted(conversation(turns), limit)
    asked = [call.id for one in short for call in one.calls]
    answered = [one.call for one in short if one.role == "tool"]
    assert asked == answered


def test_what_fits_is_left_as_it_is_and_what_is_compacted_stays_so() -> None:
    whole = conversation([("logs.search", (1,), 4_000), ("metrics.query", (2,), 40)])
    assert compacted(whole, 10_000) == whole
    short = compacted(whole, 200)
    assert short[2].text == f"{HEADING}\nlogs.search: E1"
    assert short[3:] == whole[4:]
    assert compacted(short, 200) == short
