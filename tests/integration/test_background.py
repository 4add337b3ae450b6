"""What the service does without being asked, on the in-memory twins."""

import time
from collections.abc import Callable
from pathlib import Path

from aiops.bootstrap.background import Background
from aiops.bootstrap.objectives import slos_of
from aiops.bootstrap.service import Service, in_memory
from aiops.bootstrap.working import Working, reporting
from aiops.jobs.loops import Heartbeats
from aiops.model.alert import Alert, Delivery
from aiops.model.entity import Entity
from aiops.settings import IncidentSettings, Settings, WebhookSettings

WAIT_S = 20.0
SLOS = """
slos:
  - name: cart-errors
    service: cart
    sli: {kind: availability, total: http_requests_total, bad: http_errors_total}
    objective: 99.9
    window: 30d
"""


def wait(until: Callable[[], bool]) -> None:
    last = time.monotonic() + WAIT_S
    while not until():
        assert time.monotonic() < last, "it did not happen in time"
        time.sleep(0.01)


def deliver(service: Service) -> None:
    now = service.clock.now()
    labels = (("service", "web"),)
    entity = Entity("service", "web")
    alert = Alert("prom", "f1", "firing", "TooSlow", labels, (), now, entity=entity)
    service.inbox.put([Delivery("del-1", "prom", now, (alert,))])


def test_a_delivery_becomes_an_incident_and_that_a_report() -> None:
    service = in_memory(Settings(incidents=IncidentSettings(settle_s=0)))
    heartbeats = Heartbeats(service.clock)
    background, working = Background(service, heartbeats), Working(service)
    background.start()
    working.start()
    try:
        deliver(service)
        wait(lambda: bool(service.investigations.newest()))
        (investigation,) = service.investigations.newest()
        wait(lambda: service.incidents.get(investigation.about).report == investigation.id)
    finally:
        background.stop()
        working.stop()
    assert max(heartbeats.overdue().values()) < 10


def test_a_process_without_a_worker_leaves_the_job_to_others() -> None:
    service = in_memory(Settings(incidents=IncidentSettings(settle_s=0)))
    background = Background(service, Heartbeats(service.clock))
    background.start()
    try:
        deliver(service)
        wait(lambda: service.queue.backlog().due == 1)
    finally:
        background.stop()
    assert service.investigations.newest() == ()


def test_objectives_are_watched_where_there_are_any(tmp_path: Path) -> None:
    file = tmp_path / "slos.yaml"
    file.write_text(SLOS)
    service = in_memory(Settings(slos=file))
    heartbeats = Heartbeats(service.clock)
    background = Background(service, heartbeats)
    background.start()
    background.stop()
    assert "objectives" in heartbeats.overdue()
    assert reporting(service).slos == slos_of(service.settings) != ()


def test_a_webhook_for_changes_makes_their_absence_mean_something() -> None:
    told = Settings(webhooks={"hub": WebhookSettings(kind="github", secret="s")})
    assert reporting(in_memory(told)).changes_recorded
    assert not reporting(in_memory(Settings())).changes_recorded
