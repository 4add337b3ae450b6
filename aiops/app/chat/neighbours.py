"""Who calls a service, and whom it calls: by the traces and mesh metrics that were seen."""

from datetime import UTC, datetime
from typing import Final

from aiops.analyze.wording import plain
from aiops.app.chat.saying import Draft, Said
from aiops.app.chat.scene import Scene
from aiops.app.chat.subjects import Subject
from aiops.model.graph import Call
from aiops.model.thread import Cited

SHOWN: Final = 10
"""Calls of one direction that are listed."""


def neighbours(scene: Scene, subject: Subject) -> Said:
    """The callers of a service and those it calls; what nobody saw may be there all the same."""
    if not subject.services:
        return Said("Of what? Name a service, such as: who calls NAME?", ending="asks")
    name, draft = subject.services[0], Draft()
    calls = _between_services(scene.calls())
    callers = [one for one in calls if one.target.service_name == name]
    called = [one for one in calls if one.source.service_name == name]
    if not (callers or called):
        draft.add(
            f"I know of no call to or from {plain(name)}. That does not say that there is none: "
            "calls are known from traces and from metrics of a mesh."
        )
        return draft.said()
    draft.add(f"{plain(name)}, as far as traces and metrics of a mesh have shown:")
    number = 0
    for verb, found in (("is called by", callers), ("calls", called)):
        for one in found[:SHOWN]:
            number += 1
            other = one.source if verb == "is called by" else one.target
            claim = f"{one.source.service_name} calls {one.target.service_name}"
            draft.add(
                f"- {verb} {plain(other.service_name)}{_seen(one)} [G{number}]",
                Cited(f"G{number}", "graph", claim),
            )
        if len(found) > SHOWN:
            draft.add(f"and {len(found) - SHOWN} more")
        if not found:
            draft.add(f"- {verb} nobody that was seen")
    return draft.said()


def _between_services(calls: tuple[Call, ...]) -> list[Call]:
    """One call for each pair of services, the one seen last, sorted by their names."""
    newest: dict[tuple[str, str], Call] = {}
    for one in calls:
        pair = one.source.service_name, one.target.service_name
        if pair[0] != pair[1] and (
            pair not in newest or (one.last_seen or 0.0) > (newest[pair].last_seen or 0.0)
        ):
            newest[pair] = one
    return [newest[pair] for pair in sorted(newest)]


def _seen(call: Call) -> str:
    if call.last_seen is None:
        return ""
    return f", last seen {datetime.fromtimestamp(call.last_seen, UTC):%Y-%m-%d %H:%M} UTC"
