"""Reading what a client sent: bodies in JSON or YAML, patches, and how to write."""

import json
from typing import Any, Literal

from starlette.requests import Request

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.access import User
from aiops_lab.kubernetes.wire import PROTOBUF, read_protobuf
from aiops_lab.kubernetes.writing import PatchType, Write

JSON, YAML = "application/json", "application/yaml"
_PATCHES: dict[str, PatchType] = {
    "application/json-patch+json": "json",
    "application/merge-patch+json": "merge",
    "application/strategic-merge-patch+json": "strategic",
    "application/apply-patch+yaml": "apply",
}


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, verb: str) -> Any:
    """The decoded body; None where there is none.

    Raises:
        Refused: 415 for a format that is not read here, 400 for what cannot be parsed.
    """
    raw = await request.body()
    if not raw:
        if verb in ("delete", "deletecollection"):
            return None
        raise problems.bad_request("the request has no body")
    given = _media_type(request)
    accepted = tuple(_PATCHES) if verb == "patch" else (JSON, YAML, PROTOBUF)
    if given and given not in accepted and not (verb.startswith("delete") and given == "*/*"):
        raise problems.unsupported_media_type(given, accepted)
    if given == PROTOBUF:
        return read_protobuf(raw)
    try:
        if given in (YAML, "application/apply-patch+yaml"):
            import yaml

            return yaml.safe_load(raw)
        return json.loads(raw)
    except (ValueError, RecursionError) as bad:
        raise problems.bad_request(f"the body of the request cannot be parsed: {bad}") from bad


def patch_type(request: Request) -> PatchType:
    """Which patch a request brings.

    Raises:
        Refused: 415 where it is none that is known.
    """
    given = _media_type(request)
    if given not in _PATCHES:
        raise problems.unsupported_media_type(given, tuple(_PATCHES))
    return _PATCHES[given]


def write_options(request: Request, user: User, query: dict[str, str], body: Any) -> Write:
    """How a write is to be done.

    Raises:
        Refused: 400 for options that mean nothing.
    """
    dry_run = query.get("dryRun", "")
    if dry_run not in ("", "All"):
        raise problems.bad_request(f'Invalid value: "{dry_run}": dryRun can only be "All"')
    manager = query.get("fieldManager") or request.headers.get("user-agent", "").partition("/")[0]
    applies = _media_type(request) == "application/apply-patch+yaml"
    if applies and not query.get("fieldManager"):
        raise problems.bad_request("fieldManager is required for apply patch")
    unknown: dict[str, Literal["Ignore", "Warn", "Strict"]] = {
        "": "Strict" if applies else "Warn",
        "Ignore": "Ignore",
        "Warn": "Warn",
        "Strict": "Strict",
    }
    wanted = query.get("fieldValidation", "")
    if wanted not in unknown:
        raise problems.bad_request(f'Invalid value: "{wanted}": fieldValidation')
    inner = body.get("dryRun") if isinstance(body, dict) else None
    return Write(
        user,
        manager or "unknown",
        dry_run == "All" or inner == ["All"],
        query.get("force") in ("true", "1"),
        unknown[wanted],
    )
