"""How a project is reached, by whom it is read and by whom it is changed."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from aiops_tools.cloud.options import CloudOptions, must_be_safe


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a service account's key file, or the machine's own identity where there is none;
    then the service account that it may act as.
    """

    credentials_file: Path | None
    impersonate: str | None


class GcpOptions(CloudOptions):
    """What ``[tools.<name>]`` of kind "gcp" takes; no key stands here."""

    project: str = Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")
    endpoint_url: str | None = Field(default=None, description="of all APIs, for a stand-in")
    credentials_file: Path | None = Field(default=None, description="a service account's key")
    impersonate: str | None = Field(default=None, description="service account to read as")
    write_credentials_file: Path | None = None
    write_impersonate: str | None = Field(default=None, description="service account to write as")

    @field_validator("endpoint_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        return None if url is None else must_be_safe(url)

    @model_validator(mode="after")
    def _two_identities(self) -> "GcpOptions":
        if self.writes and self.writer == self.reader:
            raise ValueError("who writes must be another identity than who reads")
        return self

    @property
    def place(self) -> str:
        """As targets name their cluster."""
        return f"gcp:{self.project}/{self.region}"

    @property
    def reader(self) -> Identity:
        """Who reads."""
        return Identity(self.credentials_file, self.impersonate)

    @property
    def writes(self) -> bool:
        """Whether an identity to write with is given."""
        return self.write_credentials_file is not None or self.write_impersonate is not None

    @property
    def writer(self) -> Identity:
        """Who writes; a service account is impersonated by who reads, unless a key is given."""
        return Identity(
            self.write_credentials_file or self.credentials_file, self.write_impersonate
        )
