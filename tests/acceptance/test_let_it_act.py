"""An action from its proposal over MCP to the pod that runs, on a lab made by ``aiops lab up``."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from lab_kubectl import Kubectl, kubectls
from programs import needed
from queues import until
from small_lab import written

from aiops.model.canonical import canonical
from aiops.model.tool import Caller, Outcome, ToolCall
from aiops.store.clock import SystemClock
from aiops.toolbelt.mcp_belt import McpToolbelt
from aiops.toolbelt.mcp_reach import Bounds, Spawned

pytestmark = pytest.mark.skipif(not kubectls(), reason="there is no kubectl")
AIOPS = Path(sys.executable).with_name("aiops")
SPACE, WAIT_S = "kiosk", 120.0
SCALE = {"cluster": "lab", "namespace": SPACE, "kind": "Deployment", "name": "shelf", "replicas": 2}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Path]:
    """A lab with all that watches it; its folder."""
    for program in ("prometheus", "prometheus-alertmanager"):
        needed(program)
    with _up(tmp_path) as folder:
        yield folder


@contextmanager
def _up(tmp_path: Path) -> Iterator[Path]:
    folder, errors = tmp_path / "lab", tmp_path / "lab.err"
    line = [AIOPS, "lab", "up", "--dir", folder, "--topology", written(tmp_path)]
    with (
        errors.open("w") as said,
        subprocess.Popen(
            [*line, "--with-monitoring"], stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert "pods ready after" in process.stdout.readline(), errors.read_text()
            state = folder / "state.json"
            until(lambda: state.exists() and _address(folder) is not None, WAIT_S)
            yield folder
        finally:
            process.terminate()
            process.communicate(timeout=WAIT_S)


def _address(folder: Path) -> str | None:
    programs = json.loads((folder / "state.json").read_text())["programs"]
    return next((one["url"] for one in programs if one["name"] == "aiops" and one["up"]), None)


def proposed(key: str) -> Outcome:
    """By an agent, over MCP to a server of its own, signed as our processes sign."""
    env = {"AIOPS_GATEWAY__IDENTITY_KEY": key, "HOME": os.environ["HOME"]}
    server = Spawned((str(AIOPS), "mcp", "serve", "kubernetes"), env)
    caller = Caller("investigator", "executor", "run-1")
    call = ToolCall("call-1", "kubernetes.scale", canonical(SCALE), caller, "k", reason="slow")

    async def asked() -> Outcome:
        async with McpToolbelt({"kubernetes": server}, key.encode(), SystemClock()) as belt:
            return await belt.call(call)

    return asyncio.run(asked())


def test_an_action_is_proposed_over_mcp_approved_and_seen_by_kubectl(
    lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubectl = Kubectl(kubectls()[0], lab / "kubernetes" / "admin.kubeconfig", SPACE)
    monkeypatch.chdir(lab / "monitoring")
    # A server that starts beside a whole lab on a busy machine may take its time.
    monkeypatch.setattr("aiops.toolbelt.mcp_belt._OURS", Bounds(connect_s=WAIT_S))

    waits = proposed(secrets.token_hex(32))
    assert waits.status == "waits", waits

    with httpx.Client(base_url=str(_address(lab)), trust_env=False, timeout=WAIT_S) as api:
        path = f"/api/v1/approvals/{waits.approval}"
        action_hash = api.get(path).json()["action_hash"]
        answer = api.post(path, json={"decision": "approve", "action_hash": action_hash})
        assert answer.status_code == 200, answer.text

        def outcome() -> Any:
            return api.get(path).json()["outcome"]

        until(outcome, WAIT_S)
        assert outcome().startswith("done: "), outcome()
    assert kubectl("get", "deployment/shelf", "-o", "jsonpath={.status.readyReplicas}") == "2"

    listed = _aiops("audit", "list", "--json", "--limit", "1000")
    rows = [json.loads(line) for line in listed.splitlines()]
    scaled = [row["outcome"] for row in rows if row["action"] == "kubernetes.scale"]
    assert sorted(scaled) == ["done", "waits: approval"]
    _aiops("audit", "verify")


def _aiops(*words: str) -> str:
    done = subprocess.run([AIOPS, *words], capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 0, done.stderr
    return done.stdout
