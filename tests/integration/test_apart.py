"""The processes beside the service, as ``aiops serve`` starts it: real processes on SQLite."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from aiops.bootstrap.beside import Beside
from aiops.bootstrap.durable import durable
from aiops.bootstrap.service import Service
from aiops.errors import InvalidInput
from aiops.model.alert import Alert, Delivery
from aiops.settings import Settings
from aiops.web.telemetry import configure_logs

WAIT_S = 120.0
QUIET = partial(configure_logs, terminal=False)


def until(holds: Callable[[], bool]) -> None:
    last = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < last, "it did not come to that"
        time.sleep(0.05)


def alert(name: str) -> Delivery:
    now = datetime.now(UTC)
    labels = (("alertname", name), ("service", name))
    firing = Alert("prom", name, "firing", name, labels, (), now)
    return Delivery(f"d-{name}", "prom", now, (firing,))


def process(name: str) -> int:
    (child,) = (each for each in active_children() if each.name == name)
    assert child.pid is not None
    return child.pid


@contextmanager
def beside(service: Service) -> Iterator[Beside]:
    made = Beside(service.settings, service.clock, at_once=1, prepare=QUIET)
    with ExitStack() as stack:
        stack.callback(made.stop)
        made.start()
        yield made


@pytest.fixture
def service(sqlite_url: str) -> Iterator[Service]:
    with durable(Settings(database_url=sqlite_url)) as made:
        yield made


def test_what_was_accepted_becomes_an_incident_and_the_end_is_orderly(service: Service) -> None:
    with beside(service) as running:
        until(lambda: max(running.overdue().values()) < 1)
        service.inbox.put([alert("web")])
        until(lambda: service.incidents.counts()["triggered"] == 1)
    assert not {each.name for each in active_children()} & {"background", "work"}


@pytest.mark.parametrize("name", ["background", "work"])
def test_a_process_that_is_killed_is_started_again_and_goes_on(service: Service, name: str) -> None:
    with beside(service):
        killed = process(name)
        os.kill(killed, signal.SIGKILL)
        service.inbox.put([alert("web")])
        until(lambda: bool(service.investigations.newest()))
        assert process(name) != killed


def test_without_work_only_watch_is_kept(service: Service) -> None:
    made = Beside(service.settings, service.clock, at_once=0, prepare=QUIET)
    with ExitStack() as stack:
        stack.callback(made.stop)
        made.start()
        service.inbox.put([alert("web")])
        until(lambda: service.queue.backlog().due == 1)
        assert {each.name for each in active_children()} & {"background", "work"} == {"background"}


def test_processes_that_stand_still_are_late_and_are_killed_at_the_end(service: Service) -> None:
    with beside(service) as running:
        for name in ("background", "work"):
            os.kill(process(name), signal.SIGSTOP)
        until(lambda: min(running.overdue().values()) > 0.5)
        began = time.monotonic()
        running.stop(patience_s=0.5)
        assert time.monotonic() - began < WAIT_S


def test_a_background_that_cannot_work_says_why_before_anything_is_answered(
    sqlite_url: str,
) -> None:
    wrong = Settings(database_url=sqlite_url, method="sorcery")
    with (
        durable(wrong) as service,
        pytest.raises(InvalidInput, match="sorcery"),
        beside(service),
    ):
        pass


def test_a_service_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    serve = subprocess.Popen(
        [Path(sys.executable).with_name("aiops"), "serve", "--dev", "--port", "0"],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with serve:
        assert serve.stdout is not None
        assert re.search("listens on", serve.stdout.readline())
        children = Path(f"/proc/{serve.pid}/task/{serve.pid}/children").read_text().split()
        assert children
        serve.kill()
    until(lambda: not any(alive(pid) for pid in children))


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
