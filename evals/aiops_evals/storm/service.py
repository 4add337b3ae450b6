"""The service that a storm comes over: real processes on a database that is given."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiops.errors import AiopsError

_STARTS_WITHIN_S: Final = 30.0
_ENDS_WITHIN_S: Final = 10.0
_NO_LIMIT: Final = "1000000"
"""Requests a minute on the API: what is measured is the service, not its limit."""


class ServiceFailed(AiopsError):
    """The service that was to be measured does not run; the message says what it printed."""


@dataclass(frozen=True, slots=True)
class Running:
    """A service that answers.

    Attributes:
        port: on loopback.
        processes: whose CPU is the service's.
    """

    port: int
    processes: tuple[subprocess.Popen[str], ...]


@contextmanager
def running(url: str, workers: int, folder: Path) -> Iterator[Running]:
    """``aiops serve --dev`` and workers on the database at ``url``; logs go to ``folder``.

    With workers, only they investigate.

    Raises:
        ServiceFailed: it does not come up.
    """
    with ExitStack() as stack:
        alone = () if workers == 0 else ("--no-worker",)
        serve = stack.enter_context(_started(url, folder, "serve", "--dev", "--port", "0", *alone))
        assert serve.stdout is not None  # noqa: S101
        address = re.search(r"http://127\.0\.0\.1:(\d+)", serve.stdout.readline())
        if address is None:
            raise ServiceFailed(f"'aiops serve' does not start: {_end_of(folder / 'serve.log')}")
        others = [
            stack.enter_context(_started(url, folder, "worker", name=f"worker-{n}"))
            for n in range(workers)
        ]
        for n in range(workers):
            _ready(folder / f"worker-{n}.log")
        yield Running(int(address[1]), (serve, *others))


@contextmanager
def _started(
    url: str, folder: Path, *arguments: str, name: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """One ``aiops``, stopped at the end."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AIOPS_")},
        "AIOPS_DATABASE_URL": url,
        "AIOPS_WEB__REQUESTS_PER_MINUTE": _NO_LIMIT,
    }
    with (folder / f"{name or arguments[0]}.log").open("w") as log:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("aiops")), *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _ready(log: Path) -> None:
    """Wait until a worker has come up: its start is no part of what is measured."""
    last = time.monotonic() + _STARTS_WITHIN_S
    while "worker ready" not in log.read_text():
        if time.monotonic() > last:
            raise ServiceFailed(f"'aiops worker' does not start: {_end_of(log)}")
        time.sleep(0.1)


def cpu_s(root: int) -> float:
    """CPU time of a process and its children so far, in seconds; Linux."""
    tick, found = os.sysconf("SC_CLK_TCK"), 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            said = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if root in (int(stat.parent.name), int(said[1])):
            found += (int(said[11]) + int(said[12])) / tick
    return found


def machine_s() -> float:
    """CPU time of everything on the machine so far, in seconds; Linux."""
    said = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    busy = [int(each) for n, each in enumerate(said[:8]) if n not in (3, 4)]  # idle, iowait
    return sum(busy) / os.sysconf("SC_CLK_TCK")


def _end_of(log: Path) -> str:
    return " ".join(log.read_text().split())[-500:]
