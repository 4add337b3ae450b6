"""Settings of the service: who may push, how alerts become incidents, what is read and kept."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from aiops.settings.group import Group


class WebhookSettings(Group):
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


class IncidentSettings(Group):
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


class WindowSettings(Group):
    """What telemetry is pulled around an incident. Durations in seconds."""

    before_s: float = Field(default=1800, gt=0, description="of normal running before the alert")
    after_s: float = Field(default=300, ge=0, description="after it, as far as it has passed")
    hops: int = Field(default=2, ge=0, description="calls from the incident's services")


class RetentionSettings(Group):
    """How long what is kept. In days; 0 keeps it for ever."""

    telemetry_days: float = Field(default=30, ge=0, description="telemetry around incidents")
    incidents_days: float = Field(default=400, ge=0, description="resolved incidents and reports")
    events_days: float = Field(
        default=7, ge=0, description="events, and the steps of investigations"
    )


class WebSettings(Group):
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
