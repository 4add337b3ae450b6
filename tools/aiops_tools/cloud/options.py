"""What options of all clouds have in common."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from aiops.errors import InvalidInput, UnknownName


class CloudOptions(BaseModel):
    """Times in seconds. An identity to write with is given on its own; without one nothing can be
    changed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    region: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    connect_timeout_s: float = Field(default=3, gt=0, le=60)
    read_timeout_s: float = Field(default=20, gt=0, le=120)
    attempts: int = Field(default=3, ge=1, le=10, description="of one request, the first included")
    action_s: float | None = Field(
        default=None, ge=2, le=900, description="how long an action may take; its own time if none"
    )


Options = TypeVar("Options", bound=CloudOptions)


def must_be_installed(name: str, module: str, extra: str) -> None:
    """Raises InvalidInput where the official client, which is optional, is not there."""
    if find_spec(module) is None:
        raise InvalidInput(
            f"setting 'tools.{name}': this needs {module}; install it: pip install 'aiops[{extra}]'"
        )


def must_be_safe(url: str) -> str:
    """``url``; raises ValueError where credentials would go over plain HTTP to another machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise ValueError("must be https://HOST[:PORT]: no credential goes over plain HTTP")
    return url


def read(model: type[Options], name: str, given: Mapping[str, object]) -> Options:
    """The options of ``[tools.<name>]``.

    Raises:
        UnknownName: an option that does not exist.
        InvalidInput: the first option that is missing or wrong, by its key; never its value.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(["tools", name, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", key, tuple(model.model_fields)) from None
        raise InvalidInput(
            f"setting {key!r}: {first['msg'].removeprefix('Value error, ')}"
        ) from None
