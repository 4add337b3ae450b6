"""What was accepted of other people's servers, what is wrong with it, and how it is configured."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import Tool

from aiops.errors import InvalidInput, ToolFailed, UnknownName
from aiops.model.canonical import canonical
from aiops.toolbelt.mcp_lint import linted
from aiops.toolbelt.mcp_options import read as read_options
from aiops.toolbelt.mcp_pins import Pin, Pinned, Pins, compared, pin_of, read, write

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"q": {"type": "string"}}}
LOOK = Tool(name="look", description="Look something up.", input_schema=SCHEMA)


def held(*tools: Tool, reach: str = "server --stdio") -> Pinned:
    return Pinned(reach, "ann", "2026-11-20T12:00:00Z", tuple(pin_of(each) for each in tools))


def changed(**more: Any) -> Tool:
    return LOOK.model_copy(update=more)


@pytest.mark.parametrize(
    "now",
    [
        changed(description="Look something up!"),
        changed(title="Look"),
        changed(input_schema={**SCHEMA, "required": ["q"]}),
        changed(output_schema=SCHEMA),
        changed(meta={"x": 1}),
    ],
)
def test_any_change_of_what_a_model_reads_is_a_change(now: Tool) -> None:
    assert compared(held(LOOK), [now]) == {"look": "changed"}


def test_new_and_gone_tools_are_told_apart() -> None:
    other = changed(name="other")
    assert compared(held(LOOK), [other]) == {"look": "gone", "other": "new"}
    assert compared(held(LOOK), [LOOK]) == {"look": "same"}


def test_pins_are_read_as_they_were_written(tmp_path: Path) -> None:
    pins = Pins({"one": held(LOOK), "two": held(changed(name="other"), reach="http://x/mcp")})
    write(tmp_path / "pins.json", pins)
    assert read(tmp_path / "pins.json") == pins
    assert [each.name for each in tmp_path.iterdir()] == ["pins.json"]


def test_pins_hold_only_where_they_were_taken(tmp_path: Path) -> None:
    pins = Pins({"one": held(LOOK)})
    assert pins.of("one", "server --stdio").pin("look") is not None
    assert pins.of("one", "another --stdio").pins == ()
    assert pins.of("two", "server --stdio").pins == ()


def test_no_file_is_no_pins(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json") == Pins()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', '{"schema": "x"}', "null"])
def test_a_damaged_file_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "pins.json").write_text(text)
    with pytest.raises(InvalidInput, match=r"pins\.json"):
        read(tmp_path / "pins.json")


def test_a_pin_changed_by_hand_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pins.json"
    write(path, Pins({"one": held(LOOK)}))
    path.write_text(path.read_text().replace("Look something", "Take something"))
    with pytest.raises(InvalidInput, match=r"one\.look was changed by hand"):
        read(path)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each)))
def test_the_lint_survives_any_definition(value: object) -> None:
    definition = {"name": "look", "description": "x", "inputSchema": value, "annotations": value}
    linted([Pin(canonical(definition))], ["a.b"])


def deep(levels: int) -> Tool:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"q": schema}}
    return changed(input_schema=schema)


def test_a_schema_that_is_too_deep_is_fatal() -> None:
    found = linted([pin_of(deep(40))], [])
    assert any(each.fatal and "deeper" in each.what for each in found)
    with pytest.raises(ToolFailed, match="cannot be read"):
        pin_of(deep(400))


def test_each_finding_names_its_tool_and_place() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string", "description": "a\u200bb"}}}
    (finding,) = linted([pin_of(changed(input_schema=schema))], [])
    said = "look, inputSchema/properties/q/description: holds characters that cannot be seen"
    assert str(finding).startswith(said)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "either 'command' or 'url'"),
        ({"command": ["x"], "url": "https://h/mcp"}, "either 'command' or 'url'"),
        ({"url": "ftp://h"}, r"mcp\.other\.url"),
        ({"url": "https://me:secret@h/mcp"}, "set it as 'token'"),
        ({"url": "http://h/mcp", "token": "t"}, "over https only"),
        ({"url": "https://h/mcp", "env": {"A": "b"}}, "'env' is for a 'command'"),
        ({"command": ["x"], "allow": ["a"], "writes": ["a"]}, "cannot both"),
        ({"command": ["x"], "timeout_s": 0}, r"mcp\.other\.timeout_s"),
        ({"command": ["x"], "capability": "executor"}, r"mcp\.other\.capability"),
        ({"command": "x"}, r"mcp\.other\.command"),
    ],
)
def test_a_wrong_option_is_named_without_its_secret(given_: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as error:
        read_options("other", given_)
    assert "secret" not in str(error.value)


def test_an_unknown_option_and_a_strange_name_are_refused() -> None:
    with pytest.raises(UnknownName):
        read_options("other", {"command": ["x"], "comand": ["x"]})
    for name in ("", "Other", "a.b", "\u043ether", "x" * 41):
        with pytest.raises(InvalidInput, match="name"):
            read_options(name, {"command": ["x"]})


def test_secrets_of_a_server_are_never_shown() -> None:
    options = read_options("other", {"command": ["x"], "env": {"KEY": "hunter2"}})
    remote = read_options("other", {"url": "https://h/mcp", "token": "hunter2"})
    assert "hunter2" not in f"{options!r}{options.reach!r}{remote!r}{remote.reach!r}"


def test_the_file_of_pins_is_one_that_people_can_review(tmp_path: Path) -> None:
    write(tmp_path / "pins.json", Pins({"one": held(LOOK)}))
    said = json.loads((tmp_path / "pins.json").read_text())
    assert said["servers"]["one"]["tools"][0]["definition"]["description"] == "Look something up."
    assert len(said["servers"]["one"]["tools"][0]["sha256"]) == 64
