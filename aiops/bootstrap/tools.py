"""The tool belt of a service: its configured toolsets behind one gateway."""

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiops import plugins
from aiops.bootstrap.objectives import after_change
from aiops.bootstrap.service import Service
from aiops.bootstrap.third_parties import third_party
from aiops.errors import InvalidInput, NotKept, UnknownName
from aiops.model.alert import Severity
from aiops.ports.tools import Tool, Toolset
from aiops.settings import FreezeSettings, GatewaySettings, Settings
from aiops.toolbelt.budget import Budget
from aiops.toolbelt.doors import Doors, Rules
from aiops.toolbelt.finishing import Finishing
from aiops.toolbelt.freezes import Freeze
from aiops.toolbelt.gateway import Gateway
from aiops.toolbelt.policy import load_policy
from aiops.toolbelt.protection import Protection
from aiops.toolbelt.radius import RadiusLimits
from aiops.toolbelt.results import Results

GROUP: Final = "aiops.toolsets"
BUILT_IN: Final = ("telemetry", "incidents", "analysis")
"""Kinds that need no configuration: they work on what the service keeps."""
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_OURS: Final = ("calls", "plan", "results")
"""Names of what the gateway itself brings."""


@contextmanager
def toolbelt_of(
    service: Service, *, only: Sequence[str] = (), more: Sequence[Tool] = ()
) -> Iterator[Gateway]:
    """The gateway over all toolsets of ``service``, which are closed at the end.

    Args:
        only: names of toolsets, where not all are wanted.
        more: tools from elsewhere, such as other people's servers.

    Raises:
        InvalidInput: a setting that cannot be used, by its key.
    """
    rules = rules_of(service.settings.gateway)
    with ExitStack() as opened:
        tools: list[Tool] = []
        for toolset in toolsets_of(service, only):
            opened.callback(toolset.close)
            tools += toolset.tools()
        results = Results(service.blobs, service.settings.gateway.result_tokens)
        tools += (*more, *results.tools())
        yield Gateway(tools, rules, doors_of(service, results))


def toolset_names(settings: Settings) -> tuple[str, ...]:
    """Of all toolsets that ``toolsets_of`` connects, sorted."""
    installed = plugins.names(GROUP)
    built_in = [kind for kind in BUILT_IN if kind in installed]
    return tuple(sorted({*settings.tools, *built_in}))


def taken_names(settings: Settings) -> tuple[str, ...]:
    """Names that no server of others may have, whether we use them or not."""
    return tuple(sorted({*toolset_names(settings), *plugins.names(GROUP), *_OURS}))


def toolsets_of(service: Service, only: Sequence[str] = ()) -> tuple[Toolset, ...]:
    """The configured toolsets, those that need no configuration, and other people's servers.

    Opens no connection yet.

    Raises:
        InvalidInput: a toolset without a kind, of an unknown kind, or with a wrong option.
        UnknownName: one of ``only`` is not configured.
    """
    settings = service.settings
    names = (*toolset_names(settings), *sorted(settings.mcp))
    unknown = next((name for name in only if name not in names), None)
    if unknown is not None:
        raise UnknownName("toolset", unknown, names)
    ours = [name for name in toolset_names(settings) if not only or name in only]
    others = [name for name in sorted(settings.mcp) if not only or name in only]
    return (
        *(_connected(name, service) for name in ours),
        *(third_party(settings, name, taken_names(settings)) for name in others),
    )


def _connected(name: str, service: Service) -> Toolset:
    if not _NAME.fullmatch(name) or name in _OURS:
        raise InvalidInput(
            f"setting 'tools.{name}': choose another name: lower-case letters, digits, - and _; "
            f"not {', '.join(_OURS)}"
        )
    options = dict(service.settings.tools.get(name, {"kind": name}))
    kind = options.pop("kind", None)
    if kind not in plugins.names(GROUP):
        known = ", ".join(plugins.names(GROUP)) or "none is installed"
        raise InvalidInput(f"setting 'tools.{name}.kind': say which kind it is ({known})")
    toolset: Toolset = plugins.load(GROUP, kind).connect(name, options, service)
    return toolset


def doors_of(service: Service, results: Results) -> Doors:
    """What the gateway leans on; ``results`` keeps what is too big to be told."""

    def severity(incident_id: str) -> Severity | None:
        try:
            return service.incidents.get(incident_id).severity
        except NotKept:
            return None

    return Doors(
        approvals=service.approvals,
        ledger=service.ledger,
        switch=service.switch,
        audit=service.audit,
        clock=service.clock,
        ids=service.ids,
        finish=Finishing(secrets.token_bytes, results),
        severity=severity,
        objectives=after_change(service),
    )


def rules_of(settings: GatewaySettings) -> Rules:
    """What is allowed.

    Raises:
        InvalidInput: the policy or a freeze cannot be used; the key is named.
    """
    protected, radius, budget = settings.protected, settings.radius, settings.budget
    return Rules(
        mode=settings.mode,
        policy=load_policy(settings.policy),
        protection=Protection(protected.namespaces, protected.kinds, protected.objects),
        radius=RadiusLimits(radius.objects, radius.namespaces, radius.share, radius.outage),
        freezes=tuple(_freeze(number, one) for number, one in enumerate(settings.freezes)),
        budget=Budget(budget.calls, budget.writes, budget.seconds),
        approval_s=settings.approval_s,
        steps=settings.plan_steps,
        watch_s=settings.watch_s,
        mend_s=settings.mend_s,
    )


def _freeze(number: int, given: FreezeSettings) -> Freeze:
    from croniter import croniter  # type: ignore[import-untyped]  # it has no types

    key = f"setting 'gateway.freezes.{number}"
    if given.cron is not None and (
        len(given.cron.split()) != 5 or not croniter.is_valid(given.cron)
    ):
        raise InvalidInput(f"{key}.cron': {given.cron!r} is no cron expression of five fields")
    try:
        ZoneInfo(given.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(f"{key}.zone': there is no time zone {given.zone!r}") from error
    return Freeze(
        name=given.name,
        since=given.since,
        until=given.until,
        cron=given.cron,
        lasts=None if given.hours is None else timedelta(hours=given.hours),
        zone=given.zone,
        spares=given.spares,
    )
