"""Who is called when an action waits for a decision: the configured notifiers."""

from typing import Final

from aiops import plugins
from aiops.errors import InvalidInput
from aiops.ports.approvals import Summons
from aiops.settings import Settings

GROUP: Final = "aiops.notifiers"


def summons_of(settings: Settings) -> tuple[Summons, ...]:
    """Every notifier of ``[notify]``; opens no connection yet.

    Raises:
        InvalidInput: one without a kind, of an unknown kind, or with a wrong option.
    """
    found: list[Summons] = []
    for name, given in settings.notify.items():
        options = dict(given)
        kind = options.pop("kind", None)
        if kind not in plugins.names(GROUP):
            known = ", ".join(plugins.names(GROUP)) or "none is installed"
            raise InvalidInput(f"setting 'notify.{name}.kind': say which kind it is ({known})")
        found.append(plugins.load(GROUP, kind).connect(name, options))
    return tuple(found)


def nobody_is_called(settings: Settings) -> str | None:
    """A warning where actions wait for people whom nobody calls; None where all is well."""
    if settings.gateway.mode == "shadow" or settings.notify:
        return None
    return (
        "nobody is called when an action waits for a decision, or when nobody answers: it is only "
        "seen on the page and by 'aiops approvals list'; set a notifier in [notify.NAME]"
    )
