"""Options of another's MCP server: ``[mcp.<name>]``; nothing of it is used that is not named."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from aiops.errors import InvalidInput, UnknownName
from aiops.toolbelt.mcp_pins import FILE
from aiops.toolbelt.mcp_reach import MIB, Allowance, Reach, Remote, Spawned

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give an address such as https://HOST/mcp")
    if parts.username or parts.password:
        raise ValueError("must not hold a password; set it as 'token'")
    return url


class ServerOptions(BaseModel):
    """How a server is reached and what may be used of it; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    command: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="the program and its arguments; started without a shell"
    )
    url: Annotated[str, AfterValidator(_address)] | None = None
    token: SecretStr | None = Field(default=None, description="sent to 'url' as a bearer token")
    env: dict[str, SecretStr] = Field(
        default={}, description="what the program gets beside PATH and its language"
    )
    allow: tuple[str, ...] = Field(
        default=(), description="tools that only read, as whoever configures this knows"
    )
    writes: tuple[str, ...] = Field(
        default=(), description="tools that change something; each call needs an approval"
    )
    capability: Literal["observer", "probe"] = Field(
        default="probe", description="the least that may call those that only read"
    )
    timeout_s: float = Field(default=30, gt=0, le=600, description="of one call")
    fresh_s: float = Field(
        default=15, ge=0, le=300, description="how long its list of tools is taken for true"
    )
    memory_mb: int = Field(
        default=1024, ge=32, le=65536, description="of the program and all that it starts"
    )
    cpu_s: float = Field(
        default=60, gt=0, le=3600, description="processor time between two answers"
    )
    pins: Path = Field(default=FILE, description="file of what was pinned")

    @model_validator(mode="after")
    def _reached_one_way(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either 'command' or 'url'")
        if self.token is not None and (self.url is None or not _private(self.url)):
            raise ValueError("a token is sent over https only, or to this machine")
        if self.env and not self.command:
            raise ValueError("'env' is for a 'command'")
        if not self.command and self.model_fields_set & {"memory_mb", "cpu_s"}:
            raise ValueError("'memory_mb' and 'cpu_s' are for a 'command'")
        both = set(self.allow) & set(self.writes)
        if both:
            raise ValueError(f"{min(both)!r} cannot both only read and write")
        return self

    @property
    def allowance(self) -> Allowance:
        """What its process may take."""
        return Allowance(memory_bytes=self.memory_mb * MIB, cpu_s=self.cpu_s)

    @property
    def reach(self) -> Reach:
        """How it is reached."""
        if self.url is not None:
            return Remote(self.url, None if self.token is None else self.token.get_secret_value())
        return Spawned(
            self.command, {name: value.get_secret_value() for name, value in self.env.items()}
        )


def read(name: str, given: Mapping[str, object]) -> ServerOptions:
    """The options of the server called ``name``.

    Raises:
        UnknownName: an option that does not exist.
        InvalidInput: the first option that is missing or wrong, by its key.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            f"setting 'mcp.{name}': a server's name is made of a-z, 0-9, '-' and '_'"
        )
    try:
        return ServerOptions.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(["mcp", name, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", key, tuple(ServerOptions.model_fields)) from None
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"setting {key!r}: {reason}") from None


def _private(url: str) -> bool:
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
