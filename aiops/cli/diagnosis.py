"""Everything that is configured, tried for real: what ``aiops doctor`` prints."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from aiops.analyze.wording import duration
from aiops.bootstrap.durable import connected
from aiops.errors import AiopsError, NotKept, StoreUnavailable
from aiops.model.alert import Alert
from aiops.model.change import Change
from aiops.model.job import DeadJob
from aiops.ports.clock import Clock
from aiops.ports.webhook import Push
from aiops.settings import ModelRungSettings, Settings
from aiops.web.receivers import Receiver, receivers

PARALLEL = 16
LATELY = timedelta(days=1)
"""Jobs given up before that are told of and no failure: somebody has seen them, or nobody will."""
_SQLITE = "sqlite:///"


class GivenUp(AiopsError):
    """Work was given up after all its attempts; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How one configured thing is.

    Attributes:
        seen: what was read, in numbers; what is wrong and what to do where it failed.
        seconds: how long that took.
    """

    name: str
    kind: str
    ok: bool
    seen: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Check:
    """One thing to try: ``look`` says what it saw, or raises AiopsError."""

    name: str
    kind: str
    look: Callable[[], str]


def diagnose(settings: Settings, clock: Clock) -> tuple[Finding, ...]:
    """Every finding, in the order of the settings; all are looked for at once.

    Raises:
        InvalidInput: the configuration of a source cannot be used, by its key.
    """
    sources = connected(settings)
    checks = [
        _Check("database", settings.database_url.partition(":")[0], partial(_database, settings)),
        *(
            _Check(f"sources.{name}", settings.sources[name]["kind"], source.check)
            for name, source in sources
        ),
        *(
            _Check(f"webhooks.{name}", given.kind, partial(_webhook, name, settings))
            for name, given in settings.webhooks.items()
        ),
    ]
    checks += [
        _Check(f"model.{size}", rung.name, partial(_model, settings, rung))
        for size, rung in (("small", settings.model.small), ("large", settings.model.large))
        if rung is not None
    ]
    if settings.slos is not None:
        checks.append(_Check("slos", "file", partial(_objectives, settings.slos)))
    try:
        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="doctor") as pool:
            found = tuple(pool.map(partial(_finding, clock), checks))
        if not found[0].ok:
            return found
        return (*found, _finding(clock, _Check("jobs", "queue", partial(_jobs, settings, clock))))
    finally:
        for _, source in sources:
            source.close()


def _finding(clock: Clock, check: _Check) -> Finding:
    began = clock.stopwatch()
    try:
        seen, ok = check.look(), True
    except AiopsError as failure:
        seen, ok = str(failure), False
    return Finding(check.name, check.kind, ok, seen, clock.stopwatch() - began)


def _database(settings: Settings) -> str:
    from aiops.store.sql.engine import open_engine
    from aiops.store.sql.probe import probe

    file = settings.database_url.removeprefix(_SQLITE)
    if settings.database_url.startswith(_SQLITE) and file and not Path(file).exists():
        # Opening would make it: a check changes nothing.
        raise StoreUnavailable(f"{file} is not there yet; run 'aiops db upgrade'")
    engine = open_engine(settings.database_url, application="aiops doctor")
    try:
        return probe(engine)
    finally:
        engine.dispose()


def _jobs(settings: Settings, clock: Clock) -> str:
    """How many wait; raises GivenUp where some were given up lately."""
    from aiops.bootstrap.queues import job_queue
    from aiops.store.ids import TimedIds
    from aiops.store.sql.engine import open_engine

    engine = open_engine(settings.database_url, application="aiops doctor")
    try:
        with job_queue(engine, clock, TimedIds(clock), application="aiops doctor") as queue:
            backlog = queue.backlog()
            dead = queue.dead(limit=max(1, backlog.dead))
    finally:
        engine.dispose()
    seen = f"{backlog.due:,} due, {backlog.running:,} running, {len(dead):,} given up"
    if not dead:
        return seen
    newest, oldest = dead[0], dead[-1]
    seen += (
        f", the first {_ago(clock, oldest)} ago, the last {_ago(clock, newest)} ago: "
        f"{newest.job.kind} {newest.job.about}: {newest.error}"
    )
    if clock.now() - newest.at > LATELY:
        return seen
    raise GivenUp(f"{seen}; when its cause is mended, press 'Investigate now' on the incident")


def _ago(clock: Clock, dead: DeadJob) -> str:
    return duration(max(0.0, (clock.now() - dead.at).total_seconds()))


def _webhook(name: str, settings: Settings) -> str:
    from aiops.ingest.webhooks.mapping import load_mapping

    receiver, given = _receiver(name, settings), settings.webhooks[name]
    proof = "takes anybody's requests" if given.auth == "none" else f"proven by {given.auth}"
    what = "changes" if receiver.changes is not None else "alerts"
    if given.mapping is None:
        return f"{what}, {proof}"
    return f"{what}, {proof}, {len(load_mapping(given.mapping).rules)} rules of mapping"


def _receiver(name: str, settings: Settings) -> Receiver:
    """The one webhook: what is wrong with another is that one's finding."""
    alone = settings.model_copy(update={"webhooks": {name: settings.webhooks[name]}})
    return receivers(alone, dev=False)[name]


def _model(settings: Settings, rung: ModelRungSettings) -> str:
    from aiops.bootstrap.models import try_model

    return try_model(settings.model, rung)


def _objectives(file: Path) -> str:
    from aiops.app.slos import load_slos

    slos = load_slos(file)
    services = len({slo.service for slo in slos})
    return f"{_counted(len(slos), 'objective')} of {_counted(services, 'service')}"


def _counted(count: int, of: str) -> str:
    return f"{count} {of}" if count == 1 else f"{count} {of}s"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a webhook would make of a payload.

    Attributes:
        missing: rules of its mapping that found nothing, in words.
    """

    alerts: tuple[Alert, ...] = ()
    changes: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()


def rehearse(settings: Settings, webhook: str, body: bytes, clock: Clock) -> Rehearsal:
    """What the webhook would make of ``body``; nothing is kept, and no proof is asked for.

    Raises:
        NotKept: no such webhook is configured.
        InvalidInput: its configuration cannot be used.
        BadPayload: nothing can be made of the payload.
    """
    from aiops.ingest.webhooks.generic import try_mapping
    from aiops.ingest.webhooks.mapping import load_mapping

    if webhook not in settings.webhooks:
        raise NotKept("webhook", webhook)
    receiver, given = _receiver(webhook, settings), settings.webhooks[webhook]
    push = Push(webhook, body, {}, clock.now())
    if given.mapping is not None:
        trial = try_mapping(load_mapping(given.mapping), push)
        missing = dict.fromkeys(
            f"{one.key} found nothing at {', '.join(one.places)}" for one in trial.missing
        )
        return Rehearsal(trial.alerts, missing=tuple(missing))
    if receiver.changes is not None:
        return Rehearsal(changes=receiver.changes(push))
    return Rehearsal(receiver.alerts(push) if receiver.alerts is not None else ())


def described(rehearsal: Rehearsal) -> Iterator[str]:
    """One line for each thing that would be taken in."""
    for alert in rehearsal.alerts:
        about = f" about {alert.entity.kind} {alert.entity.name}" if alert.entity else ""
        yield (
            f"alert {alert.name!r} {alert.status} since {alert.starts_at.isoformat()}, "
            f"{alert.severity}{about}: {alert.summary}"
        )
    for change in rehearsal.changes:
        where = f"{change.entity.kind} {change.entity.name}"
        yield f"change {change.kind} of {where} at {change.at.isoformat()}: {change.description}"
    if not rehearsal.alerts and not rehearsal.changes:
        yield "nothing: the payload carries no alert and no change"
    yield from (f"note: {one}" for one in rehearsal.missing)
