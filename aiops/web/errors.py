"""One shape for every error, and which status each named exception has."""

import math
import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import compile_path

from aiops.errors import (
    AiopsError,
    AlreadyKept,
    Backlogged,
    BadPayload,
    ChangedMeanwhile,
    InvalidInput,
    NotAllowed,
    NotAuthentic,
    NotKept,
    SourceUnavailable,
    StoreUnavailable,
    ToolFailed,
    WrongState,
)

RETRY_AFTER_S: Final = 5


class ErrorBody(BaseModel):
    """What happened, to what, and what to do."""

    code: str = Field(description="stable, for programs")
    message: str = Field(description="for people")
    field: str | None = Field(default=None, description="what of the request is wrong")
    revision: int | None = Field(default=None, description="the current one, where it has changed")


class ErrorAnswer(BaseModel):
    """The body of every answer from 400 on."""

    error: ErrorBody


class Refused(Exception):
    """A request that is not done; becomes an ErrorAnswer."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        revision: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.headers = status, dict(headers or {})
        self.body = ErrorBody(code=code, message=message, field=field, revision=revision)
        super().__init__(message)


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The request cannot be read"},
    401: {"model": ErrorAnswer, "description": "No valid token"},
    403: {"model": ErrorAnswer, "description": "The token's role does not allow it"},
    404: {"model": ErrorAnswer, "description": "Nothing is kept under that id"},
    413: {"model": ErrorAnswer, "description": "The body is too large"},
    422: {"model": ErrorAnswer, "description": "Something of the request cannot be used"},
    429: {"model": ErrorAnswer, "description": "Too many requests; see Retry-After"},
    503: {"model": ErrorAnswer, "description": "The store does not answer; see Retry-After"},
}
"""What any route of the API may answer."""
CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorAnswer, "description": "It is in another state, or was changed meanwhile"}
}

_STATUS: Final[tuple[tuple[type[AiopsError], int, str], ...]] = (
    (NotKept, 404, "not_found"),
    (WrongState, 409, "wrong_state"),
    (ChangedMeanwhile, 409, "changed_meanwhile"),
    (AlreadyKept, 409, "already_kept"),
    (NotAllowed, 403, "not_allowed"),
    (NotAuthentic, 401, "not_authentic"),
    (BadPayload, 422, "bad_payload"),
    (InvalidInput, 422, "invalid"),
    (Backlogged, 503, "backlog"),
    (StoreUnavailable, 503, "store_unavailable"),
    (SourceUnavailable, 503, "source_unavailable"),
)
_TOOLS: Final = {
    "invalid": 422,
    "denied": 422,
    "unreachable": 503,
    "timeout": 503,
    "throttled": 503,
}
"""The status of what a tool could not do, by its kind; else the object is not as it has to be."""
_CHOICE: Final = re.compile(r"(?:literal|function|constrained|nullable)\b.*")
"""What pydantic adds to a place to say which of several types it tried."""
_CODES: Final = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}


def refused(error: AiopsError) -> Refused:
    """The answer that a named exception is; the first class that fits decides."""
    status, code = next(
        ((status, code) for kind, status, code in _STATUS if isinstance(error, kind)),
        (500, "failed"),
    )
    if isinstance(error, ToolFailed):
        status, code = _TOOLS.get(error.kind, 409), f"tool_{error.kind}"
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    field = error.place if isinstance(error, BadPayload) else None
    return Refused(status, code, str(error), field=field, headers=headers)


def too_many(wait_s: float) -> Refused:
    """The answer to somebody who asks too often."""
    seconds = max(1, math.ceil(wait_s))
    return Refused(
        429,
        "too_many_requests",
        f"too many requests; come again in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )


def too_large(most: int, setting: str = "web.max_body_bytes") -> Refused:
    """The answer to a body of more than ``most`` bytes, which ``setting`` says."""
    return Refused(
        413,
        "too_large",
        f"the body is larger than {most:,} bytes; send less at once, or raise {setting}",
        headers={"Connection": "close"},
    )


def answer(error: Refused) -> Response:
    """An ErrorAnswer as JSON."""
    body = {"error": error.body.model_dump(exclude_none=True)}
    return JSONResponse(body, error.status, error.headers)


def install(app: FastAPI) -> None:
    """Have ``app`` answer every exception in the one shape, pages as a page."""

    @app.exception_handler(Refused)
    async def by_edge(request: Request, error: Refused) -> Response:
        return _face(request, error)

    @app.exception_handler(AiopsError)
    async def by_core(request: Request, error: AiopsError) -> Response:
        return _face(request, refused(error))

    @app.exception_handler(RequestValidationError)
    async def by_models(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        named = [str(part) for part in first["loc"][1:] if not _CHOICE.fullmatch(str(part))]
        field = ".".join(named) or None
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "json_invalid":
            field, message = None, f"the body is not JSON: {first['ctx']['error']}"
        elif field:
            message = f"{field}: {message}"
        elif first["loc"][:1] == ("body",):
            message = "send the body as a JSON object, with Content-Type: application/json"
        return _face(request, Refused(422, "invalid", message, field=field))

    @app.exception_handler(HTTPException)
    async def by_routing(request: Request, error: HTTPException) -> Response:
        if error.status_code == 413:
            return _face(request, too_large(app.state.site.service.settings.web.max_body_bytes))
        code = _CODES.get(error.status_code, "refused")
        text, headers = str(error.detail), dict(error.headers or {})
        if error.status_code == 404:
            text = f"nothing is here: {request.url.path}"
        if error.status_code == 405:
            allowed = ", ".join(_methods(app, request.url.path)) or headers.get("Allow", "")
            text, headers = f"{request.url.path} takes {allowed}", {"Allow": allowed}
        return _face(request, Refused(error.status_code, code, text, headers=headers))


def _methods(app: FastAPI, path: str) -> list[str]:
    """What a path takes, where it is documented.

    The router itself names only the methods of the first route of several.
    """
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].fullmatch(path):
            allowed = sorted(method.upper() for method in operations)
            return [*allowed, "HEAD"] if "GET" in allowed else allowed
    return []


def defect(request: Request, number: str) -> Response:
    """The answer to a request that met a defect of ours; ``number`` finds it in the log."""
    text = f"a defect of aiops; the log says more under request id {number}"
    return _face(request, Refused(500, "defect", text))


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks for one of the pages."""
    path = request.url.path
    machines = ("/api/", "/webhooks/", "/v1/", "/healthz", "/readyz", "/metrics")
    return not path.startswith(machines) and "text/html" in request.headers.get("accept", "")


def _face(request: Request, error: Refused) -> Response:
    if not wants_page(request):
        return answer(error)
    if error.status == 401:
        return Response(status_code=303, headers={"Location": "/login"})
    text = (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        '<link rel=stylesheet href="/static/aiops.css"><title>aiops</title>'
        f"<main class=narrow><section><h1>That did not work</h1><p>{escape(error.body.message)}</p>"
        '<p><a href="/">All incidents</a></p></section></main>'
    )
    return HTMLResponse(text, error.status, error.headers)
