"""What README.md and docs/running.md tell a new user to do with the service does what they say.

Their ``sh`` blocks run in order in one shell, in a fresh folder; only the port is another, and a
service is sent to the background where a reader would open a second terminal.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from monitoring import free_port
from processes import over_at_the_end

from aiops_datasets.synthetic import plant, specified

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 240.0
"""How long a busy machine may take over a whole document, which is half a minute otherwise."""
pytestmark = pytest.mark.timeout(600)
_BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>not run|exit): (?P<value>[^\n]*) -->\n)?"
    r"```(?P<kind>sh|toml|yaml)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_FILE = re.compile(r"# ([\w.]+\.(?:toml|yaml))\n")


def script(document: str, port: int) -> str:
    """The document as a shell script; a block that starts with ``# FILE`` becomes that file.

    The reader looks at the first report before going on.
    """
    reports = f"curl -s http://127.0.0.1:{port}/api/v1/incidents > looked; grep -q inv- looked"
    lines = ["set -eu", "trap 'kill $(cat pids) 2>/dev/null || true' TERM"]
    for block in _BLOCK.finditer((REPOSITORY / document).read_text(encoding="utf-8")):
        text, file = block["text"], _FILE.match(block["text"])
        if block["mark"] == "not run":
            continue
        if block["kind"] != "sh":
            if file:
                lines += [f"cat > {file[1]} <<'END_OF_FILE'", text + "END_OF_FILE"]
            continue
        for line in text.splitlines():
            command = line.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
            if command.startswith("aiops serve"):
                lines += [
                    f"{command} --port {port} > log 2>&1 & echo $! >> pids",
                    f"until curl -sf http://127.0.0.1:{port}/readyz > ready; do sleep 0.2; done",
                ]
            elif command.startswith("aiops replay"):
                lines += [f"until {reports}; do sleep 0.2; done", command]
            elif block["mark"] == "exit":
                lines += [f"code=0; {command} || code=$?", f"test $code = {block['value']}"]
            else:
                lines.append(command)
    return "\n".join([*lines, "echo; echo all of it was done", "wait"])


@dataclass(frozen=True, slots=True)
class Told:
    """A document's commands, done, with the service still running."""

    folder: Path
    client: httpx.Client

    def incidents(self) -> list[dict[str, Any]]:
        """All of them, newest first."""
        found: list[dict[str, Any]] = self.client.get("/api/v1/incidents").json()["incidents"]
        return found

    def verdicts(self, incident: dict[str, Any]) -> list[str]:
        """Of its reports, the first one first."""
        asked = {"about": incident["id"]}
        found = self.client.get("/api/v1/investigations", params=asked).json()["investigations"]
        return [each["verdict"] for each in reversed(found)]


@pytest.fixture
def told(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Told]:
    port, environment = free_port(), {"COLUMNS": "200", "no_proxy": "*"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    output = tmp_path / "output"
    with output.open("w") as writing:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", script(request.param, port)],
            cwd=tmp_path,
            env=environment,
            stdout=writing,
            stderr=subprocess.STDOUT,
        )
        try:
            until(
                lambda: "all of it was done" in output.read_text() or shell.poll() is not None,
                output.read_text,
            )
            assert "all of it was done" in output.read_text(), output.read_text()
            assert "Traceback" not in output.read_text()
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE_S) as client:
                yield Told(tmp_path, client)
        finally:
            with over_at_the_end(shell):
                shell.terminate()
                shell.wait(PATIENCE_S)


def until(done: Callable[[], object], shown: Callable[[], object]) -> None:
    """Wait for it; where it takes too long, say what is there instead."""
    last = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < last, shown()
        time.sleep(0.2)


@pytest.mark.parametrize("told", ["README.md"], indirect=True)
def test_the_first_steps_lead_to_an_inconclusive_report_and_to_one_with_a_cause(told: Told) -> None:
    until(lambda: len(told.incidents()) == 2, told.incidents)
    sent, first = told.incidents()
    assert (first["title"], first["severity"]) == ("p99 above 2 s", "SEV1")
    assert told.verdicts(first)[0] == "inconclusive"
    until(lambda: "root_cause" in told.verdicts(sent), told.incidents)
    report = told.client.get(f"/api/v1/incidents/{sent['id']}/report").json()
    planted = plant(specified("synthetic:7")).answers.entities
    assert report["root_causes"][0]["entity"]["name"] in {each.name for each in planted}
    assert "Root cause found" in told.client.get(f"/incidents/{sent['id']}").text


@pytest.mark.parametrize("told", ["docs/running.md"], indirect=True)
def test_a_team_s_set_up_works_as_it_is_told(told: Told) -> None:
    said = (told.folder / "output").read_text()
    assert '"title":"p99 above 2 s"' in said or '"alerts": 1' in said
    assert "web-errors" in (told.folder / "slos.yaml").read_text()
    assert (told.folder / "restored.db").is_file()
    assert told.client.get("/api/v1/incidents").status_code == 401
    assert "responder" in said


def test_every_shell_block_of_a_document_is_run_by_some_test() -> None:
    """Those of webhooks.md and changes.md run in tests/contract, with an HTTP server of theirs;
    those of chat.md in test_ask_in_chat, where there is something to ask about."""
    documents = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    live = {
        path.name
        for path in documents
        if re.search(r"^```sh$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert live == {"README.md", "running.md", "webhooks.md", "changes.md", "chat.md"}
