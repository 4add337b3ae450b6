"""What can be set: by environment (``AIOPS_*``), else by ``aiops.toml`` in the current folder."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from aiops.errors import InvalidInput, UnknownName
from aiops.settings.gateway import (
    BudgetSettings,
    FreezeSettings,
    GatewaySettings,
    ProtectedSettings,
    RadiusSettings,
)
from aiops.settings.group import Group
from aiops.settings.model import ModelBudgetSettings, ModelRungSettings, ModelSettings
from aiops.settings.service import (
    IncidentSettings,
    RetentionSettings,
    WebhookSettings,
    WebSettings,
    WindowSettings,
)

__all__ = [
    "BudgetSettings",
    "FreezeSettings",
    "GatewaySettings",
    "IncidentSettings",
    "ModelBudgetSettings",
    "ModelRungSettings",
    "ModelSettings",
    "ProtectedSettings",
    "RadiusSettings",
    "RetentionSettings",
    "Settings",
    "WebSettings",
    "WebhookSettings",
    "WindowSettings",
    "as_variable",
    "load",
    "must_be_known",
]

FILE = Path("aiops.toml")
PREFIX: Final = "AIOPS_"
ELSEWHERE: Final = ("DEBUG", "KUBECTLS", "REPLAY_SECRET", "REPLAY_TOKEN", "WEBHOOK_SECRET")
"""Variables with our prefix that are no settings: other commands, tests and the compose file read
them."""
_OF_KUBERNETES: Final = re.compile(
    r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes sets in every container for a Service whose name begins with "aiops"."""


class Settings(BaseSettings):
    """Everything a user can set, with what holds if nobody does."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        toml_file=FILE,
        extra="forbid",
        frozen=True,
    )

    datasets: Path = Field(
        default=Path("../shared/datasets"), description="folder of recorded data sets"
    )
    method: str = Field(default="aiops", description="analyzer that ranks")
    policy: str = Field(
        default="deterministic", description='who chooses what is asked: or "llm", or a plugin\'s'
    )
    seed: int = Field(default=0, ge=0, description="seed of everything random")
    top: int = Field(default=5, ge=1, le=100, description="candidates a report lists")
    database_url: str = Field(
        default="sqlite:///aiops.db", description="sqlite:///FILE or postgresql://..."
    )
    sources: dict[str, dict[str, Any]] = Field(
        default={}, description="telemetry to pull, by name: kind, url and options of the kind"
    )
    webhooks: dict[str, WebhookSettings] = Field(default={}, description="who may push, by name")
    slos: Path | None = Field(default=None, description="file of service level objectives")
    trajectories: Path | None = Field(
        default=None, description="folder where each run of the service is written down"
    )
    incidents: IncidentSettings = Field(
        default=IncidentSettings(), description="how alerts become incidents"
    )
    window: WindowSettings = Field(
        default=WindowSettings(), description="what telemetry is pulled around an incident"
    )
    retention: RetentionSettings = Field(
        default=RetentionSettings(), description="how long what is kept"
    )
    web: WebSettings = Field(default=WebSettings(), description="what one client may ask for")
    tools: dict[str, dict[str, Any]] = Field(
        default={}, description="tools, by name: kind and options of the kind"
    )
    mcp: dict[str, dict[str, Any]] = Field(
        default={}, description="other people's MCP servers, by name: how each is reached"
    )
    gateway: GatewaySettings = Field(
        default=GatewaySettings(), description="what guards every call of a tool"
    )
    notify: dict[str, dict[str, Any]] = Field(
        default={}, description="who is called to decide, by name: kind and options of the kind"
    )
    model: ModelSettings = Field(
        default=ModelSettings(), description="language models, where there are any"
    )

    @model_validator(mode="before")
    @classmethod
    def _named_as_in_the_file(cls, given: Any) -> Any:
        """Put what a variable sets for ``my_grafana`` to the ``My-Grafana`` of the file.

        A variable has neither capitals nor dashes in its name.
        """
        if not isinstance(given, dict):
            return given
        return given | {
            group: _as_named(given[group], makes)
            for group, makes in _NAMED.items()
            if isinstance(given.get(group), dict)
        }

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


_NAMED: Final = {
    "sources": ("kind",),
    "webhooks": ("kind",),
    "tools": ("kind",),
    "notify": ("kind",),
    "mcp": ("command", "url"),
}
"""Settings whose names somebody chose, and what makes a member of one of its own."""


def _as_named(group: dict[str, Any], makes: tuple[str, ...]) -> dict[str, Any]:
    """The members; what only adds to one goes to the name that a variable cannot write."""
    joined = dict(group)
    for name, member in group.items():
        plain = as_variable(name)
        added = group.get(plain)
        if plain == name or not (isinstance(added, dict) and isinstance(member, dict)):
            continue
        if not any(key in added for key in makes):
            joined[name] = {**member, **added}
            joined.pop(plain, None)
    return joined


def as_variable(name: str) -> str:
    """A chosen name as it stands in the name of a variable, but for capitals."""
    return re.sub(r"\W", "_", name, flags=re.ASCII).lower()


def _beside(place: tuple[int | str, ...]) -> tuple[str, ...]:
    """The settings that stand where an unknown one was given."""
    known: type[BaseModel] = Settings
    for part in place[:-1]:
        if part in known.model_fields:
            group = known.model_fields[str(part)].annotation
            each = [group, *get_args(group)]
            known = next(
                (one for one in each if isinstance(one, type) and issubclass(one, Group)), known
            )
    return tuple(known.model_fields)


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
            raise UnknownName("setting", key, _beside(first["loc"])) from error
        raise InvalidInput(
            f"setting {key!r}: {first['msg']} "
            f"(set as {PREFIX}{key.upper().replace('.', '__')} or in {FILE})"
        ) from error
    except ValueError as error:  # not TOML
        raise InvalidInput(f"{FILE}: {error}") from error


def must_be_known(variables: Iterable[str]) -> None:
    """Refuse variables that were meant to set something and set nothing.

    A service that starts without the setting somebody gave it surprises them at the worst time.

    Args:
        variables: names of the environment, of all sorts.

    Raises:
        InvalidInput: the first that has our prefix and is no setting, by its name.
    """
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(variables):
        name = variable.upper()
        if not name.startswith(PREFIX):
            continue
        rest = name.removeprefix(PREFIX)
        head = rest.partition("__")[0]
        if head in known or rest in ELSEWHERE or _OF_KUBERNETES.fullmatch(rest):
            continue
        near = get_close_matches(head, known, n=1)
        meant = f"did you mean {PREFIX}{near[0]}{rest[len(head) :]}? " if near else ""
        raise InvalidInput(
            f"the environment sets {variable}, which is no setting: {meant}unset it, or correct it"
        )
