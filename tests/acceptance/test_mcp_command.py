"""``aiops mcp`` as a person uses it: serve a toolset, look at another's server, pin it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import hostile_mcp
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

PATIENCE_S = 60.0
AIOPS = str(Path(sys.executable).with_name("aiops"))
SERVER = [sys.executable, str(Path(hostile_mcp.__file__)), "stdio", "."]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mode").write_text("honest")
    command = ", ".join(f'"{word}"' for word in SERVER)
    (tmp_path / "aiops.toml").write_text(
        f'[mcp.other]\ncommand = [{command}]\nallow = ["look", "count"]\n'
    )
    return tmp_path


def aiops(folder: Path, *words: str, rc: int = 0) -> str:
    done = subprocess.run(
        [AIOPS, *words], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == rc, done
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_anothers_server_is_looked_at_pinned_and_blocked_once_it_turns(folder: Path) -> None:
    assert "not as pinned: count, look" in aiops(folder, "mcp", "list")
    assert "new      used" in aiops(folder, "mcp", "inspect", "other")
    assert "2 tools of other are pinned" in aiops(folder, "mcp", "pin", "other", "--yes")
    assert "other                third party; 3 tools listed, 2 pinned" in aiops(
        folder, "mcp", "list"
    )
    (folder / "mode").write_text("rug pull")
    assert "changed" in aiops(folder, "mcp", "inspect", "other")
    assert "not as pinned: look" in aiops(folder, "mcp", "list")
    (folder / "mode").write_text("orders")
    said = aiops(folder, "mcp", "pin", "other", "--yes", rc=2)
    assert "nothing is pinned: look, description: reads like an order" in said


def test_nothing_is_pinned_without_a_yes(folder: Path) -> None:
    asked = subprocess.run(
        [AIOPS, "mcp", "pin", "other"],
        cwd=folder,
        input="n\n",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "nothing was pinned" in asked.stdout
    assert not (folder / "mcp-pins.json").exists()


def test_a_toolset_is_served_to_any_client_and_every_call_is_audited(folder: Path) -> None:
    (folder / "aiops.toml").unlink()
    parameters = StdioServerParameters(
        command=AIOPS, args=["mcp", "serve", "incidents"], cwd=folder
    )

    async def work() -> Any:
        async with (
            asyncio.timeout(PATIENCE_S * 3),
            Client(stdio_client(parameters)) as client,
        ):
            tools = await client.list_tools()
            return tools.tools, await client.call_tool("incidents.nothing", {})

    tools, answer = asyncio.run(work())
    assert tools
    assert {tool.name.partition(".")[0] for tool in tools} == {"incidents", "results"}
    assert answer.structured_content["reason"] == "unknown_tool"
    assert "incidents.nothing" in aiops(folder, "audit", "list")
    aiops(folder, "audit", "verify")


def test_over_http_a_scoped_token_opens_one_toolset(folder: Path) -> None:
    (folder / "aiops.toml").unlink()
    secret = aiops(folder, "token", "create", "ide", "--scope", "tools:incidents").splitlines()[0]
    other = aiops(folder, "token", "create", "ide", "--scope", "tools:telemetry").splitlines()[0]
    process = subprocess.Popen(
        [AIOPS, "mcp", "serve", "incidents", "--http", "--port", "0"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        address = next(word for word in said.split() if word.startswith("http")).rstrip(";")
        assert len(asyncio.run(_tools(address, secret))) > 3
        refused = httpx2.post(
            address,
            json={},
            headers={"Authorization": f"Bearer {other}"},
            trust_env=False,
            timeout=PATIENCE_S,
        )
        assert refused.status_code == 401
    finally:
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + PATIENCE_S
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
        process.communicate()


async def _tools(address: str, secret: str) -> list[Any]:
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S, trust_env=False) as http,
        Client(streamable_http_client(address, http_client=http)) as client,
    ):
        return list((await client.list_tools()).tools)


def test_wrong_use_is_one_line(folder: Path) -> None:
    assert "unknown toolset 'nothing'" in aiops(folder, "mcp", "serve", "nothing", rc=2)
    assert "unknown server of others" in aiops(folder, "mcp", "pin", "nothing", rc=2)
    config = folder / "aiops.toml"
    config.write_text('[mcp.telemetry]\ncommand = ["x"]\n')
    assert "call the server otherwise" in aiops(folder, "mcp", "list", rc=2)
    config.write_text("[mcp.other]\n")
    assert "either 'command' or 'url'" in aiops(folder, "mcp", "list", rc=2)
