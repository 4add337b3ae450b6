"""Other people's servers that we start take no more of the machine than they are allowed."""

import asyncio
import sys
from pathlib import Path

import hostile_mcp
import pytest

from aiops.errors import InvalidInput
from aiops.toolbelt.apart import EXIT_KILLED, Killed
from aiops.toolbelt.family import family
from aiops.toolbelt.mcp_options import read
from aiops.toolbelt.mcp_reach import MIB, Allowance, Bounds, Spawned
from aiops.toolbelt.mcp_sessions import Session

PROGRAM = str(Path(hostile_mcp.__file__))
PATIENCE_S = 60.0
LEAN = Allowance(memory_bytes=120 * MIB)
SLOW = Allowance(cpu_s=1.0)
LONELY = Allowance(8 * 1024 * MIB, processes=8)


def asked(folder: Path, mode: str, allowance: Allowance) -> None:
    """A call of a server in that mode; afterwards an honest one, by another process."""
    (folder / "mode").write_text(mode)

    async def ask() -> None:
        reach = Spawned((sys.executable, PROGRAM, "stdio", str(folder)))
        session = Session("wiki", reach, Bounds(connect_s=PATIENCE_S, process=allowance))
        try:
            await session.call("look", {"q": "x"}, timeout_s=PATIENCE_S)
        finally:
            (folder / "mode").write_text("honest")
            answer = await session.call("look", {"q": "x"}, timeout_s=PATIENCE_S)
            await session.close()
        assert not answer.is_error

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("mode", "allowance", "bound", "said"),
    [
        ("hogs memory", LEAN, "memory", "120 MiB of memory"),
        ("hogs memory in a child", LEAN, "memory", "120 MiB of memory"),
        ("burns", SLOW, "cpu", "1 s of processor time"),
        ("burns in a child", SLOW, "cpu", "1 s of processor time"),
        ("forks", LONELY, "processes", "more than 8 processes"),
        ("is ended", Allowance(), "unknown", "the system ended it"),
    ],
)
def test_what_takes_more_is_killed_and_the_bound_is_named(
    tmp_path: Path, mode: str, allowance: Allowance, bound: str, said: str
) -> None:
    with pytest.raises(Killed, match=said) as killed:
        asked(tmp_path, mode, allowance)
    assert (killed.value.kind, killed.value.bound) == ("killed", bound)
    assert killed.value.exit_code == EXIT_KILLED
    assert "wiki was killed (exit 137)" in killed.value.reason


def test_nothing_that_it_started_is_left(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        asked(tmp_path, "forks", LONELY)
    assert [pid for pid in family(1) if str(tmp_path) in command(pid)] == []


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_one_that_answers_again_and_again_has_its_processor_time_anew(tmp_path: Path) -> None:
    (tmp_path / "mode").write_text("honest")

    async def ask() -> None:
        reach = Spawned((sys.executable, PROGRAM, "stdio", str(tmp_path)))
        allowance = Allowance(cpu_s=0.5)
        session = Session("wiki", reach, Bounds(connect_s=PATIENCE_S, process=allowance))
        for _ in range(4):
            (tmp_path / "mode").write_text("works")
            await session.call("look", {"q": "x"}, timeout_s=PATIENCE_S)
        await session.close()

    asyncio.run(ask())


def test_an_allowance_is_set_for_a_server_that_we_start_only() -> None:
    options = read("wiki", {"command": ["wiki-mcp"], "memory_mb": 64, "cpu_s": 5})
    assert options.allowance == Allowance(memory_bytes=64 * MIB, cpu_s=5)
    with pytest.raises(InvalidInput, match=r"mcp.wiki.*are for a 'command'"):
        read("wiki", {"url": "https://wiki.example/mcp", "memory_mb": 64})
