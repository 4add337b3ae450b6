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
from queues import until, working

from aiops import settings
from aiops.app.incidents.dispatch import due_jobs
from aiops.bootstrap.durable import durable
from aiops.model.incident import Incident
from aiops.model.job import Job

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


def test_jobs_that_ended_long_ago_are_forgotten_with_the_incidents_of_their_time(
    database_url: str,
) -> None:
    kept = settings.RetentionSettings(incidents_days=1e-6)
    with durable(settings.load(database_url=database_url, retention=kept)) as service:
        done = Job("investigate:inc-1:1", "try", "inc-1", service.clock.now())
        waits = Job("investigate:inc-2:1", "other", "inc-2", service.clock.now())
        for each in (done, waits):
            service.queue.put(each)
        with working(service.queue, {"try": str}):
            until(lambda: service.queue.backlog().due == 1 and not service.queue.backlog().running)
        time.sleep(0.2)  # longer than they are kept
        dict(service.chores)["retention"]()
        assert service.queue.put(done)
        assert not service.queue.put(waits)
