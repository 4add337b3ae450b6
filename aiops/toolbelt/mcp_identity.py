"""Who calls, through MCP: signed into a request's ``_meta``, so that no model and no client of
its own can choose it.

The signature (HMAC-SHA256) covers the caller, the tool, its arguments, the approval, the server it
is meant for and the time it ends: taken from one request it is worth nothing in another.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aiops.errors import InvalidInput, NotAuthentic
from aiops.model.canonical import canonical
from aiops.model.tool import CAPABILITIES, Caller, Capability, ToolCall

META: Final = "aiops/identity"
KEY_BYTES: Final = 32
LIFETIME: Final = timedelta(minutes=2)
"""Longer than clocks differ and a request travels; a lasting call is not cut off by it."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs and checks identities for one server.

    Attributes:
        secret: at least KEY_BYTES, known to our processes only.
        server: whom an identity is meant for; another server takes it for none.
    """

    secret: bytes = field(repr=False)
    server: str

    def __post_init__(self) -> None:
        if len(self.secret) < KEY_BYTES:
            raise InvalidInput(f"the key that signs identities needs {KEY_BYTES} bytes at least")

    def signed(self, call: ToolCall, now: datetime) -> dict[str, Any]:
        """What goes into ``_meta`` under META, for this call alone."""
        identity = {
            "call": call.id,
            "caller": asdict(call.caller),
            "key": call.key,
            "approval": call.approval,
            "reason": call.reason,
            "until": int((now + LIFETIME).timestamp()),
        }
        return {**identity, "signature": self._signature(identity, call.tool, call.arguments)}

    def opened(self, given: object, tool: str, arguments: str, now: datetime) -> ToolCall:
        """The call whose identity ``given`` states.

        Args:
            given: the value under META, from whoever sent it.
            arguments: canonical JSON of what the request asks for.

        Raises:
            NotAuthentic: the signature is of other words, another server, or over.
        """
        if not isinstance(given, Mapping):
            raise NotAuthentic("the identity is no object")
        identity: dict[str, Any] = {name: given.get(name) for name in _SIGNED}
        signature = given.get("signature")
        try:
            expected = self._signature(identity, tool, arguments)
        except InvalidInput as error:
            raise NotAuthentic("the identity is no JSON") from error
        if not isinstance(signature, str) or not hmac.compare_digest(
            signature.encode("utf-8", "replace"), expected.encode()
        ):
            raise NotAuthentic("the signature does not fit this call")
        if not now.timestamp() < identity["until"]:
            raise NotAuthentic("the identity was signed too long ago")
        return ToolCall(
            id=identity["call"],
            tool=tool,
            arguments=arguments,
            caller=Caller(**identity["caller"]),
            key=identity["key"],
            approval=identity["approval"],
            reason=identity["reason"],
        )

    def _signature(self, identity: Mapping[str, Any], tool: str, arguments: str) -> str:
        words = canonical(
            {"identity": identity, "server": self.server, "tool": tool, "arguments": arguments}
        )
        return hmac.new(
            self.secret, words.encode("utf-8", "surrogatepass"), hashlib.sha256
        ).hexdigest()


_SIGNED: Final = ("call", "caller", "key", "approval", "reason", "until")


def lesser(one: Capability, other: Capability) -> Capability:
    """The one of two that may less."""
    return min(one, other, key=CAPABILITIES.index)
