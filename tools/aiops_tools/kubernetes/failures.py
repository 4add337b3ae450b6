"""What goes wrong on the way to a cluster, as errors that say what to do."""

import json
from typing import Any

from aiops.errors import ToolFailed


def refused(cluster: str, asked: str, status: int, body: bytes, who: str) -> ToolFailed:
    """What an answer outside 2xx means.

    Args:
        asked: the question in words, "list pods in shop".
        who: which identity asked, in words of the configuration.
    """
    said = _message(body)
    told = f" ({said})" if said else ""
    asked = f"{asked} of cluster {cluster}"
    match status:
        case 401:
            return ToolFailed(
                "unauthorized",
                f"{asked}: the cluster does not know {who}; its token or certificate has expired "
                "or is wrong: renew it",
            )
        case 403:
            return ToolFailed(
                "forbidden",
                f"{asked}: {who} may not{told}; grant it with a Role and RoleBinding, or do "
                "without",
            )
        case 404:
            return ToolFailed("not_found", f"{asked}: it is not there{told}")
        case 409:
            return ToolFailed(
                "conflict",
                f"{asked}: somebody changed it meanwhile{told}; read it again and decide anew",
            )
        case 410:
            return ToolFailed(
                "conflict",
                f"{asked}: the page is too old to go on from; begin at the first page",
                retryable=True,
            )
        case 429:
            return ToolFailed(
                "throttled",
                f"{asked}: the cluster asks to be left alone for a moment{told}; ask again later "
                "and for less",
                retryable=True,
            )
        case 400 | 405 | 415 | 422:
            return ToolFailed("invalid", f"{asked}: the cluster does not accept it{told}")
        case 504:
            return ToolFailed(
                "timeout", f"{asked}: the cluster took too long{told}; ask for less", retryable=True
            )
    return ToolFailed(
        "failed",
        f"{asked}: the cluster answered {status}{told}; look at its API server",
        retryable=status >= 500,
    )


def unreachable(cluster: str, asked: str, error: Exception) -> ToolFailed:
    """What a connection that broke, or never was, means."""
    from urllib3 import exceptions

    asked = f"{asked} of cluster {cluster}"
    if isinstance(error, exceptions.ConnectTimeoutError):
        return ToolFailed(
            "unreachable",
            f"{asked}: its address does not answer; is the network or VPN up, and the address of "
            "the kubeconfig right?",
            retryable=True,
        )
    if isinstance(error, exceptions.TimeoutError | TimeoutError):
        return ToolFailed(
            "timeout", f"{asked}: no answer in time; ask for less, or later", retryable=True
        )
    if isinstance(error, exceptions.ProtocolError | exceptions.DecodeError):
        return ToolFailed(
            "unreachable", f"{asked}: the answer broke off; nothing of it is used", retryable=True
        )
    text = str(error)
    if "certificate" in text.lower() or "ssl" in type(error).__name__.lower():
        return ToolFailed(
            "unreachable",
            f"{asked}: its certificate is not trusted; check the certificate authority of the "
            "kubeconfig",
        )
    return ToolFailed(
        "unreachable",
        f"{asked}: it cannot be reached ({type(error).__name__}); check its address and that it "
        "is up",
        retryable=True,
    )


def _message(body: bytes) -> str:
    """The words of a Status object, on one line; "" where there are none."""
    try:
        found: Any = json.loads(body[:100_000])
    except ValueError:
        return ""
    said = found.get("message") if isinstance(found, dict) else None
    return " ".join(said.split())[:300] if isinstance(said, str) else ""
