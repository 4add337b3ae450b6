"""Any change, in our own names: an object, a list of them, or a list as "changes"."""

from collections.abc import Iterable
from typing import Final, get_args

from aiops.errors import BadPayload
from aiops.ingest.changes.reported import Reported, changes, when
from aiops.ingest.webhooks.fields import Fields
from aiops.ingest.webhooks.payload import decode
from aiops.model.change import Change, ChangeKind
from aiops.ports.webhook import Push

MOST: Final = 1_000
"""Changes of one request."""
_KINDS: Final[tuple[ChangeKind, ...]] = get_args(ChangeKind)
_VERBS: Final[dict[ChangeKind, str]] = {
    "deploy": "Deployment",
    "config": "Configuration changed",
    "flag": "Feature flag changed",
    "scale": "Scaled",
    "rollback": "Rollback",
    "other": "Change",
}


def parse(push: Push) -> tuple[Change, ...]:
    """See ChangeParser."""
    return changes(push, reported(push))


def reported(push: Push) -> Iterable[Reported]:
    """What the payload reports.

    Raises:
        BadPayload: it cannot be read, or one of its changes cannot.
    """
    found = _objects(decode(push.body))
    if len(found) > MOST:
        raise BadPayload(f"{len(found)} changes in one request; send at most {MOST}", "/")
    return tuple(_reported(one) for one in found)


def _objects(value: object) -> tuple[Fields, ...]:
    if isinstance(value, list):
        for n, one in enumerate(value):
            if not isinstance(one, dict):
                raise BadPayload("an object is expected", f"/{n}")
        return tuple(Fields(one, f"/{n}") for n, one in enumerate(value))
    if not isinstance(value, dict):
        raise BadPayload("an object or a list of objects is expected", "/")
    return Fields(value).each("changes") if "changes" in value else (Fields(value),)


def _reported(one: Fields) -> Reported:
    kind = _kind(one)
    ref = one.text("ref")
    return Reported(
        subject=one.required("service"),
        description=one.text("description") or f"{_VERBS[kind]} {ref}".strip(),
        at=when(one, "at"),
        kind=kind,
        environment=one.text("environment"),
        namespace=one.text("namespace"),
        cluster=one.text("cluster"),
        author=one.text("author"),
        ref=ref,
        link=one.text("link"),
    )


def _kind(one: Fields) -> ChangeKind:
    said = one.text("kind") or "other"
    for kind in _KINDS:
        if kind == said:
            return kind
    raise one.refuse("kind", f"{said[:40]!r}; choose from: {', '.join(_KINDS)}")
