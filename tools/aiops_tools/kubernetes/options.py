"""How a cluster is reached, by whom it is read and by whom it is changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from aiops.errors import InvalidInput, UnknownName


class ClusterOptions(BaseModel):
    """What ``[tools.<name>]`` and ``[sources.<name>]`` of kind "kubernetes" take.

    Times in seconds. The identity that writes is given on its own; without one nothing of the
    cluster can be changed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    cluster: str = Field(min_length=1, max_length=253, description="what it is called here")
    kubeconfig: Path | None = None
    context: str | None = Field(default=None, description="of the kubeconfig; its current one")
    in_cluster: bool = Field(default=False, description="as the pod this runs in")
    server: str | None = Field(default=None, description="https://HOST:PORT, with token_file")
    ca_file: Path | None = None
    token_file: Path | None = Field(default=None, description="read anew for every call")
    impersonate: str | None = Field(default=None, description="user to read as")
    write_kubeconfig: Path | None = None
    write_context: str | None = None
    write_token_file: Path | None = None
    write_impersonate: str | None = Field(default=None, description="user to write as")
    connect_timeout_s: float = Field(default=2, gt=0, le=60)
    read_timeout_s: float = Field(default=10, gt=0, le=600)
    max_bytes: int = Field(default=64 * 2**20, ge=1024, description="of one answer")

    @model_validator(mode="after")
    def _one_way_in(self) -> "ClusterOptions":
        ways = [self.kubeconfig is not None, self.in_cluster, self.server is not None]
        if sum(ways) != 1:
            raise ValueError("give one of 'kubeconfig', 'in_cluster = true' and 'server'")
        if self.server is not None and not self.server.startswith("https://"):
            raise ValueError("'server' must be https://HOST:PORT: no token goes over plain HTTP")
        if self.server is not None and self.token_file is None:
            raise ValueError("'server' needs 'token_file'")
        if self.writes and self.writer == self.reader:
            raise ValueError("who writes must be another identity than who reads")
        return self

    @property
    def reader(self) -> "Identity":
        """Who reads."""
        return Identity(
            kubeconfig=self.kubeconfig,
            context=self.context,
            token_file=self.token_file,
            impersonate=self.impersonate,
        )

    @property
    def writes(self) -> bool:
        """Whether an identity to write with is given."""
        given = (
            self.write_kubeconfig,
            self.write_context,
            self.write_token_file,
            self.write_impersonate,
        )
        return any(one is not None for one in given)

    @property
    def writer(self) -> "Identity":
        """Who writes; what is not given for it is as it is for who reads, but for the user."""
        other_file = self.write_kubeconfig is not None
        return Identity(
            kubeconfig=self.write_kubeconfig or self.kubeconfig,
            context=self.write_context or (None if other_file else self.context),
            token_file=self.write_token_file or (None if other_file else self.token_file),
            impersonate=self.write_impersonate,
        )


class Identity(BaseModel):
    """Who asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kubeconfig: Path | None
    context: str | None
    token_file: Path | None
    impersonate: str | None


Options = TypeVar("Options", bound=ClusterOptions)


def read(section: str, name: str, given: Mapping[str, object], model: type[Options]) -> Options:
    """The options of ``[<section>.<name>]``.

    Raises:
        UnknownName: an option that does not exist.
        InvalidInput: the first option that is missing or wrong, by its key.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = ".".join([section, name, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", key, tuple(model.model_fields)) from None
        reason = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"setting {key!r}: {reason}") from None
