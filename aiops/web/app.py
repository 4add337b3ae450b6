"""The application: a service in, an ASGI application out."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files

from fastapi import APIRouter, Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from aiops.bootstrap.background import standings
from aiops.bootstrap.chat import chat_of
from aiops.bootstrap.service import Service
from aiops.ports.approvals import Rehearsal
from aiops.store.bounded import BoundedInbox
from aiops.web import (
    alerts,
    approval_pages,
    approvals,
    changes,
    errors,
    events,
    handling,
    health,
    incidents,
    investigations,
    otlp,
    pages,
    previews,
    progress,
    refused,
    reports,
    silences,
    slos,
    thread_pages,
    threads,
    tokens,
    webhook_api,
)
from aiops.web.answering import Answering
from aiops.web.document import documented
from aiops.web.feed import Feed
from aiops.web.heads import Heads
from aiops.web.intake import Intake
from aiops.web.limits import BodyLimit, RateLimit
from aiops.web.pushes import PushLimit
from aiops.web.receivers import receivers
from aiops.web.site import Site
from aiops.web.strictness import known_parameters_only
from aiops.web.telemetry import Depths, Edge, Metrics, traced
from aiops.web.webhooks import Shortcut, Webhooks

_API = (
    incidents,
    progress,
    reports,
    handling,
    alerts,
    investigations,
    silences,
    approvals,
    previews,
    changes,
    slos,
    refused,
    tokens,
    threads,
    events,
)
LOOPBACK = ["127.0.0.1", "localhost", "[::1]"]


def no_loops() -> Mapping[str, float]:
    """The heartbeats of a process that runs no loops."""
    return {}


def create(
    service: Service,
    *,
    dev: bool = False,
    heartbeats: Callable[[], Mapping[str, float]] = no_loops,
    traces: bool = False,
    rehearsal: Rehearsal | None = None,
) -> FastAPI:
    """The web application of ``service``.

    Args:
        dev: no tokens and no webhook secrets; to be reached from this machine only.
        heartbeats: by how many seconds each loop of this process is late.
        rehearsal: looks again at actions before they are approved; the gateway does.
        traces: send traces of itself to where the OTEL_* variables say.

    Raises:
        InvalidInput: a webhook or the file of objectives cannot be used; by the key.
    """
    settings = service.settings
    metrics, feed = Metrics(), Feed(service.events)
    site = Site(
        service=service,
        dev=dev,
        intake=Intake(
            BoundedInbox(service.inbox, settings.web.backlog_most, service.clock), service.clock
        ),
        feed=feed,
        limit=RateLimit(service.clock, settings.web.requests_per_minute),
        pushes=PushLimit(service.clock, settings.web.telemetry_bytes_per_minute),
        metrics=metrics,
        heartbeats=heartbeats,
        standings=standings(service),
        rehearsal=rehearsal,
    )
    webhooks = Webhooks(site, receivers(settings, dev=dev))
    metrics.registry.register(Depths(service, lambda: feed.clients, heartbeats))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        feed.open()
        yield
        feed.end()
        await site.intake.close()

    numbered = partial(service.ids.new, "req")
    guards = [Middleware(Edge, metrics=metrics, clock=service.clock, new_id=numbered)]
    if dev:  # a name that a stranger's page points at this machine is not answered
        guards.append(Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK))
    guards.append(Middleware(Heads))
    guards.append(Middleware(Shortcut, webhooks=webhooks))
    guards.append(Middleware(BodyLimit, most=settings.web.max_body_bytes))
    app = FastAPI(
        title="aiops",
        description="Incidents, their alerts and their reports.",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # its page would fetch scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        middleware=guards,
        telemetry=traced(wanted=traces),
    )
    app.state.site = site
    app.state.answering = Answering(chat_of(service))
    errors.install(app)
    api = APIRouter(prefix="/api/v1", dependencies=[Depends(known_parameters_only)])
    for each in _API:
        api.include_router(each.router)
    app.include_router(api)
    app.include_router(otlp.router_for(settings.web.max_telemetry_bytes))
    app.include_router(webhook_api.router_for(webhooks))
    app.include_router(health.router)
    app.include_router(pages.router, include_in_schema=False)
    app.include_router(approval_pages.router, include_in_schema=False)
    app.include_router(thread_pages.router, include_in_schema=False)
    documented(app)
    static = files("aiops.web") / "static"
    app.mount("/static", StaticFiles(directory=str(static)), name="static")
    return app
