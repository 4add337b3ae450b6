"""Does the jobs that carry out approved actions."""

import asyncio

import structlog

from aiops.app.approvals.carrying_out import end_unused
from aiops.bootstrap.service import Service
from aiops.bootstrap.tools import toolbelt_of, toolset_names
from aiops.errors import AiopsError, NotKept, StoreUnavailable, ToolFailed
from aiops.model.job import ATTEMPTS, Job
from aiops.model.tool import Outcome
from aiops.toolbelt.gateway import Gateway


class CarryingOut:
    """A Handler. Tools are connected for each action, so that what is idle holds no connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._log = structlog.get_logger("aiops.actions")

    def __call__(self, job: Job) -> None:
        """Do it, or look at what became of it.

        What could not be done, and changed nothing, is tried again while the queue does so.

        Raises:
            StoreUnavailable: it is to be tried again.
            AiopsError: nothing was changed, and a later try may do better.
        """
        service, log = self._service, self._log.bind(approval=job.about, job=job.key)
        try:
            tool = service.approvals.get(job.about).action.tool
        except NotKept:
            log.warning("approval is forgotten, nothing to carry out")
            return
        last = job.attempt >= ATTEMPTS
        try:
            outcome = self._carried_out(tool, job.about, last)
        except StoreUnavailable:
            raise
        except AiopsError as error:
            if last:
                end_unused(service.approvals, job.about, f"failed: {error}")
            raise
        log.info("action ends", tool=tool, outcome=outcome.status, reason=outcome.reason)
        if outcome.status not in ("done", "unknown"):
            end_unused(service.approvals, job.about, f"{outcome.status}: {outcome.summary}")

    def _carried_out(self, tool: str, approval_id: str, last: bool) -> Outcome:
        toolset = tool.partition(".")[0]
        only = (toolset,) if toolset in toolset_names(self._service.settings) else ()
        with toolbelt_of(self._service, only=only) as gateway:
            outcome = asyncio.run(_ended(gateway, approval_id))
        if outcome.reason == "store":
            raise StoreUnavailable(outcome.summary)
        unused = self._service.approvals.get(approval_id).state == "approved"
        if outcome.status == "failed" and unused and not last:
            raise ToolFailed("failed", outcome.summary, retryable=True)
        return outcome


async def _ended(gateway: Gateway, approval_id: str) -> Outcome:
    earlier = await gateway.look_after(approval_id)
    return await gateway.carry_out(approval_id) if earlier is None else earlier
