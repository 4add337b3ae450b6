"""What can be set: by environment (``AIOPS_*``), else by ``aiops.toml`` in the current folder."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from aiops.errors import InvalidInput, UnknownName

FILE = Path("aiops.toml")


class Settings(BaseSettings):
    """Everything a user can set, with what holds if nobody does."""

    model_config = SettingsConfigDict(
        env_prefix="AIOPS_", toml_file=FILE, extra="forbid", frozen=True
    )

    datasets: Path = Field(
        default=Path("../shared/datasets"), description="folder of recorded data sets"
    )
    method: str = Field(default="aiops", description="analyzer that ranks")
    seed: int = Field(default=0, ge=0, description="seed of everything random")
    top: int = Field(default=5, ge=1, le=100, description="candidates a report lists")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load(**given: object) -> Settings:
    """The settings, with ``given`` ones that are not None on top.

    Raises:
        UnknownName: the file sets something that does not exist.
        InvalidInput: the first setting that cannot be used, by its key and where to set it.
    """
    chosen = {key: value for key, value in given.items() if value is not None}
    try:
        return Settings(**chosen)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UnknownName("setting", key, tuple(Settings.model_fields)) from error
        raise InvalidInput(
            f"setting {key!r}: {first['msg']} (set as AIOPS_{key.upper()} or in {FILE})"
        ) from error
    except ValueError as error:  # not TOML
        raise InvalidInput(f"{FILE}: {error}") from error
