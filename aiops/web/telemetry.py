"""What the service says about itself: logs, metrics, traces."""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aiops.bootstrap.service import Service
from aiops.errors import StoreUnavailable
from aiops.ports.clock import Clock
from aiops.web.errors import defect

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
_QUIET = ("/healthz", "/readyz", "/metrics", "/static/", "/webhooks/")
"""Asked for all the time: written to the log only where they fail."""
HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of every answer that brings none of its own."""


class Metrics:
    """The registry behind /metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "aiops_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "aiops_http_request_duration_seconds",
            "Time to answer; of streams, to the first byte.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.alerts = Counter(
            "aiops_webhook_alerts", "Alerts taken in.", ["source"], registry=self.registry
        )
        self.refused = Counter(
            "aiops_webhook_refused",
            "Webhook requests that were not taken in.",
            ["source", "reason"],
            registry=self.registry,
        )
        self.pushes_refused = Counter(
            "aiops_telemetry_pushes_refused",
            "Pushes of telemetry that were not kept.",
            ["signal", "reason"],
            registry=self.registry,
        )


class Depths(Collector):
    """Gauges that are read when asked for: what waits, and how incidents stand."""

    def __init__(
        self,
        service: Service,
        clients: Callable[[], int],
        heartbeats: Callable[[], Mapping[str, float]],
    ) -> None:
        self._service, self._clients, self._heartbeats = service, clients, heartbeats

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """See prometheus_client. Gauges whose store does not answer are left out."""
        yield _gauge("aiops_event_stream_clients", "Open event streams.", self._clients())
        late = GaugeMetricFamily(
            "aiops_loop_late_seconds", "By how much each loop is late.", labels=["loop"]
        )
        for loop, seconds in self._heartbeats().items():
            late.add_metric([loop], seconds)
        yield late
        try:
            yield from self._kept()
        except StoreUnavailable:
            yield _gauge("aiops_store_up", "Whether the store answers.", 0)

    def _kept(self) -> Iterator[GaugeMetricFamily]:
        inbox, counts = self._service.inbox, self._service.incidents.counts()
        waiting, oldest = inbox.waiting(), inbox.oldest_waiting()
        lag = 0.0 if oldest is None else (self._service.clock.now() - oldest).total_seconds()
        jobs = self._service.queue.backlog()
        yield _gauge("aiops_store_up", "Whether the store answers.", 1)
        yield _gauge("aiops_inbox_waiting", "Deliveries not taken in yet.", waiting)
        most = self._service.settings.web.backlog_most
        yield _gauge("aiops_inbox_most", "Waiting deliveries above which webhooks get 503.", most)
        yield _gauge("aiops_triage_lag_seconds", "Age of the oldest of them.", max(0.0, lag))
        for name, value in (("due", jobs.due), ("running", jobs.running), ("dead", jobs.dead)):
            yield _gauge(f"aiops_jobs_{name}", f"Jobs that are {name}.", value)
        yield _gauge("aiops_jobs_oldest_seconds", "Age of the oldest due job.", jobs.oldest_s)
        incidents = GaugeMetricFamily("aiops_incidents", "Incidents by status.", labels=["status"])
        for status, count in counts.items():
            incidents.add_metric([status], count)
        yield incidents


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value)


class Edge:
    """Outermost: numbers each request, times it, counts it, logs it, and guards its answer.

    Args:
        new_id: makes the id of a request that brings none.
    """

    def __init__(
        self, app: ASGIApp, metrics: Metrics, clock: Clock, new_id: Callable[[], str]
    ) -> None:
        self._app, self._metrics, self._clock, self._new_id = app, metrics, clock, new_id
        self._log = structlog.get_logger("aiops.access")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = _given_id(scope) or self._new_id()
        began, path = self._clock.stopwatch(), scope["path"]
        quiet = path.startswith(_QUIET)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=number)

        answered = False

        async def guarded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = number
                for name, value in HEADERS:
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Cache-Control", "no-store")
                self._count(scope, message["status"], self._clock.stopwatch() - began, quiet)
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception:
            self._log.exception("defect", path=path[:200])
            if answered:
                raise  # the server cuts the connection: half an answer must not look whole
            await defect(Request(scope), number)(scope, receive, guarded)

    def _count(self, scope: Scope, status: int, took_s: float, quiet: bool) -> None:
        route = _template(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(method, route).observe(took_s)
        if not quiet or status >= 500:
            self._log.info(
                "request",
                method=method,
                path=scope["path"][:200],
                status=status,
                ms=round(1000 * took_s, 1),
            )


def _template(scope: Scope) -> str:
    """The path with names for its parameters, so that every id is not a series of its own."""
    if "endpoint" not in scope:
        return "none"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in scope["path"].split("/"))


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _given_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            return text if _REQUEST_ID.fullmatch(text) else None
    return None


def traced(*, wanted: bool) -> "TelemetryConfig":
    """FastAPI's own traces, sent to where the OTEL_* variables say."""
    return {
        "tracing": wanted,
        "metrics": False,  # they are at /metrics
        "logs": False,
        "operation_spans": False,
        "auto_configure": wanted,
        "exclude": lambda scope: scope["path"].startswith(("/healthz", "/readyz", "/metrics")),
    }


def configure_logs(*, terminal: bool) -> None:
    """Structured logs to standard error: for people on a terminal, else JSON, one line each.

    Libraries' own log lines come the same way, warnings and worse.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks without the values of variables: those may be secrets.
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    face: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if terminal
        else [
            structlog.processors.ExceptionRenderer(traceback),
            structlog.processors.JSONRenderer(),
        ]
    )
    structlog.configure(
        processors=[*shared, *face],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *face],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
