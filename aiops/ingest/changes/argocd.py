"""Argo CD notifications, by the template that docs/changes.md gives."""

from collections.abc import Iterable
from typing import Final

from aiops.ingest.changes.reported import Reported, changes, when
from aiops.ingest.webhooks.fields import Fields, read
from aiops.model.change import Change
from aiops.ports.webhook import Push

_OUTCOMES: Final = {"Succeeded": "done", "Failed": "failed", "Error": "failed"}
_NOTHING: Final = "<no value>"  # what Go's templates write for it
_SHORT: Final = 12


def parse(push: Push) -> tuple[Change, ...]:
    """See ChangeParser."""
    return changes(push, reported(push))


def reported(push: Push) -> Iterable[Reported]:
    """The sync that the payload reports; nothing while it runs. A failed one may be half done.

    Raises:
        BadPayload: it cannot be read.
    """
    payload = read(push.body)
    app = payload.required("app")
    outcome = _OUTCOMES.get(payload.required("phase"))
    if outcome is None:
        return ()
    revision, message = _said(payload, "revision"), _said(payload, "message")
    what = f"Sync of {app} to {revision[:_SHORT]}" if revision else f"Sync of {app}"
    return (
        Reported(
            subject=app,
            description=f"{what} {outcome}" + (f": {message}" if message else ""),
            at=when(payload, "finishedAt") if _said(payload, "finishedAt") else None,
            environment=_said(payload, "environment"),
            namespace=_said(payload, "namespace"),
            cluster=_said(payload, "cluster"),
            author=_said(payload, "initiatedBy"),
            ref=revision,
            link=_said(payload, "link"),
        ),
    )


def _said(payload: Fields, key: str) -> str:
    said = payload.text(key)
    return "" if said == _NOTHING else said
