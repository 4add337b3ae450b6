"""Does the jobs that let runs go on once what they asked for is settled."""

import structlog

from aiops.app.approvals.resuming import Resumptions
from aiops.app.incident_reports import IncidentReports
from aiops.bootstrap.service import Service
from aiops.errors import NotKept
from aiops.model.job import Job


class GoingOn:
    """A Handler; any process may do it, also after the one that began the run is gone."""

    def __init__(self, reports: IncidentReports) -> None:
        self._reports = reports
        self._log = structlog.get_logger("aiops.actions")

    def __call__(self, job: Job) -> None:
        """Let the run ``job.about`` go on to its end; raises StoreUnavailable."""
        log = self._log.bind(run=job.about, job=job.key)
        try:
            report = self._reports.acted(job.about)
        except NotKept as gone:
            log.warning("run cannot go on", reason=str(gone))
            return
        if report is None:
            log.warning("run waits on", reason="an approval is open")
            return
        told = None if report.verification is None else report.verification.outcome
        log.info("run ends", actions=[one.state for one in report.actions], verification=told)


def resumptions_of(service: Service) -> Resumptions:
    """Who queues these jobs."""
    return Resumptions(service.approvals, service.investigations, service.queue, service.clock)
