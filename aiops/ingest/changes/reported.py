"""What a sender reports, and the Change it is: bounded, with a time that can be true."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from aiops.ingest.changes.names import AS_REPORTED, ServiceNames
from aiops.ingest.webhooks.compose import one_line, url
from aiops.ingest.webhooks.fields import Fields
from aiops.ingest.webhooks.moments import EARLIEST, moment
from aiops.model import Entity
from aiops.model.change import Change, ChangeKind
from aiops.ports.webhook import Push

_MOST_NAME = 200
_ZONE = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
_DEPLOYS = re.compile(r"deploy|release|rollout|roll[- _]?back|promot|publish|ship", re.IGNORECASE)
_ROLLS_BACK = re.compile(r"roll[- _]?back|revert", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reported:
    """One change in the words of its sender.

    Attributes:
        subject: what was changed there: a repository, an application, a service.
        at: None where the sender does not say.
        environment: "production"; "" where it names none.
    """

    subject: str
    description: str
    at: datetime | None
    kind: ChangeKind = "deploy"
    environment: str = ""
    namespace: str = ""
    cluster: str = ""
    author: str = ""
    ref: str = ""
    link: str = ""


def changes(
    push: Push, reported: Iterable[Reported], names: ServiceNames = AS_REPORTED
) -> tuple[Change, ...]:
    """The changes that a push reports, one for every service that each is of.

    A time later than receipt, or before 2000, becomes that of receipt.

    Args:
        names: whose service each subject is.
    """
    return tuple(
        Change(
            at=_credible(one.at, push.received_at),
            entity=Entity(
                "service",
                service[:_MOST_NAME],
                one_line(one.namespace)[:_MOST_NAME] or None,
                one_line(one.cluster)[:_MOST_NAME] or None,
            ),
            description=one_line(one.description),
            kind=one.kind,
            author=one_line(one.author)[:_MOST_NAME] or None,
            ref=one_line(one.ref)[:_MOST_NAME] or None,
            link=url(one.link),
        )
        for one in reported
        for service in names.services(one.subject, one.environment)
    )


def when(fields: Fields, key: str) -> datetime | None:
    """A time, also with a space before its zone as Ruby writes it; None where it is absent.

    Raises:
        BadPayload: it is no time.
    """
    value = fields.raw(key)
    if not isinstance(value, str):
        return fields.time(key)
    try:
        return moment(_ZONE.sub("", value.strip())) if value.strip() else None
    except ValueError as error:
        raise fields.refuse(key, str(error)) from error


def deploys(*said: str) -> bool:
    """Whether the name of a job or pipeline says that it brings something out."""
    return any(_DEPLOYS.search(text) for text in said)


def kind_of_deployment(*said: str) -> ChangeKind:
    """A rollback where one of the texts says so."""
    return "rollback" if any(_ROLLS_BACK.search(text) for text in said) else "deploy"


def joined(what: str, said: str) -> str:
    """What happened, and what its author said about it where that is anything."""
    return f"{what}: {said}" if said else what


def _credible(at: datetime | None, received: datetime) -> datetime:
    return received if at is None or at > received or at < EARLIEST else at
