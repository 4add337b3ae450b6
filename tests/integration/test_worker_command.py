"""``aiops worker`` as a process: it does jobs put by others and ends when told to."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from queues import until

from aiops import settings
from aiops.app.incidents.dispatch import due_jobs
from aiops.bootstrap.durable import durable
from aiops.model.incident import Incident

START = "import typer, aiops.cli.worker as w; app = typer.Typer(); w.register(app); app()"


@contextmanager
def worker(url: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Started on a database, in an empty folder; ready when this begins."""
    process = subprocess.Popen(
        [sys.executable, "-c", START],
        env={**os.environ, "AIOPS_DATABASE_URL": url},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert any("worker ready" in line for line in process.stderr)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_beside_the_service_investigates_and_ends_when_told_to(
    database_url: str, tmp_path: Path, told: signal.Signals
) -> None:
    now = datetime.now(UTC)
    with durable(settings.load(database_url=database_url)) as service:
        with service.incidents.work() as work:
            work.put_incident(
                Incident(
                    "inc-1", "Slow", "g", "SEV2", "triggered", now, now, investigate_at=now
                )
            )  # fmt: skip
        with worker(database_url, tmp_path) as process:
            due_jobs(service.incidents, service.queue, service.clock)
            until(lambda: service.incidents.get("inc-1").report, 30)
            asked = time.monotonic()
            process.send_signal(told)
            assert process.wait(10) == 0
            assert time.monotonic() - asked < 5
        assert service.queue.backlog().running == 0
