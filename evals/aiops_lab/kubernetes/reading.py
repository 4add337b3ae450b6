"""Listing and watching: what is chosen, page by page, and how changes look to one watcher."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.conversion import to_version
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.selectors import (
    EVERYTHING,
    InvalidSelector,
    Selector,
    field_selector,
    parse_selector,
)
from aiops_lab.kubernetes.store import Change, Kept, Object, ObjectStore

EventType = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which objects of a kind a request is about."""

    kind: Kind
    namespace: str = ""
    labels: Selector = EVERYTHING
    fields: Callable[[Object], bool] | None = None

    def chooses(self, kept: Kept) -> bool:
        """Whether one object is meant."""
        if self.namespace and kept.key[1] != self.namespace:
            return False
        if self.labels.requirements and not self.labels.matches(
            kept.object["metadata"].get("labels") or {}
        ):
            return False
        return self.fields is None or self.fields(kept.object)

    def encode(self, kept: Kept) -> bytes:
        """One object as JSON in the version asked for."""
        if self.kind.is_stored_version:
            return kept.encoded
        return json.dumps(to_version(kept.object, self.kind)).encode()


def choice(kind: Kind, namespace: str, labels: str, fields: str) -> Choice:
    """What selectors as kubectl writes them choose.

    Raises:
        Refused: 400 where one cannot be parsed.
    """
    try:
        chosen = field_selector(fields, kind.resource) if fields else None
        return Choice(kind, namespace, parse_selector(labels), chosen)
    except InvalidSelector as bad:
        raise problems.bad_request(str(bad)) from bad


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the objects of a list, and how to go on."""

    items: list[Kept]
    revision: int
    next: str = ""
    remaining: int = 0


def read_page(store: ObjectStore, wanted: Choice, limit: int, token: str) -> Page:
    """The chosen objects after those of the page that gave the token.

    Pages show objects as they are when each is read; what was deleted between is not seen.

    Raises:
        Refused: 400 for a token that is none, 410 for one older than the history.
    """
    with store.lock:
        revision, after = _read_token(token) if token else (store.revision, None)
        if token and store.is_forgotten(revision):
            raise problems.gone("The provided continue parameter is too old")
        kept = store.select(wanted.kind.resource, wanted.namespace)
        items = [k for k in kept if wanted.chooses(k) and (after is None or k.key[1:] > after)]
        if not limit or len(items) <= limit:
            return Page(items, revision)
        last = items[limit - 1].key
        return Page(items[:limit], revision, _token(revision, last[1:]), len(items) - limit)


def _token(revision: int, last: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([revision, *last]).encode()).decode()


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        revision, namespace, name = json.loads(base64.urlsafe_b64decode(token))
        return int(revision), (str(namespace), str(name))
    except (binascii.Error, ValueError, TypeError) as bad:
        raise problems.bad_request("continue key is not valid") from bad


def seen(change: Change, wanted: Choice) -> tuple[EventType, Kept] | None:
    """How a change looks to someone who sees only what was chosen, or None."""
    if change.now.key[0] != wanted.kind.resource:
        return None
    was = change.before is not None and wanted.chooses(change.before)
    if change.type == "DELETED":
        return ("DELETED", change.now) if was else None
    now = wanted.chooses(change.now)
    if now:
        return ("MODIFIED" if was else "ADDED", change.now)
    return ("DELETED", change.now) if was else None
