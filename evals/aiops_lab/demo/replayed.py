"""What `aiops serve` is made of, at the time of a recording: alert in, report out."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

from aiops.bootstrap.background import Background
from aiops.bootstrap.durable import durable
from aiops.bootstrap.working import Working
from aiops.errors import AiopsError
from aiops.ingest.replay import alert
from aiops.jobs.loops import Heartbeats
from aiops.model.incident import IncidentQuery
from aiops.settings import IncidentSettings, Settings
from aiops.store.clock import SystemClock
from aiops_lab.demo.clock import RecordedClock
from aiops_lab.demo.source import NAME, Recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from fastapi import FastAPI

    from aiops.bootstrap.service import Service
    from aiops.model import CaseData
    from aiops.model.incident import Incident
    from aiops.model.report import Report

GROUP_WAIT = timedelta(seconds=30)
"""How long an Alertmanager keeps an alert before it tells of it, as it comes."""
ALONE = IncidentSettings(settle_s=1)
"""No second alert is coming, so none is awaited for long."""
LOOK_S = 0.1
PATIENCE_S = 120.0
"""Seconds of ours for one report; machines that need more have another trouble."""
END_S = 5.0
WEBHOOK = "/webhooks/generic"


class NoReport(AiopsError):
    """The service took the alert and says nothing of it."""

    def __init__(self) -> None:
        super().__init__(
            f"no report within {PATIENCE_S:.0f} s of the alert; is this machine busy? Try again"
        )


class AlertRefused(AiopsError):
    """The service's webhook does not take the alert."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(
            f"the demo's own webhook answers {status} to the alert: {said[:200]}; try again, and "
            "tell us if it stays so"
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    """A running service for which the recorded alert is about to fire.

    Attributes:
        address: of its pages and API, on this machine only.
    """

    case: CaseData
    service: Service
    address: str
    clock: RecordedClock

    def fire(self) -> None:
        """Post the alert to the webhook; from here on time passes.

        Raises:
            AlertRefused: it is not taken.
        """
        import httpx

        self.clock.begin()
        with httpx.Client(base_url=self.address, trust_env=False, timeout=PATIENCE_S) as client:
            body = alert(self.case.trigger, self.case.id, _fired(self.case))
            answer = client.post(WEBHOOK, content=body)
        if not answer.is_success:
            raise AlertRefused(answer.status_code, answer.text)

    def outcome(self) -> tuple[Incident, Report]:
        """The first report that is sure of something, or the last before the recording ends.

        Raises:
            NoReport: there is none in time.
        """
        patience = time.monotonic() + PATIENCE_S
        while time.monotonic() < patience:
            over = self.clock.now() > self.case.window.end
            for incident in self.service.incidents.find(IncidentQuery()):
                if incident.report is not None:
                    report = self.service.investigations.get(incident.report).report
                    if report.verdict != "inconclusive" or over:
                        return incident, report
            time.sleep(LOOK_S)
        raise NoReport


@contextmanager
def replayed(case: CaseData, folder: Path) -> Iterator[Replayed]:
    """The service at the moment of the alert, with ``folder`` for its database.

    It reads no settings of anybody's and no telemetry but the recording's.
    """
    from aiops.web.app import create

    clock = RecordedClock(_fired(case) + GROUP_WAIT, SystemClock())
    settings = Settings.model_construct(
        database_url=f"sqlite:///{folder / 'demo.db'}", incidents=ALONE
    )
    with ExitStack() as stack:
        opened = stack.enter_context(durable(settings, clock=clock))
        service = replace(opened, sources=((NAME, Recording(case, clock)),))
        heartbeats = Heartbeats(clock)
        for each in (Background(service, heartbeats), Working(service)):
            each.start()
            stack.callback(each.stop)
        app = create(service, dev=True, heartbeats=heartbeats.overdue)
        yield Replayed(case, service, stack.enter_context(_served(app)), clock)


def _fired(case: CaseData) -> datetime:
    return case.trigger.at or case.window.end


@contextmanager
def _served(app: FastAPI) -> Iterator[str]:
    """The address on which ``app`` answers."""
    import uvicorn

    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True)
        thread.start()
        try:
            # Connections wait in the backlog until it is up.
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            app.state.site.feed.end()
            server.should_exit = True
            thread.join(END_S)
