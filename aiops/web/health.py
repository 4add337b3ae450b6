"""What load balancers and monitoring ask."""

from typing import Final, Literal

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import Field

from aiops.bootstrap.summoning import nobody_is_called
from aiops.errors import StoreUnavailable
from aiops.web.bodies import Told, faces
from aiops.web.site import AtSite, Site

router = APIRouter(tags=["operations"])
LATE_S: Final = 60.0
"""A loop that is late by so much is stuck."""
LATE_JOB_S: Final = 600.0
"""An investigation that has been due for so long has too few workers."""


class Ready(Told):
    """Whether it does its work; where not, what degrades."""

    status: Literal["ready", "degraded"]
    problems: list[str] = Field(description="what is wrong, what that does, and what to do")
    warnings: list[str] = Field(description="what some client loses while the service is well")
    waiting: int | None = Field(description="deliveries not taken in yet")
    jobs_due: int | None
    loops: dict[str, float] = Field(description="by how many seconds each loop is late")


class Alive(Told):
    """It answers."""

    status: Literal["alive"] = "alive"


@router.get("/healthz", summary="Whether it is alive")
async def healthz() -> Alive:
    """Says nothing about the database: restarting would not help that."""
    return Alive()


@router.get(
    "/readyz",
    summary="Whether it does its work",
    responses={503: {"model": Ready, "description": "It degrades; says how"}},
)
def readyz(site: AtSite, response: Response) -> Ready:
    """503 with what degrades."""
    found = readiness(site)
    if found.status != "ready":
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return found


@router.get(
    "/metrics",
    summary="Metrics in the format of Prometheus",
    response_class=Response,
    responses=faces("text/plain"),
)
def metrics(site: AtSite) -> Response:
    """About the service itself."""
    return Response(
        generate_latest(site.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )


def readiness(site: Site) -> Ready:
    """What a look at every part says."""
    loops = {name: round(late, 1) for name, late in site.heartbeats().items()}
    problems = [
        f"the loop {name!r} is late by {late:.0f} s: {_STUCK.get(name, 'it does nothing')}; "
        "see the log"
        for name, late in loops.items()
        if late > LATE_S
    ]
    waiting = due = None
    try:
        waiting, backlog = site.service.inbox.waiting(), site.service.queue.backlog()
        due = backlog.due
        if backlog.oldest_s > LATE_JOB_S:
            problems.append(
                f"{due:,} investigations wait, the first for {backlog.oldest_s / 60:.0f} min: "
                "reports come late, nothing is lost; start another 'aiops worker'"
            )
    except StoreUnavailable as error:
        problems.append(f"{error}; webhooks answer 503 and their senders come again")
    else:
        if site.intake.failure is not None:  # a store may be read and not be written
            problems.append(
                f"{site.intake.failure}; webhooks answer 503 and their senders come again"
            )
    limit, most = site.service.settings.web.backlog_limit, site.service.settings.web.backlog_most
    if waiting is not None and waiting >= most:
        problems.append(
            f"{waiting:,} deliveries wait, and {most:,} may: webhooks answer 503 and their "
            "senders come again; nothing that was accepted is lost; find what sends so much"
        )
    elif waiting is not None and waiting > limit:
        problems.append(
            f"{waiting:,} deliveries wait, more than {limit:,}: incidents open late, nothing is "
            "lost; find what sends so much, or wait"
        )
    return Ready(
        status="degraded" if problems else "ready",
        problems=problems,
        warnings=[
            said
            for said in (site.pushes.warning, nobody_is_called(site.service.settings))
            if said is not None
        ],
        waiting=waiting,
        jobs_due=due,
        loops=loops,
    )


_STUCK = {
    "triage": "alerts are kept but open no incidents",
    "dispatch": "investigations are not begun",
    "failures": "investigations that failed are not told of",
    "retention": "old telemetry is not forgotten",
}
