"""Agents are MCP clients of every toolset: one call, one decision, one row, as on any transport."""

import json
from collections.abc import Iterator
from pathlib import Path

import filed_shelf
import pytest
from belt import scaled

from aiops.agents.crew import Belt
from aiops.bootstrap.agents import belt_of
from aiops.bootstrap.durable import durable
from aiops.bootstrap.service import Service
from aiops.model.canonical import canonical
from aiops.model.tool import Caller, Capability, ToolCall
from aiops.toolbelt.mcp_belt import McpToolbelt


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return filed_shelf.new(tmp_path / "shelf.json")


@pytest.fixture
def service(sqlite_url: str, shelf: Path) -> Iterator[Service]:
    filed_shelf.install()
    with durable(filed_shelf.settings(sqlite_url, shelf)) as opened:
        yield opened
    filed_shelf.uninstall()


@pytest.fixture
def belt(service: Service) -> Iterator[Belt]:
    with belt_of(service) as found:
        assert found is not None
        yield found


def call(number: int, capability: Capability) -> ToolCall:
    caller = Caller("crew", capability, "run-1", "inc-1")
    return ToolCall(f"c{number}", "shelf.scale", canonical(scaled(4)), caller, f"key-{number}")


def rows(service: Service) -> list[tuple[str, str]]:
    entries = [row for _, row in service.audit.entries() if row.action == "shelf.scale"]
    return [(row.actor, row.outcome) for row in entries]


def test_a_change_waits_for_a_person_and_leaves_one_row(
    belt: Belt, service: Service, shelf: Path
) -> None:
    outcome = belt.ask(call(1, "executor"))

    assert outcome.status == "waits"
    assert outcome.approval is not None
    assert service.approvals.get(outcome.approval).action.tool == "shelf.scale"
    assert rows(service) == [("crew", "waits: approval")]
    assert json.loads(shelf.read_text())["writes"] == []


def test_a_specialist_who_only_looks_cannot_ask_for_a_change(belt: Belt, service: Service) -> None:
    outcome = belt.ask(call(1, "probe"))

    assert (outcome.status, outcome.reason) == ("denied", "capability")
    assert rows(service) == [("crew", "denied: capability")]
    assert service.approvals.listed() == ()


def test_what_is_too_long_to_be_told_is_read_whole_by_the_analyzers(belt: Belt) -> None:
    where = canonical({"cluster": "kind", "namespace": "shop", "name": "web"})
    call = ToolCall("c1", "shelf.list", where, Caller("crew", "probe", "run-1"), "key-1")

    outcome = belt.ask(call)

    assert outcome.status == "done", outcome
    assert outcome.blob is not None, "it is longer than a result may be"
    assert json.loads(outcome.content or "")["lines"] == list(filed_shelf.LONG)


def test_what_it_asks_goes_through_servers_and_not_around_them(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    plain = McpToolbelt.call

    async def noted(self: McpToolbelt, call: ToolCall, report: object = None) -> object:
        asked.append(call.tool)
        return await plain(self, call)

    monkeypatch.setattr(McpToolbelt, "call", noted)
    with belt_of(service) as belt:
        assert belt is not None
        belt.ask(call(1, "executor"))
    assert asked == ["shelf.scale"]
