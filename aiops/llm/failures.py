"""What an endpoint's error means: of OpenAI, vLLM, llama.cpp, Ollama and gateways like them."""

import json
import re
from typing import Final

from aiops.llm.replies import kind_of
from aiops.ports.chat_model import ContextTooLong, ModelFailed, ModelRefused, ModelUnavailable

_SHOWN: Final = 200
_TOO_LONG: Final = re.compile(
    r"context[_ -](?:length|size|window)|maximum model length|prompt (?:is )?too long"
    r"|exceed_context|token count.{0,40}exceeds|request too large",
    re.IGNORECASE,
)
_LIMIT: Final = re.compile(
    r"maximum context length (?:is|of) (\d+)|maximum model length of (\d+)"
    r"|available context size \((\d+)|\"n_ctx\":\s*(\d+)|> (\d+) maximum",
    re.IGNORECASE,
)
_FILTERED: Final = re.compile(r"content[_ ](?:filter|policy|management)", re.IGNORECASE)
_NO_CREDIT: Final = re.compile(r"insufficient_quota|exceeded your current quota", re.IGNORECASE)
_MODEL: Final = re.compile(
    r"model_not_found|(?:model|deployment)\b.{0,120}(?:not found|not exist|unknown|invalid|no such)"
    r"|(?:unknown|invalid|no such) (?:model|deployment)",
    re.IGNORECASE | re.DOTALL,
)
_OVERFLOWS: Final = frozenset({400, 413, 422, 429, 500})
"""llama.cpp says 500 in older versions, OpenAI 429 to what no quota of tokens would ever let in."""
BUSY: Final = frozenset({408, 409, 425, 429})


def failure_of(model: str, url: str, status: int, body: bytes) -> ModelFailed:
    """The failure that an error answer means.

    Args:
        url: base address of the endpoint, for the advice.
    """
    whole = body.decode(errors="replace")
    if status == 413 or (status in _OVERFLOWS and _TOO_LONG.search(whole)):
        limit = _LIMIT.search(whole)
        reads = next((int(one) for one in limit.groups() if one), None) if limit else None
        known = f" of {reads} tokens" if reads else ""
        return ContextTooLong(
            model, f"the conversation does not fit its context{known}; shorten it", limit=reads
        )
    if status in (400, 422, 451) and _FILTERED.search(whole):
        return ModelRefused(model, "a filter of its provider refuses this conversation")
    said = words_of(body)
    if (lasting := _lasting(url, status, whole, said)) is not None:
        return ModelUnavailable(model, lasting, lasting=True)
    if status == 429:
        return ModelUnavailable(model, f"wants fewer requests (429): {said}; ask again later")
    if status >= 500 or status in BUSY:
        return ModelUnavailable(model, f"failed ({status}): {said}; see the log of {url}")
    return ModelUnavailable(model, f"refuses the request ({status}): {said}")


def worth_repeating(status: int, failure: ModelFailed) -> bool:
    """Whether the same request may be answered in a moment."""
    transient = isinstance(failure, ModelUnavailable) and not failure.lasting
    return transient and (status in BUSY or status >= 500)


def words_of(body: bytes) -> str:
    """What an error says, on one line, shortened."""
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        plain = body.strip()
        return (
            kind_of(body)
            if not plain or plain[:1] in b"<{["
            else _line(plain.decode(errors="replace"))
        )
    while isinstance(read, dict):
        named = (read.get(key) for key in ("error", "message", "detail"))
        inner = next((one for one in named if one), None)
        if inner is None:
            break
        read = inner
    return _line(read if isinstance(read, str) else json.dumps(read))


def _lasting(url: str, status: int, whole: str, said: str) -> str | None:
    """Why asking again would not help, with what would; None where it may."""
    if status in (401, 403):  # the endpoint's own words may repeat our key
        return f"{url} does not accept the key ({status}); check 'model.api_key'"
    if status == 402 or (status == 429 and _NO_CREDIT.search(whole)):
        return f"the account has no credit left ({status}); look at its billing"
    if status in (400, 404, 422) and _MODEL.search(whole):
        return f"{url} does not know this model ({status}: {said}); check its name in the settings"
    if status in (404, 405):
        return (
            f"no chat completions at {url} ({status}); check 'model.base_url', it mostly "
            "ends in /v1"
        )
    if 300 <= status < 400:
        return f"{url} sends us elsewhere ({status}); set 'model.base_url' to the API itself"
    return None


def _line(text: str) -> str:
    return " ".join(text.split())[:_SHOWN]
