"""``POST /webhooks/{source}``: answered once what came would survive a crash.

The one path that storms go through: no models, no dependencies, one thread for all commits.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from aiops.app.incidents.changes import record
from aiops.errors import AiopsError, BadPayload, SourceUnavailable
from aiops.ingest.compression import unpacked
from aiops.ingest.webhooks.authentic import authentic
from aiops.ingest.webhooks.sns import confirmation
from aiops.model.alert import Alert, Delivery, RefusedDelivery
from aiops.model.change import Change
from aiops.model.investigation import AuditEntry
from aiops.ports.webhook import Push
from aiops.web.errors import Refused, answer, refused
from aiops.web.limits import body_of
from aiops.web.receivers import Receiver
from aiops.web.site import Site

_LARGE: Final = 65_536
"""Bodies above this are read in a thread, so that others need not wait."""
_MARKS: Final = ("idempotency-key", "x-amz-sns-message-id", "x-github-delivery", "request-id")
"""Headers by which senders mark a repetition of a request."""
_LONGEST_MARK: Final = 200
_FETCH_S: Final = 5.0
_MOST_FETCHED: Final = 65_536


class Webhooks:
    """All webhooks of a site."""

    def __init__(self, site: Site, receivers: Mapping[str, Receiver]) -> None:
        self._site, self._receivers = site, receivers
        self._clock, self._most = site.service.clock, site.service.settings.web.max_body_bytes
        self._certificates: dict[str, bytes] = {}

    def route(self) -> Route:
        """The route of all sources."""
        return Route("/webhooks/{source}", self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """Take one request in; the answers are those of docs/webhooks.md."""
        source = request.path_params["source"]
        receiver = self._receivers.get(source)
        if receiver is None:
            known = ", ".join(sorted(self._receivers)) or "none is configured"
            return self._refuse("unknown", Refused(404, "not_found", f"no such webhook ({known})"))
        try:
            body = await body_of(request, self._most)
            push = Push(source, body, _lowered(request), self._clock.now())
            return await self._taken(receiver, push)
        except Refused as error:
            return self._refuse(source, error)
        except BadPayload as error:
            await asyncio.to_thread(self._keep_refused, push, error)
            return self._refuse(source, refused(error))
        except AiopsError as error:
            return self._refuse(source, refused(error))

    async def _taken(self, receiver: Receiver, push: Push) -> Response:
        if receiver.credentials.auth == "sns" or len(push.body) > _LARGE:
            found = await asyncio.to_thread(self._read, receiver, push)
        else:
            found = self._read(receiver, push)
        if receiver.comes_through_sns:  # which never compresses
            await self._confirm(push)
        number = _mark(push) or self._site.service.ids.new("del")
        if receiver.changes is not None:
            changes = tuple(each for each in found if isinstance(each, Change))
            await asyncio.to_thread(self._record, changes)
            return _accepted(number, "changes", len(changes))
        alerts = tuple(each for each in found if isinstance(each, Alert))
        if alerts:
            await self._site.intake.put(Delivery(number, push.source, push.received_at, alerts))
            self._site.metrics.alerts.labels(push.source).inc(len(alerts))
        return _accepted(number, "alerts", len(alerts))

    def _read(self, receiver: Receiver, push: Push) -> tuple[Alert, ...] | tuple[Change, ...]:
        authentic(
            receiver.credentials, push.headers, push.body, push.received_at, fetch=self._certificate
        )
        # A signature covers the bytes as they were sent, so they are unpacked after it.
        how = push.headers.get("content-encoding", "")
        push = replace(push, body=unpacked(push.body, how, self._most))
        if receiver.alerts is not None:
            return receiver.alerts(push)
        return () if receiver.changes is None else receiver.changes(push)

    def _record(self, changes: tuple[Change, ...]) -> None:
        service = self._site.service
        record(service.incidents, service.telemetry, service.clock, changes)

    def _keep_refused(self, push: Push, error: BadPayload) -> None:
        service = self._site.service
        try:
            digest = service.blobs.put(push.body)
            number = service.ids.new("ref")
            service.inbox.refuse(
                RefusedDelivery(number, push.source, push.received_at, str(error), digest)
            )
        except AiopsError as failure:  # the sender is told what is wrong with the body all the same
            structlog.get_logger("aiops.web").warning("refused body not kept", error=str(failure))

    def _refuse(self, source: str, error: Refused) -> Response:
        self._site.metrics.refused.labels(source, error.body.code).inc()
        return answer(error)

    async def _confirm(self, push: Push) -> None:
        """Visit the address by which SNS wants a subscription confirmed."""
        asked = confirmation(push.body)
        if asked is None:
            return
        await asyncio.to_thread(fetched, asked.url)
        entry = AuditEntry(
            self._clock.now(), push.source, "webhook.subscribed", asked.topic, "done"
        )
        await asyncio.to_thread(self._site.service.audit.append, entry)

    def _certificate(self, url: str) -> bytes:
        if url not in self._certificates:
            self._certificates[url] = fetched(url)
        return self._certificates[url]


class Shortcut:
    """Takes what is for a webhook past the API's own layers, which would cost a storm a sixth.

    Anything else, such as another method, goes on to ``app``.
    """

    def __init__(self, app: ASGIApp, webhooks: Webhooks) -> None:
        self._app, self._webhooks, self._route = app, webhooks, webhooks.route()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":  # such as the application's start, which has no path
            await self._app(scope, receive, send)
            return
        # Few senders follow a redirect; a slash too many is no reason to lose an alert.
        match, found = self._route.matches({**scope, "path": scope["path"].rstrip("/")})
        if match is not Match.FULL:
            await self._app(scope, receive, send)
            return
        scope.update(found)
        answered = await self._webhooks.receive(Request(scope, receive))
        await answered(scope, receive, send)


def fetched(url: str) -> bytes:
    """The body at an address of SNS; raises SourceUnavailable."""
    import httpx

    try:
        with httpx.stream("GET", url, timeout=_FETCH_S, follow_redirects=False) as got:
            got.raise_for_status()
            body = b""
            for part in got.iter_bytes():
                body += part
                if len(body) > _MOST_FETCHED:
                    raise SourceUnavailable("SNS", "its answer is larger than a certificate is")
    except httpx.HTTPError as error:
        raise SourceUnavailable("SNS", f"cannot be reached: {type(error).__name__}") from error
    return body


def _mark(push: Push) -> str | None:
    """What this request and its repetitions have in common, where the sender says so."""
    for name in _MARKS:
        if (given := push.headers.get(name)) and len(given) <= _LONGEST_MARK:
            return f"{push.source}:{given}"
    return None


def _lowered(request: Request) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.raw}


def _accepted(number: str, what: str, count: int) -> Response:
    body = json.dumps({"delivery": number, what: count})
    return Response(body, 202, media_type="application/json")
