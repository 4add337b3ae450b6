"""Calls people by posting JSON to an address: a chat's, a pager's, or a program's of one's own.

[notify.pager]
kind = "webhook"
url = "https://pager.example/hooks/aiops"
secret = "..."                     # better: AIOPS_NOTIFY__PAGER__SECRET in the environment

The body is signed: ``X-Aiops-Signature`` is "sha256=" and the HMAC-SHA256 of the body with the
secret, in hex (as GitHub signs its webhooks).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from aiops.errors import InvalidInput, NotDelivered, UnknownName
from aiops.model.approval import Approval
from aiops.model.canonical import canonical

SIGNATURE: Final = "X-Aiops-Signature"


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give an address such as https://HOST/PATH")
    return url


class WebhookOptions(BaseModel):
    """What ``[notify.<name>]`` of kind "webhook" takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_address)]
    secret: SecretStr = Field(min_length=16, description="what the body is signed with")
    timeout_s: float = Field(default=3, gt=0, le=30)


class Webhook:
    """A Summons; see ``ports.approvals``."""

    def __init__(self, name: str, options: WebhookOptions) -> None:
        self.name, self._options = name, options

    @classmethod
    def connect(cls, name: str, given: Mapping[str, object]) -> "Webhook":
        """The notifier of ``[notify.<name>]``; opens no connection yet.

        Raises:
            InvalidInput: an option that is missing, unknown or wrong, by its key.
        """
        try:
            return cls(name, WebhookOptions.model_validate(dict(given)))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            key = ".".join(["notify", name, *(str(part) for part in first["loc"])])
            if first["type"] == "extra_forbidden":
                raise UnknownName("setting", key, tuple(WebhookOptions.model_fields)) from None
            reason = first["msg"].removeprefix("Value error, ")
            raise InvalidInput(f"setting {key!r}: {reason}") from None

    def summon(self, approval: Approval) -> None:
        """Post what is to be decided; raises NotDelivered."""
        import httpx

        preview = approval.action.preview
        body = canonical(
            {
                "event": f"approval.{approval.state}",
                "approval": approval.id,
                "action_hash": approval.action_hash,
                "incident": approval.incident,
                "tool": approval.action.tool,
                "risk": approval.action.risk,
                "summary": preview.summary,
                "targets": [asdict(target) for target in preview.targets],
                "reason": approval.reason,
                "requested_by": approval.requested_by,
                "needed_role": approval.needed_role,
                "expires_at": approval.expires_at.isoformat(),
            }
        ).encode()
        secret = self._options.secret.get_secret_value().encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
        }
        try:
            httpx.post(
                self._options.url, content=body, headers=headers, timeout=self._options.timeout_s
            ).raise_for_status()
        except httpx.HTTPStatusError as error:
            reason = f"it answered {error.response.status_code}; check setting 'notify.{self.name}'"
            raise NotDelivered(self.name, reason) from None  # the cause names the address
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = f"{type(error).__name__}; check setting 'notify.{self.name}.url'"
            raise NotDelivered(self.name, reason) from None
