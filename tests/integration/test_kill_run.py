"""kill -9 in the middle of a run: another process finishes it, and acts once."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "support" / "killable_run.py"
PATIENCE_S = 120


def process(url: str, writes: Path, dies_at: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM, url, writes, dies_at],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("node", ["specialist", "execute"])
def test_another_process_finishes_what_was_killed(
    node: str, database_url: str, tmp_path: Path
) -> None:
    writes = tmp_path / "writes"
    killed = process(database_url, writes, node)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = process(database_url, writes, "-")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == ["root_cause", ["done"]]
    assert writes.read_text(encoding="utf-8") == "web 4\n"
