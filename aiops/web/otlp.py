"""``POST /v1/{traces,metrics,logs}``: telemetry pushed by OpenTelemetry SDKs and collectors.

OTLP/HTTP answers in its own words (a google.rpc.Status where a request is refused), so that
senders know whether to come again: they do after 429 and 503, and never after 400.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from aiops.app.pushed_telemetry import keep
from aiops.errors import AlreadyKept, BadPayload, StoreUnavailable
from aiops.ingest.otlp import bodies
from aiops.ingest.otlp.decoded import Decoded
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.logs import decode_logs
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.ingest.otlp.traces import decode_traces
from aiops.web.bodies import faces
from aiops.web.errors import ERRORS, Refused, refused, too_many
from aiops.web.limits import body_of
from aiops.web.security import Sender
from aiops.web.site import AtSite, Site

Decode = Callable[[bytes, str, str], Decoded]


def router_for(most_bytes: int) -> APIRouter:
    """The routes; they remember what cumulative histograms said before.

    Args:
        most_bytes: of a request, as sent and unpacked.
    """
    router = APIRouter(
        prefix="/v1",
        tags=["telemetry"],
        responses={
            **ERRORS,
            **faces(bodies.PROTOBUF, bodies.JSON),
            400: {"description": "It cannot be read; a google.rpc.Status says why"},
        },
    )
    limits, accumulated = Limits(body_bytes=most_bytes), Accumulated()

    async def sent(who: Sender, site: AtSite, request: Request) -> bytes:
        try:
            body = await body_of(request, most_bytes, "web.max_telemetry_bytes")
            if wait_s := site.pushes.take(who.client, len(body)):
                raise too_many(wait_s)
        except Refused as error:
            _count(site, request, error)
            raise
        return body

    body_as_sent = Annotated[bytes, Depends(sent)]

    def pushed(site: Site, request: Request, body: bytes, decode: Decode) -> Response:
        written = request.headers.get("content-type", "")
        try:
            found = decode(body, written, request.headers.get("content-encoding", ""))
            service = site.service
            keep(service.telemetry, service.clock, found.windows, found.calls)
        except (BadPayload, AlreadyKept) as error:
            _count(site, request, refused(error))
            return _refusal(written, str(error))
        except StoreUnavailable as error:
            _count(site, request, refused(error))
            raise
        return Response(found.response, media_type=found.content_type)

    @router.post("/traces", summary="Spans, OTLP/HTTP", response_class=Response)
    def traces(site: AtSite, request: Request, body: body_as_sent) -> Response:
        """Protobuf or JSON, plain or gzip."""
        return pushed(site, request, body, lambda *given: decode_traces(*given, limits=limits))

    @router.post("/logs", summary="Log records, OTLP/HTTP", response_class=Response)
    def logs(site: AtSite, request: Request, body: body_as_sent) -> Response:
        """Protobuf or JSON, plain or gzip."""
        return pushed(site, request, body, lambda *given: decode_logs(*given, limits=limits))

    @router.post("/metrics", summary="Metrics, OTLP/HTTP", response_class=Response)
    def metrics(site: AtSite, request: Request, body: body_as_sent) -> Response:
        """Protobuf or JSON, plain or gzip; delta or cumulative."""
        return pushed(
            site,
            request,
            body,
            lambda *given: decode_metrics(*given, limits=limits, accumulated=accumulated),
        )

    return router


def _count(site: Site, request: Request, error: Refused) -> None:
    signal = request.url.path.rpartition("/")[2]
    site.metrics.pushes_refused.labels(signal, error.body.code).inc()


def _refusal(written: str, reason: str) -> Response:
    try:
        encoding = bodies.encoding(written)
    except BadPayload:
        encoding = "json"
    body = bodies.refusal(encoding, reason)
    return Response(body, 400, media_type=bodies.CONTENT_TYPES[encoding])
