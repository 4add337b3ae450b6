"""What the routes share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from aiops.app.slo_standing import Standings
from aiops.bootstrap.service import Service
from aiops.ports.approvals import Rehearsal
from aiops.web.feed import Feed
from aiops.web.intake import Intake
from aiops.web.limits import RateLimit
from aiops.web.pushes import PushLimit
from aiops.web.telemetry import Metrics


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a route may need.

    Attributes:
        dev: loopback only and no tokens.
        limit: requests to the API; ``pushes``: bytes of telemetry.
        heartbeats: by how many seconds each loop of this process is late, by name.
        rehearsal: looks again at actions before they are approved; None without tools.
        standings: how the objectives of the file of ``settings.slos`` stand.
    """

    service: Service
    dev: bool
    intake: Intake
    feed: Feed
    limit: RateLimit
    pushes: PushLimit
    metrics: Metrics
    heartbeats: Callable[[], Mapping[str, float]]
    standings: Standings
    rehearsal: Rehearsal | None = None


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site


AtSite = Annotated[Site, Depends(site_of)]
