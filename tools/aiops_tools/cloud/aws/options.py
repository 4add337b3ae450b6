"""How an account is reached, by whom it is read and by whom it is changed."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from aiops_tools.cloud.options import CloudOptions, must_be_safe


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: a profile, or the machine's own identity where there is none; then a role of it."""

    credentials_file: Path | None
    profile: str | None
    role_arn: str | None


class AwsOptions(CloudOptions):
    """What ``[tools.<name>]`` of kind "aws" takes.

    No key stands here: they come from a profile, from the machine this runs on, or from a role.
    The account is checked before the first question: a profile that leads elsewhere is refused.
    """

    account: str = Field(pattern=r"^[0-9]{12}$")
    endpoint_url: str | None = Field(default=None, description="of all services, for a stand-in")
    credentials_file: Path | None = Field(default=None, description="in the form of ~/.aws's")
    profile: str | None = None
    role_arn: str | None = Field(default=None, description="role to read as")
    write_credentials_file: Path | None = None
    write_profile: str | None = None
    write_role_arn: str | None = Field(default=None, description="role to write as")

    @field_validator("endpoint_url")
    @classmethod
    def _safe(cls, url: str | None) -> str | None:
        return None if url is None else must_be_safe(url)

    @model_validator(mode="after")
    def _two_identities(self) -> "AwsOptions":
        if self.writes and self.writer == self.reader:
            raise ValueError("who writes must be another identity than who reads")
        return self

    @property
    def place(self) -> str:
        """As targets name their cluster."""
        return f"aws:{self.account}/{self.region}"

    @property
    def reader(self) -> Identity:
        """Who reads."""
        return Identity(self.credentials_file, self.profile, self.role_arn)

    @property
    def writes(self) -> bool:
        """Whether an identity to write with is given."""
        given = (self.write_credentials_file, self.write_profile, self.write_role_arn)
        return any(one is not None for one in given)

    @property
    def writer(self) -> Identity:
        """Who writes; a role that is assumed is assumed by who reads, unless a profile is given."""
        own = self.write_credentials_file is not None or self.write_profile is not None
        return Identity(
            self.write_credentials_file or self.credentials_file,
            self.write_profile if own else self.profile,
            self.write_role_arn,
        )
