"""Settings of language models."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from aiops.settings.group import Group


class ModelRungSettings(Group):
    """One language model of the endpoint, and what it costs."""

    name: str = Field(min_length=1, description="as the endpoint calls it")
    input_usd: float = Field(default=0, ge=0, description="US dollars for a million tokens read")
    output_usd: float = Field(default=0, ge=0, description="US dollars for a million written")


class ModelBudgetSettings(Group):
    """The most that one run spends on language models."""

    requests: int = Field(default=60, ge=1, description="answers")
    tokens: int = Field(default=400_000, ge=1, description="read and written")
    usd: float = Field(default=1.0, ge=0, description="by the prices set; 0 is no limit")


class ModelSettings(Group):
    """Language models of an OpenAI-compatible endpoint. Without any, everything works too."""

    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        description='address of the endpoint, mostly ending in "/v1"',
    )
    api_key: SecretStr | None = Field(default=None, description="sent as a bearer token")
    small: ModelRungSettings | None = Field(default=None, description="asked first")
    large: ModelRungSettings | None = Field(
        default=None, description="asked where the small one did not settle it"
    )
    timeout_s: float = Field(default=60, gt=0, le=600, description="for one whole answer")
    output_tokens: int = Field(default=2048, ge=64, description="that one answer is long at most")
    attempts: int = Field(default=3, ge=1, le=10, description="requests for one answer")
    longest_pause_s: float = Field(
        default=20, ge=0, le=120, description="that a busy endpoint is waited for, if it asks to"
    )
    ca_file: Path | None = Field(default=None, description="certificates it is trusted by")
    proxy: SecretStr | None = Field(default=None, description="address of a proxy on the way")
    context_tokens: int = Field(
        default=24_000, ge=2000, description="of one question, about; longer ones are compacted"
    )
    ask: Literal["unsettled", "always"] = Field(
        default="unsettled", description="whether also where the statistics are sure"
    )
    budget: ModelBudgetSettings = Field(
        default=ModelBudgetSettings(), description="what one run spends"
    )

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        key = value.get_secret_value().strip() if value is not None else ""
        if any(not "!" <= letter <= "~" for letter in key):
            raise ValueError("a key has letters, digits and signs of ASCII only, and no spaces")
        return SecretStr(key) if key else None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        models = self.small or self.large
        if (self.base_url is None) != (models is None):
            raise ValueError("give 'base_url', and 'name' in 'small', 'large' or both; or neither")
        return self
