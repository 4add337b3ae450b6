"""Options of a configured source: read once, refused by their key, secrets never shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from aiops.errors import InvalidInput, UnknownName


def _address(url: str) -> str:
    """``url`` without its last slash; refuses what is no plain address of a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give an address such as http://HOST:PORT")
    if parts.username or parts.password:
        raise ValueError("must not hold a password; set it as 'basic', \"user:password\"")
    if parts.query or parts.fragment:
        raise ValueError("must end before '?' and '#'; paths of the API are added to it")
    return url.rstrip("/")


class HttpOptions(BaseModel):
    """What every source that is asked over HTTP takes; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_address)]
    headers: dict[str, SecretStr] = {}
    bearer: SecretStr | None = None
    basic: SecretStr | None = Field(default=None, description="user:password")
    tenant: str | None = Field(default=None, description="sent as X-Scope-OrgID")
    ca_file: Path | None = Field(default=None, description="certificates to trust, PEM")
    proxy: str | None = None
    timeout_s: float = Field(default=15, gt=0, le=600, description="of one request")
    deadline_s: float = Field(default=60, gt=0, le=3600, description="of one whole read")
    parallel: int = Field(default=4, ge=1, le=64, description="requests under way at once")
    max_bytes: int = Field(default=32 * 2**20, ge=1024, description="of one answer, unpacked")


Options = TypeVar("Options", bound=BaseModel)


def read(model: type[Options], name: str, given: Mapping[str, object]) -> Options:
    """The options of the source called ``name``.

    Raises:
        UnknownName: an option that does not exist.
        InvalidInput: the first option that is missing or wrong, by its key.
    """
    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join(["sources", name, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", key, tuple(model.model_fields)) from None
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"setting {key!r}: {reason}") from None
