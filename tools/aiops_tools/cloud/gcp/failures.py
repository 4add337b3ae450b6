"""What goes wrong on the way to a project, as errors that say what to do."""

import json
from typing import Any, Final

from aiops.errors import ToolFailed

MESSAGE: Final = 300
_TOO_FAST: Final = ("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED")


def refused(place: str, asked: str, status: int, body: bytes, who: str) -> ToolFailed:
    """What an answer outside 2xx means.

    Args:
        asked: the question in words, "instances".
        who: which identity asked, in words of the configuration.
    """
    message, reasons = _said(body)
    told = f" ({message})" if message else ""
    asked = f"{asked} of {place}"
    if status == 429 or reasons.intersection(_TOO_FAST):
        return ToolFailed(
            "throttled",
            f"{asked}: the API asks to be left alone for a moment; ask again later and for less",
            retryable=True,
        )
    match status:
        case 401:
            return ToolFailed(
                "unauthorized", f"{asked}: the credentials of {who} are not accepted; renew them"
            )
        case 403:
            return ToolFailed(
                "forbidden",
                f"{asked}: {who} may not{told}; grant the role, or enable the API, or do without",
            )
        case 404:
            return ToolFailed("not_found", f"{asked}: it is not there{told}; list what is first")
        case 409 | 412:
            return ToolFailed(
                "conflict", f"{asked}: it is busy with another change{told}; wait for it to end"
            )
        case 400:
            return ToolFailed("invalid", f"{asked}: the API does not accept it{told}")
    return ToolFailed(
        "failed",
        f"{asked}: the API answered {status}{told}; look at the provider's status page",
        retryable=status >= 500,
    )


def nobody(place: str, asked: str, error: Exception, who: str) -> ToolFailed:
    """What credentials mean that cannot be had or renewed; their content is never told."""
    return ToolFailed(
        "unauthorized",
        f"{asked} of {place}: {who} has no credentials that can be used "
        f"({type(error).__name__}); log in, or give a key file that can be read",
    )


def unanswered(place: str, asked: str, error: Exception) -> ToolFailed:
    """What a connection that broke, or never was, means."""
    if isinstance(error, TimeoutError):
        return ToolFailed(
            "timeout",
            f"{asked} of {place}: no answer in time; ask for less, or later",
            retryable=True,
        )
    return ToolFailed(
        "unreachable",
        f"{asked} of {place}: it cannot be reached ({type(error).__name__}); check the network and "
        "endpoint_url",
        retryable=True,
    )


def _said(body: bytes) -> tuple[str, frozenset[str]]:
    """The message on one line, and the reasons, of an error as Google's APIs write it."""
    try:
        found: Any = json.loads(body[:100_000])
    except ValueError:
        return "", frozenset()
    error = found.get("error") if isinstance(found, dict) else None
    if not isinstance(error, dict):
        return "", frozenset()
    every = [*(error.get("errors") or ()), *(error.get("details") or ())]
    reasons = (each.get("reason") for each in every if isinstance(each, dict))
    message = " ".join(str(error.get("message") or "").split())[:MESSAGE]
    return message, frozenset(str(one) for one in reasons if one)
