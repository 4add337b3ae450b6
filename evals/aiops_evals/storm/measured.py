"""One storm over one service, and what became of every alert. Times are the client's."""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Self

import httpx

from aiops.bootstrap.durable import durable
from aiops.errors import AiopsError
from aiops.settings import Settings
from aiops_evals.storm.client import Sent
from aiops_evals.storm.load import Load, alert, body, fingerprint
from aiops_evals.storm.service import Running, cpu_s, machine_s, running

PATH: Final = "/webhooks/alertmanager"
OPEN: Final = 10_000
"""Open incidents among which state changes are measured."""
ACTS: Final = 100
"""State changes of each kind."""
LEAST_PER_S: Final = 0.99
"""Share of the rate below which the client was too slow and the run is invalid."""
_ACT_EVERY_S: Final = 0.5
_PATIENCE_S: Final = 60.0
_DRAINED_S: Final = 300.0
_AT_ONCE: Final = 200
_STILL_OPEN: Final = ("triggered", "acknowledged")
_MOST: Final = 1_000_000


class InvalidRun(AiopsError):
    """The run measured something else than was asked; the message says what."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of state changes, in milliseconds."""

    number: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one storm did.

    Attributes:
        lost: fingerprints that were answered 202 and are not in the store.
        uncounted: requests answered 202 that no alert of the store counts.
        incidents, expected: how many there are, and how many there should be.
        wrong: groups of alerts that are not together, alone, in one incident.
        behind_s: from the last request until triage had taken in everything.
        open_incidents: when ``acts`` were done.
        storm_acts, acts: acknowledge and resolve over the API, during the storm and after it.
        service_cpu, machine_cpu: cores used during the storm, by it and by everything.
    """

    engine: str
    workers: int
    load: Load
    sent: Sent
    lost: int
    uncounted: int
    incidents: int
    expected: int
    wrong: int
    behind_s: float
    open_incidents: int
    storm_acts: Times
    acts: Times
    service_cpu: float
    machine_cpu: float


def measured(url: str, workers: int, load: Load, *, open_incidents: int = OPEN) -> Outcome:
    """Blow a storm over a service on an empty database.

    Raises:
        ServiceFailed: the service does not run.
        InvalidRun: the database is not empty, the client was too slow, or triage never caught up.
    """
    with tempfile.TemporaryDirectory(prefix="aiops-storm-") as folder:
        if _states(url):
            raise InvalidRun("the database holds alerts already; give a new one")
        with running(url, workers, Path(folder)) as service:
            with _client(service) as api, Acting(api) as acting:
                sent, own, all_of_it = _blown(service, load)
            if sent.sent_per_s < LEAST_PER_S * load.rate:
                raise InvalidRun(
                    f"the client sent {sent.sent_per_s:.0f} requests/s, not {load.rate}; the "
                    "machine is too busy to measure on"
                )
            with _client(service) as api:
                behind_s = _drained(api)
                states = _states(url)
                count = _filled(api, load, open_incidents)
                acts = _acted(api, _open(api, ACTS))
    refused = set(sent.refused)
    accepted = [n for i, n in enumerate(load.alerts()) if i not in refused]
    kept = {print_: deliveries for print_, _, deliveries in states}
    together: defaultdict[str | None, set[str]] = defaultdict(set)
    for print_, incident, _ in states:
        together[incident].add(print_)
    expected, found = load.groups(accepted), {frozenset(each) for each in together.values()}
    return Outcome(
        engine=url.partition(":")[0],
        workers=workers,
        load=load,
        sent=sent,
        lost=len({fingerprint(n) for n in accepted} - kept.keys()),
        uncounted=len(accepted) - sum(kept.values()),
        incidents=len(together),
        expected=len(expected),
        wrong=len(expected ^ found),
        behind_s=behind_s,
        open_incidents=count,
        storm_acts=_times(acting.took_s),
        acts=_times(acts),
        service_cpu=own,
        machine_cpu=all_of_it,
    )


class Acting:
    """Acknowledges and resolves an incident now and then while a storm blows, in a thread."""

    def __init__(self, api: httpx.Client) -> None:
        self.took_s: list[float] = []
        self._api, self._stop = api, Event()
        self._thread = Thread(target=self._go_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(_ACT_EVERY_S):
            self.took_s += _acted(self._api, _open(self._api, 1))


def _client(service: Running) -> httpx.Client:
    return httpx.Client(
        base_url=f"http://127.0.0.1:{service.port}", trust_env=False, timeout=_PATIENCE_S
    )


def _blown(service: Running, load: Load) -> tuple[Sent, float, float]:
    """The storm; also how many cores the service and the whole machine used meanwhile."""
    numbers = (load.rate, load.seconds, load.sources, load.connections)
    before, machine, began = _cpu(service), machine_s(), time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "aiops_evals.storm.client"),
            *("127.0.0.1", str(service.port), PATH, *map(str, numbers)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise InvalidRun(f"the client failed: {done.stderr[-500:]}")
    passed = time.monotonic() - began
    sent: dict[str, Any] = json.loads(done.stdout)
    sent["refused"] = tuple(sent["refused"])
    sent["p99_per_second_ms"] = tuple(sent["p99_per_second_ms"])
    return Sent(**sent), (_cpu(service) - before) / passed, (machine_s() - machine) / passed


def _cpu(service: Running) -> float:
    return sum(cpu_s(each.pid) for each in service.processes)


def _drained(api: httpx.Client) -> float:
    """Wait until triage has taken in everything; returns how long that was, in seconds."""
    began = time.monotonic()
    _until(lambda: api.get("/readyz").json()["waiting"] == 0, "triage to take in what came")
    return time.monotonic() - began


def _filled(api: httpx.Client, load: Load, most: int) -> int:
    """Open more incidents until there are ``most``, and those that acts will end.

    Returns how many are open.
    """
    more = Load(sources=most + 2 * ACTS + 2 * load.seconds)
    numbers = [source + 1000 * more.sources for source in range(load.sources, more.sources)]
    starts_at = datetime.now(UTC).isoformat()
    for first in range(0, len(numbers), _AT_ONCE):
        alerts = [alert(more, n, starts_at) for n in numbers[first : first + _AT_ONCE]]
        api.post(PATH, content=body(alerts)).raise_for_status()
    _drained(api)
    lines = api.get("/metrics").text.splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if line.startswith("aiops_incidents{"))
    return round(sum(float(told[f'aiops_incidents{{status="{each}"}}']) for each in _STILL_OPEN))


def _open(api: httpx.Client, number: int) -> list[str]:
    """Some triggered incidents, newest first."""
    page = api.get("/api/v1/incidents", params={"status": "triggered", "limit": number})
    return [each["id"] for each in page.raise_for_status().json()["incidents"]]


def _acted(api: httpx.Client, ids: list[str]) -> list[float]:
    """Acknowledge and resolve each; returns how long each act took, in seconds."""
    took = []
    for each in ids:
        for act in ("acknowledge", "resolve"):
            began = time.monotonic()
            answer = api.post(f"/api/v1/incidents/{each}/{act}")
            took.append(time.monotonic() - began)
            answer.raise_for_status()
    return took


def _states(url: str) -> list[tuple[str, str | None, int]]:
    """Every alert of the store: fingerprint, incident, deliveries."""
    with durable(Settings(database_url=url)) as service:
        return [
            (state.alert.fingerprint, state.incident, state.deliveries)
            for state in service.incidents.alerts(limit=_MOST)
        ]


def _until(holds: Callable[[], bool], what: str) -> None:
    last = time.monotonic() + _DRAINED_S
    while not holds():
        if time.monotonic() > last:
            raise InvalidRun(f"waited {_DRAINED_S:.0f} s for {what}")
        time.sleep(0.1)


def _times(took_s: list[float]) -> Times:
    if not took_s:
        raise InvalidRun("no state change was measured")
    ordered = sorted(1000 * each for each in took_s)
    return Times(
        len(ordered),
        round(statistics.median(ordered), 1),
        round(ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], 1),
        round(ordered[-1], 1),
    )
