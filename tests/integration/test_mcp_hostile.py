"""Servers that mean harm, as real processes: each is blocked or bounded, and audited."""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hostile_mcp
import pytest
from belt import Bench
from processes import over_at_the_end

from aiops.errors import ToolFailed
from aiops.model.tool import Outcome
from aiops.toolbelt import mcp_pins
from aiops.toolbelt.mcp_lint import linted
from aiops.toolbelt.mcp_pins import pin_of
from aiops.toolbelt.mcp_third_party import ThirdParty

PATIENCE_S = 60.0
PROGRAM = str(Path(hostile_mcp.__file__))
OURS = ("kubernetes.scale", "kubernetes.delete")


@dataclass
class Enemy:
    """A hostile server and a gateway that it stands behind."""

    folder: Path
    options: dict[str, object]
    servers: list[ThirdParty]

    def turn(self, mode: str) -> None:
        (self.folder / "mode.new").write_text(mode)
        (self.folder / "mode.new").rename(self.folder / "mode")

    def called(self) -> int:
        called = self.folder / "called"
        return len(called.read_text().splitlines()) if called.exists() else 0

    def server(self, **more: object) -> ThirdParty:
        options = {"allow": ("look", "count"), "writes": ("change",), "fresh_s": 0, **self.options}
        made = ThirdParty.connect("other", {**options, **more}, None)
        self.servers.append(made)
        return made

    def pinned(self, **more: object) -> ThirdParty:
        """Its tools as they are now, accepted by a person."""
        server = self.server()
        pins = tuple(pin_of(each) for each in server.listed() if each.name in server.named)
        held = mcp_pins.Pinned(server.pinned.reach, "ann", "2026-11-20T12:00:00Z", pins)
        mcp_pins.write(server.pins_file, mcp_pins.Pins({"other": held}))
        return self.server(**more)

    def bench(self, **more: object) -> Bench:
        return Bench(tools=tuple(self.pinned(**more).tools()))

    def findings(self) -> list[str]:
        pins = [pin_of(each) for each in self.server().listed()]
        return [str(each) for each in linted(pins, OURS)]


@pytest.fixture(params=["stdio", "http"])
def enemy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Enemy]:
    (tmp_path / "mode").write_text("honest")
    options: dict[str, object] = {"pins": tmp_path / "pins.json"}
    with ExitStack() as stack:
        if request.param == "http":
            line = [sys.executable, PROGRAM, "http", str(tmp_path)]
            stack.enter_context(over_at_the_end(subprocess.Popen(line)))
            eventually((tmp_path / "address").exists)
            options["url"] = (tmp_path / "address").read_text()
        else:
            options["command"] = (sys.executable, PROGRAM, "stdio", str(tmp_path))
        enemy = Enemy(tmp_path, options, [])
        try:
            yield enemy
        finally:
            for each in enemy.servers:
                each.close()


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.02)


def asked(bench: Bench, tool: str = "other.look", **more: Any) -> Outcome:
    """The outcome of one call, and its one row."""
    before = len(bench.rows())
    outcome = asyncio.run(bench.ask(tool, {"q": "x"}, capability="executor", **more))
    assert len(bench.rows()) == before + 1, bench.rows()
    assert bench.rows()[-1][0] == tool
    return outcome


def test_an_honest_call_is_answered(enemy: Enemy) -> None:
    bench = enemy.bench()
    assert asked(bench).content == '{"texts":["all is well"]}'
    assert asked(bench, "other.count").content == '{"n":7}'


def test_what_is_not_pinned_or_not_named_does_not_exist(enemy: Enemy) -> None:
    assert list(enemy.server().tools()) == []
    names = {tool.spec.name for tool in enemy.pinned(allow=("look",), writes=()).tools()}
    assert names == {"other.look"}
    assert enemy.called() == 0


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("orders", "reads like an order"),
        ("deep order", "reads like an order"),
        ("hidden", "cannot be seen"),
        ("shadow", "passes for the tool"),
        ("speaks of", "speaks of another tool"),
        ("look-alike", "of ASCII name a tool"),
        ("no schema", "inputSchema"),
        ("remote ref", "outside of the schema"),
        ("slow pattern", "may take for ever"),
    ],
)
def test_a_poisoned_tool_is_seen_before_it_is_pinned(mode: str, said: str, tmp_path: Path) -> None:
    pins = [mcp_pins.Pin(mcp_pins.canonical(each)) for each in hostile_mcp.tools(mode)]
    assert any(said in str(each) for each in linted(pins, OURS)), linted(pins, OURS)


def test_an_honest_tool_has_no_findings(enemy: Enemy) -> None:
    assert enemy.findings() == []


def test_a_tool_that_changed_after_it_was_pinned_is_not_called(enemy: Enemy) -> None:
    bench = enemy.bench()
    assert asked(bench).status == "done"
    enemy.turn("rug pull")
    outcome = asked(bench)
    assert (outcome.status, outcome.reason) == ("failed", "stale")
    assert "aiops mcp pin other" in outcome.summary
    assert enemy.called() == 1
    assert asked(bench, "other.count").status == "done"


def test_a_hint_does_not_make_a_change_a_read(enemy: Enemy) -> None:
    bench = enemy.bench()
    outcome = asked(bench, "other.change")
    assert outcome.status == "waits"
    assert outcome.approval is not None
    assert enemy.called() == 0
    diff = bench.approvals.get(outcome.approval).action.preview.diff
    assert '+  "q": "x"' in diff
    bench.approve(outcome.approval)
    done = asked(bench, "other.change", approval=outcome.approval)
    assert done.status == "unknown"
    assert "look at it by hand" in done.summary
    assert enemy.called() == 1


def test_an_approved_call_of_a_tool_that_changed_is_not_made(enemy: Enemy) -> None:
    bench = enemy.bench()
    waits = asked(bench, "other.change")
    assert waits.approval is not None
    bench.approve(waits.approval)
    enemy.turn("shadow")
    assert asked(bench, "other.change", approval=waits.approval).status in ("failed", "denied")
    assert enemy.called() == 0


def test_an_order_in_a_result_is_data(enemy: Enemy) -> None:
    bench = enemy.bench()
    enemy.turn("order in a result")
    outcome = asked(bench)
    assert outcome.status == "done"
    assert bench.cluster.writes == []
    assert [row for row in bench.rows() if row[0] != "other.look"] == []


def test_what_a_result_links_to_is_not_fetched(enemy: Enemy) -> None:
    bench = enemy.bench()
    enemy.turn("traversal")
    outcome = asked(bench)
    assert "root:" not in outcome.summary
    (unread,) = outcome.unread
    assert "etc/passwd" in unread.what
    assert "not fetched" in unread.reason


@pytest.mark.parametrize("mode", ["huge", "endless", "noise", "crash"])
def test_a_flood_and_a_crash_end_the_call_and_not_the_service(enemy: Enemy, mode: str) -> None:
    bench = enemy.bench(timeout_s=PATIENCE_S)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    enemy.turn(mode)
    outcome = asked(bench)
    assert outcome.status == "failed", outcome
    assert outcome.reason in ("unreachable", "invalid", "failed"), outcome
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown_mb < 100, f"{grown_mb:.0f} MB more"
    enemy.turn("honest")
    eventually(lambda: asked(bench).status == "done")


@pytest.mark.parametrize("mode", ["slow loris", "deaf"])
def test_a_server_that_does_not_answer_costs_its_time_limit(enemy: Enemy, mode: str) -> None:
    enemy.turn("honest")
    bench = enemy.bench(timeout_s=4.0)
    eventually(lambda: asked(bench).status == "done")
    enemy.turn(mode)
    outcome = asked(bench)
    assert outcome.status == "failed"
    assert outcome.reason == "timeout"
    assert "within 4 s" in outcome.summary
    other = asyncio.run(bench.ask("kubernetes.get", _pod()))
    assert other.status == "done"


def test_a_result_against_its_schema_is_refused(enemy: Enemy) -> None:
    bench = enemy.bench()
    enemy.turn("wrong type")
    outcome = asked(bench, "other.count")
    assert (outcome.status, outcome.reason) == ("failed", "invalid")
    assert "seven" not in (outcome.content or "")


@pytest.mark.parametrize("mode", ["many", "no last page"])
def test_a_list_without_an_end_is_refused(enemy: Enemy, mode: str) -> None:
    enemy.turn(mode)
    with pytest.raises(ToolFailed, match=r"more than 500 tools|no end"):
        enemy.server().listed()


def test_a_dead_server_says_so_at_once_and_holds_up_nobody(tmp_path: Path) -> None:
    options = {"command": ("/nowhere/server",), "allow": ("look",), "pins": tmp_path / "pins.json"}
    server = ThirdParty.connect("other", options, None)
    try:
        with pytest.raises(ToolFailed, match="No such file"):
            server.listed()
        with pytest.raises(ToolFailed, match="it is asked again in"):
            server.listed()
    finally:
        server.close()


def test_no_server_outlives_us_however_deaf_it_is(tmp_path: Path) -> None:
    note = (
        f"import os, pathlib; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))"
    )
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    options = {
        "command": (sys.executable, "-c", f"{note}; {deaf}"),
        "allow": ("look",),
        "timeout_s": 10.0,
        "pins": tmp_path / "pins.json",
    }
    server = ThirdParty.connect("other", options, None)
    try:
        with pytest.raises(ToolFailed, match="did not say who it is"):
            server.listed()
    finally:
        server.close()
    process = Path("/proc") / (tmp_path / "pid").read_text()
    assert not process.exists(), "it was ended, and nobody waited for its end"


def _pod() -> dict[str, str]:
    return {"cluster": "prod", "namespace": "shop", "name": "web", "kind": "Pod"}
