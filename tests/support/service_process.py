"""``aiops serve`` as a process that a test may kill, stop and starve."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

WAIT_S = 40.0


@dataclass(frozen=True, slots=True)
class Served:
    """It runs: ask ``client``; what it said on standard error is in ``log``."""

    process: subprocess.Popen[str]
    client: httpx.Client
    log: Path

    def incidents(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get("/api/v1/incidents").json()["incidents"]
        return found

    def reported(self) -> dict[str, Any] | None:
        """The report of the newest incident, once there is one."""
        newest = next(iter(self.incidents()), None)
        if newest is None or newest["report"] is None:
            return None
        report: dict[str, Any] = self.client.get(f"/api/v1/incidents/{newest['id']}/report").json()
        return report


def command(*arguments: object) -> list[str]:
    """``aiops`` as its user calls it."""
    return [str(Path(sys.executable).with_name("aiops")), *map(str, arguments)]


@contextmanager
def served(
    folder: Path,
    *,
    port: int = 0,
    dev: bool = True,
    concurrency: int | None = None,
    sources: Mapping[str, Mapping[str, object]] | None = None,
    **settings: str,
) -> Iterator[Served]:
    """``aiops serve`` in ``folder``, with ``--dev`` or without; alerts are investigated at once."""
    log = folder / "serve.log"
    options = ["--dev"] if dev else []
    options += [] if concurrency is None else ["--concurrency", str(concurrency)]
    said = subprocess.PIPE
    with log.open("a") as errors:
        process = subprocess.Popen(
            command("serve", "--port", port, *options),
            cwd=folder,
            env={
                "PATH": os.defpath,
                # Starved of disk it would leave cut bytecode where every other test finds it.
                "PYTHONDONTWRITEBYTECODE": "1",
                "AIOPS_INCIDENTS__SETTLE_S": "0",
                "AIOPS_SOURCES": json.dumps(sources or {}),
                **settings,
            },
            stdout=said,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address is not None, log.read_text()
        with httpx.Client(base_url=address[0], trust_env=False, timeout=WAIT_S) as client:
            wait(lambda: client.get("/healthz").status_code == 200)
            yield Served(process, client, log)
    finally:
        process.kill()
        process.communicate(timeout=WAIT_S)


def wait(seen: Callable[[], object], patience_s: float = WAIT_S) -> None:
    """Until ``seen``; a service that does not answer has not been seen to do anything."""
    end = time.monotonic() + patience_s
    while True:
        try:
            if seen():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def alert(instance: str, service: str = "cart") -> dict[str, Any]:
    """What Alertmanager posts of one alert; ``instance`` makes it another."""
    labels = {"alertname": "TooSlow", "service": service, "instance": instance}
    began = datetime.now(UTC).isoformat()
    one = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": began}
    return {"version": "4", "status": "firing", "alerts": [one]}


def family(pid: int) -> tuple[int, ...]:
    """A process and all below it."""
    below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return (pid, *(one for child in below for one in family(int(child))))
