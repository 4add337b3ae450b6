"""Settings of what guards every call of a tool."""

from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, Field, SecretStr, model_validator

from aiops.settings.group import Group


class ProtectedSettings(Group):
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


class RadiusSettings(Group):
    """The most that one approved action touches."""

    objects: int = Field(default=10, ge=1, description="that change")
    namespaces: int = Field(default=1, ge=1, description="that they are in")
    share: float = Field(
        default=0.5, ge=0, le=1, description="of the replicas that serve, those that stop"
    )
    outage: bool = Field(default=False, description="whether all that serve may stop")


class BudgetSettings(Group):
    """The most that the calls of one run cost."""

    calls: int = Field(default=300, ge=1, description="of tools")
    writes: int = Field(default=10, ge=0, description="that are carried out")
    seconds: float = Field(default=1800, gt=0, description="of waiting for tools")


class FreezeSettings(Group):
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


class GatewaySettings(Group):
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
