"""A tool is chosen by what it takes, what it is called and what it gives; never by whose it is."""

from typing import Any

import pytest

from aiops.agents.policies.wants import Place, Want, question
from aiops.model.canonical import canonical, parsed
from aiops.model.tool import ToolSpec

HERE = Place("c1", "corner")


def _spec(name: str, gives: str = "text", needed: tuple[str, ...] = (), **formats: str) -> ToolSpec:
    properties = {key: {"type": "string", "format": form} for key, form in formats.items()}
    arguments: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": list(needed or formats),
    }
    result = {"type": "object", "properties": {gives: {}}}
    return ToolSpec(name, "", canonical(arguments), canonical(result), "read", "probe")


LIST = _spec("ours.list_things", kind="kind", ns="namespace")
SUMMED = _spec("ours.describe", "summary", kind="kind", thing="object")
WHOLE = _spec("theirs.get", "object", kind="kind", thing="object")
LOGS = _spec("theirs.GetLogs", ns="namespace", app="workload")


def test_arguments_are_filled_by_what_they_mean_whatever_they_are_called() -> None:
    asked = question(Want("list", "claim"), [WHOLE, LIST], HERE)
    assert asked is not None
    assert asked.tool == "ours.list_things"
    assert parsed(asked.arguments) == {"kind": "PersistentVolumeClaim", "ns": "corner"}


def test_an_object_is_asked_of_who_gives_it_and_not_of_who_sums_it_up() -> None:
    asked = question(Want("describe", "pod", "till-1"), [SUMMED, WHOLE], HERE)
    assert asked is not None
    assert asked.tool == "theirs.get"
    assert asked.about == "till-1"


def test_a_tool_whose_required_argument_nobody_knows_is_not_asked() -> None:
    assert question(Want("logs", name="till"), [LOGS], HERE) is not None
    assert question(Want("logs", name="till"), [LOGS], Place("c1")) is None


@pytest.mark.parametrize("want", [Want("alerts"), Want("reach", name="till", port=80)])
def test_what_no_tool_shows_is_no_question(want: Want) -> None:
    assert question(want, [LIST, SUMMED, WHOLE, LOGS], HERE) is None


def test_a_tool_that_changes_something_is_never_asked() -> None:
    writes = ToolSpec("ours.list", "", LIST.arguments, LIST.result, "write", "executor")
    assert question(Want("list", "pod"), [writes], HERE) is None


def test_a_kind_is_said_in_the_tools_own_words() -> None:
    arguments = {
        "type": "object",
        "properties": {"type": {"format": "kind", "enum": ["pods", "pvc"]}},
        "required": ["type"],
    }
    spec = ToolSpec("x.list", "", canonical(arguments), "{}", "read", "probe")
    asked = question(Want("list", "claim"), [spec], HERE)
    assert asked is not None
    assert parsed(asked.arguments) == {"type": "pvc"}
    assert question(Want("list", "node"), [spec], HERE) is None
