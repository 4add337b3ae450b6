"""What can be set: by environment (``AIOPS_*``), else by ``aiops.toml`` in the current folder."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from aiops.errors import InvalidInput, UnknownName

FILE = Path("aiops.toml")
PREFIX: Final = "AIOPS_"
ELSEWHERE: Final = ("DEBUG", "KUBECTLS", "REPLAY_SECRET", "REPLAY_TOKEN", "WEBHOOK_SECRET")
"""Variables with our prefix that are no settings: other commands, tests and the compose file read
them."""
_OF_KUBERNETES: Final = re.compile(
    r"(.+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes sets in every container for a Service whose name begins with "aiops"."""


class _Group(BaseModel):
    """Settings that belong together: a table of the file, or ``AIOPS_<GROUP>__<KEY>``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WebhookSettings(_Group):
    """One webhook: alerts or changes come in at ``/webhooks/<name>``."""

    kind: str = Field(description='whose payload: "alertmanager", "grafana", "generic", "github"')
    auth: Literal["hmac", "bearer", "basic", "sns", "none"] = Field(
        default="bearer", description="how a request proves where it comes from"
    )
    secret: SecretStr | None = Field(default=None, description="key, token or user:password")
    former_secret: SecretStr | None = Field(
        default=None, description="taken as well, while senders are given a new one"
    )
    mapping: Path | None = Field(default=None, description="mapping file of a generic payload")


class IncidentSettings(_Group):
    """How alerts become incidents. Durations in seconds."""

    group_by: tuple[str, ...] = Field(
        default=("cluster", "namespace", "service"),
        description="labels whose values say which alerts belong together",
    )
    join_window_s: float = Field(
        default=300, ge=0, description="alerts of neighbouring services this close join"
    )
    join_hops: int = Field(default=2, ge=0, le=3, description="calls between such neighbours")
    reopen_window_s: float = Field(
        default=1800, ge=0, description="an alert this soon after the end opens it again"
    )
    flapping_turns: int = Field(
        default=4, ge=2, le=20, description="changes of status that make an alert flap"
    )
    flapping_window_s: float = Field(default=900, gt=0, description="within this time")
    settle_s: float = Field(
        default=5, ge=0, description="alerts are awaited this long before investigating"
    )
    cooldown_s: float = Field(
        default=300, ge=0, description="no second investigation of an incident before"
    )


class WindowSettings(_Group):
    """What telemetry is pulled around an incident. Durations in seconds."""

    before_s: float = Field(default=1800, gt=0, description="of normal running before the alert")
    after_s: float = Field(default=300, ge=0, description="after it, as far as it has passed")
    hops: int = Field(default=2, ge=0, description="calls from the incident's services")


class RetentionSettings(_Group):
    """How long what is kept. In days; 0 keeps it for ever."""

    telemetry_days: float = Field(default=30, ge=0, description="telemetry around incidents")
    incidents_days: float = Field(default=400, ge=0, description="resolved incidents and reports")
    events_days: float = Field(
        default=7, ge=0, description="events, and the steps of investigations"
    )


class WebSettings(_Group):
    """What one client may ask for."""

    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="larger bodies: 413")
    max_telemetry_bytes: int = Field(
        default=16_777_216, ge=1024, description="larger pushes of telemetry, unpacked: 413 or 400"
    )
    requests_per_minute: int = Field(
        default=600, ge=1, description="per token or address on /api; more: 429"
    )
    telemetry_bytes_per_minute: int = Field(
        default=1_073_741_824,
        ge=1024,
        validate_default=True,
        description="of pushes, as sent, per token; more: 429; not less than one push may hold",
    )
    backlog_limit: int = Field(
        default=50_000, ge=1, description="waiting deliveries above which /readyz says 503"
    )
    backlog_most: int = Field(
        default=200_000, ge=1, description="and above which webhooks are answered 503, too"
    )
    heartbeat_url: SecretStr | None = Field(
        default=None, description="asked for every minute while all is well: a dead man's switch"
    )

    @field_validator("telemetry_bytes_per_minute")
    @classmethod
    def _holds_one_push(cls, value: int, info: ValidationInfo) -> int:
        if value < (largest := info.data.get("max_telemetry_bytes", 0)):
            raise ValueError(f"less than the {largest:,} of max_telemetry_bytes: none could come")
        return value


class ProtectedSettings(_Group):
    """What is never changed, whoever approves. Patterns as of a shell."""

    namespaces: tuple[str, ...] = Field(
        default=("kube-*", "*-system", "cert-manager", "istio-*", "aiops"),
        description="with everything in them",
    )
    kinds: tuple[str, ...] = Field(
        default=(
            "Secret",
            "Namespace",
            "CustomResourceDefinition",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "StorageClass",
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "ClusterRole",
            "ClusterRoleBinding",
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ),
        description="of any name",
    )
    objects: tuple[str, ...] = Field(
        default=(), description='"cluster/namespace/Kind/name"; without a namespace if it has none'
    )


class RadiusSettings(_Group):
    """The most that one approved action touches."""

    objects: int = Field(default=10, ge=1, description="that change")
    namespaces: int = Field(default=1, ge=1, description="that they are in")
    share: float = Field(
        default=0.5, ge=0, le=1, description="of the replicas that serve, those that stop"
    )
    outage: bool = Field(default=False, description="whether all that serve may stop")


class BudgetSettings(_Group):
    """The most that the calls of one run cost."""

    calls: int = Field(default=300, ge=1, description="of tools")
    writes: int = Field(default=10, ge=0, description="that are carried out")
    seconds: float = Field(default=1800, gt=0, description="of waiting for tools")


class FreezeSettings(_Group):
    """A time in which nothing is changed: once, or again and again by a cron expression."""

    name: str = Field(min_length=1, description="said in refusals")
    since: AwareDatetime | None = Field(default=None, description="when it begins, once")
    until: AwareDatetime | None = Field(default=None, description="when it ends")
    cron: str | None = Field(default=None, description="when it begins, five fields")
    hours: float | None = Field(default=None, gt=0, le=8760, description="how long each lasts")
    zone: str = Field(default="UTC", description="time zone of 'cron', such as Europe/Paris")
    spares: tuple[Literal["SEV1", "SEV2", "SEV3", "SEV4"], ...] = Field(
        default=(), description="severities of incidents that are worked on nevertheless"
    )

    @model_validator(mode="after")
    def _once_or_again(self) -> Self:
        once, again = (self.since, self.until), (self.cron, self.hours)
        if (None in once) == (None in again):
            raise ValueError("give 'since' and 'until', or 'cron' and 'hours'")
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("'until' must be after 'since'")
        return self


class GatewaySettings(_Group):
    """What guards every call of a tool. Durations in seconds."""

    mode: Literal["shadow", "approve"] = Field(
        default="shadow",
        description='"shadow" notes what a change would have done; "approve" does what is approved',
    )
    policy: Path | None = Field(default=None, description="file of rules; a shipped one if none")
    approval_s: float = Field(
        default=3600, gt=0, le=604_800, description="how long an approval is asked for and holds"
    )
    plan_steps: int = Field(default=10, ge=1, le=50, description="changes under one approval")
    watch_s: float = Field(
        default=30,
        ge=0,
        le=3600,
        description="after a change its objectives are watched that long; 0: they are not",
    )
    mend_s: float = Field(
        default=300,
        ge=0,
        le=3600,
        description="by then an action for an incident must have helped its objectives, or it is "
        "taken back; 0: it need not",
    )
    result_tokens: int = Field(
        default=4000, ge=100, description="of a result; what is bigger is kept and told in short"
    )
    protected: ProtectedSettings = Field(
        default=ProtectedSettings(), description="what is never changed"
    )
    radius: RadiusSettings = Field(
        default=RadiusSettings(), description="how much one action touches"
    )
    budget: BudgetSettings = Field(default=BudgetSettings(), description="what one run spends")
    freezes: tuple[FreezeSettings, ...] = Field(
        default=(), description="times in which nothing is changed"
    )
    identity_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="what our processes sign with, for each other's MCP servers, who calls",
    )


class ModelRungSettings(_Group):
    """One language model of the endpoint, and what it costs."""

    name: str = Field(min_length=1, description="as the endpoint calls it")
    input_usd: float = Field(default=0, ge=0, description="US dollars for a million tokens read")
    output_usd: float = Field(default=0, ge=0, description="US dollars for a million written")


class ModelBudgetSettings(_Group):
    """The most that one run spends on language models."""

    requests: int = Field(default=60, ge=1, description="answers")
    tokens: int = Field(default=400_000, ge=1, description="read and written")
    usd: float = Field(default=1.0, ge=0, description="by the prices set; 0 is no limit")


class ModelSettings(_Group):
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
                (one for one in each if isinstance(one, type) and issubclass(one, _Group)), known
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
