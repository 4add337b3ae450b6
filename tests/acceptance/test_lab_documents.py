"""What README.md and docs/lab.md tell a new user to do with the lab closes the whole loop.

Their commands run in order, in a fresh folder, with real Prometheus, real Alertmanager and the
service as ``aiops lab up`` starts them; only the port is another. Once something is injected,
nobody does anything until the report is there.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import monitoring
import pytest
from lab_kubectl import kubectls
from programs import needed

REPOSITORY = Path(__file__).parents[2]
AIOPS = Path(sys.executable).with_name("aiops")
MARK = re.compile(
    r"^<!-- not run: a test of its own (?:brings it|has the lab) up -->\n```bash\n(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
FILE = re.compile(r"^```yaml\n# ([\w.]+\.yaml)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NORMAL_S = 15
"""Of normal running, which is what a fault stands out against; nothing is awaited by it."""
PATIENCE_S = 120.0


def commands(document: str, port: int) -> list[list[str]]:
    """Those of the document's blocks that need the lab."""
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    text = text.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace(
        "-port 8080", f"-port {port}"
    )
    return [shlex.split(line) for block in MARK.findall(text) for line in block.splitlines()]


def until(seen: Callable[[], object], said: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < end, said()
        time.sleep(1)


class Reader:
    """Somebody who does as a document says, in a folder of their own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.address = folder, f"http://127.0.0.1:{port}"
        programs = [str(AIOPS.parent), str(Path(kubectls()[0]).parent), os.environ["PATH"]]
        self.environment = {"PATH": os.pathsep.join(programs), "HOME": str(folder)}
        self.log = folder / "up.log"
        self.lab: subprocess.Popen[bytes] | None = None
        self.reports: list[tuple[str, str]] = []

    def up(self, words: list[str]) -> None:
        with self.log.open("wb") as log:
            self.lab = subprocess.Popen(
                words, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        until(
            lambda: "\nprometheus " in self.log.read_text() or self.lab.poll() is not None,
            self.log.read_text,
        )
        assert self.lab.poll() is None, self.log.read_text()

    def run(self, words: list[str]) -> str:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, f"{shlex.join(words)}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def incidents(self) -> list[dict]:
        return monitoring.fetch(f"{self.address}/api/v1/incidents")["incidents"]

    def names(self, service: str) -> bool:
        """Whether some incident's report says that it was this service."""
        self.reports = []
        for incident in self.incidents():
            if incident["report"]:
                path = f"{self.address}/api/v1/incidents/{incident['id']}/report"
                report = monitoring.fetch(path)
                causes = [cause["entity"]["name"] for cause in report["root_causes"]]
                self.reports.append((report["verdict"], ", ".join(causes)))
                if report["verdict"] == "root_cause" and causes[0] == service:
                    return True
        return False


@contextmanager
def reader(folder: Path) -> Iterator[Reader]:
    one = Reader(folder, monitoring.free_port())
    try:
        yield one
    finally:
        if one.lab is not None and one.lab.poll() is None:
            one.lab.send_signal(signal.SIGKILL)
            one.lab.wait()


@pytest.mark.parametrize("document", ["README.md", "docs/lab.md"])
def test_a_new_user_breaks_the_lab_and_reads_which_service_it_was(
    document: str, tmp_path: Path
) -> None:
    for program in ("prometheus", "prometheus-alertmanager"):
        needed(program)
    if not kubectls():
        needed("kubectl")
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    for name, content in FILE.findall(text):
        (tmp_path / name).write_text(content, encoding="utf-8")
    with reader(tmp_path) as user:
        port = int(user.address.rpartition(":")[2])
        done = []
        for words in commands(document, port):
            if words[:3] == ["aiops", "lab", "up"]:
                if "mine.yaml" in words:
                    continue
                user.up(words)
                time.sleep(NORMAL_S)
                continue
            said = user.run(words)
            done.append(words[2] if words[0] == "aiops" else words[0])
            if words[:3] == ["aiops", "lab", "inject"]:
                seen = partial(user.names, words[3].partition("/")[0])
                until(seen, lambda: (user.reports, user.incidents()))
            elif words[0] == "curl":
                assert json.loads(said)["incidents"][0]["report"]
            elif words[2] == "revert":
                until(
                    lambda: {one["status"] for one in user.incidents()} == {"resolved"},
                    user.incidents,
                )
        assert {"kubectl", "inject", "revert", "down"} <= set(done)
        assert user.lab is not None
        assert user.lab.wait(PATIENCE_S) == 0
        assert "the lab has ended" in user.log.read_text()
