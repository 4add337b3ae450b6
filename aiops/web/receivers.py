"""Who may push, and how their payloads are read: the configured webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from pydantic import SecretStr

from aiops import plugins
from aiops.errors import InvalidInput, UnknownName
from aiops.ingest.webhooks.authentic import Credentials
from aiops.ports.webhook import AlertParser, ChangeParser
from aiops.settings import Settings, WebhookSettings, as_variable

ALERTS: Final = "aiops.alert_webhooks"
CHANGES: Final = "aiops.change_webhooks"


@dataclass(frozen=True, slots=True)
class Receiver:
    """One webhook; it reads either alerts or changes.

    Attributes:
        name: the last part of its address, and the source of its alerts.
    """

    name: str
    credentials: Credentials
    alerts: AlertParser | None = None
    changes: ChangeParser | None = None

    @property
    def comes_through_sns(self) -> bool:
        """Whether its requests may ask to confirm a subscription."""
        return self.credentials.auth == "sns" or self.credentials.kind == "cloudwatch"


def receivers(settings: Settings, *, dev: bool) -> Mapping[str, Receiver]:
    """The webhooks of the settings, by name.

    Args:
        dev: ask for no secrets, and take every kind also under its own name.

    Raises:
        InvalidInput: one that cannot be used, by the key that is wrong.
    """
    given = dict(settings.webhooks)
    if dev:
        any_kind = {kind: WebhookSettings(kind=kind) for kind in kinds()}
        given = {
            name: each.model_copy(update={"auth": "none"})
            for name, each in {**any_kind, **given}.items()
        }
    return {name: _receiver(name, each) for name, each in given.items()}


def kinds() -> tuple[str, ...]:
    """All that are installed, sorted."""
    return tuple(sorted({*plugins.names(ALERTS), *plugins.names(CHANGES)}))


def _receiver(name: str, given: WebhookSettings) -> Receiver:
    key = f"webhooks.{name}"
    secret, former = _open(given.secret), _open(given.former_secret)
    if given.auth != "none" and not secret:
        raise InvalidInput(
            f"setting '{key}.secret': a webhook with auth = {given.auth!r} needs one; set "
            f"AIOPS_WEBHOOKS__{as_variable(name).upper()}__SECRET"
        )
    credentials = Credentials(given.kind, given.auth, secret, former)
    if given.kind in plugins.names(ALERTS):
        return Receiver(name, credentials, alerts=_alert_parser(given, key))
    if given.kind in plugins.names(CHANGES):
        return Receiver(name, credentials, changes=_change_parser(given))
    raise UnknownName(f"kind in setting '{key}.kind':", given.kind, kinds())


def _open(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _alert_parser(given: WebhookSettings, key: str) -> AlertParser:
    if given.mapping is None:
        return cast("AlertParser", plugins.load(ALERTS, given.kind))
    if given.kind != "generic":
        raise InvalidInput(f"setting '{key}.mapping': only kind = 'generic' is read by a mapping")
    from aiops.ingest.webhooks.generic import MappedParser
    from aiops.ingest.webhooks.mapping import load_mapping

    return MappedParser(load_mapping(given.mapping))


def _change_parser(given: WebhookSettings) -> ChangeParser:
    if given.mapping is None:
        return cast("ChangeParser", plugins.load(CHANGES, given.kind))
    from aiops.ingest.changes.mapped import mapped
    from aiops.ingest.changes.names import load_names

    return mapped(given.kind, load_names(given.mapping))
