"""Recorded read-outs (kubectl commands and tool answers) to one ``ClusterState``.

A question answered twice counts once, whoever asked. What is told in most detail is read first:
describes, then lists, then manifests, which say what was wanted and not what is.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aiops.analyze.state import describe, manifests, tables
from aiops.analyze.state.calls import NO_NAMESPACE, Call, kind_of, understand
from aiops.analyze.state.parse_objects import Draft, described_events, parse_stamp
from aiops.analyze.state.told_objects import Api, told
from aiops.model import RecordedOutput
from aiops.model.canonical import texts_in
from aiops.model.cluster import ClusterState, Daemon

MAX_TEXT = 400_000
"""Characters of one read-out that are read; longer ones are cut and counted."""
MAX_STRUCTURED = 8_000_000
"""The same for JSON and YAML, in which one pod takes ten thousand."""
_STAMP = re.compile(
    r'"?(?:lastTimestamp|eventTime|creationTimestamp|startedAt|finishedAt|lastTransitionTime'
    r'|lastProbeTime|lastHeartbeatTime)"?: *"?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)'
)
"""Moments that have passed; others (a certificate's end) may lie ahead."""
_REFUSED = re.compile(r"\s*(?:Error from server|error:|Unable to connect|The connection to)")
_TOP = re.compile(r"(?P<branch>(?:[│|]\s{3}|\s{4})*)[├└|`+][─-]+\s*(?P<name>[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a service answered on a port, from inside the cluster.

    Attributes:
        ok, failed: how many attempts did and did not connect.
    """

    service: str
    namespace: str
    port: str
    ok: int
    failed: int
    source: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A snapshot as it was recorded, understood.

    Attributes:
        calls: (caller, callee) names of services.
        errors: service -> what its error log said, with the call that answered.
    """

    state: ClusterState
    reach: tuple[Reach, ...] = ()
    calls: frozenset[tuple[str, str]] = frozenset()
    errors: tuple[tuple[str, str, str], ...] = ()


def recorded(outputs: Iterable[RecordedOutput], *, cluster: str | None = None) -> Recorded:
    """What the outputs say. Nothing is raised: what cannot be read is counted in the notes."""
    asked: dict[tuple[object, ...], tuple[Call, RecordedOutput]] = {}
    for output in outputs:
        call = understand(output.call)
        if call.verb != "other":
            asked.setdefault(_question(call, output.call), (call, output))
    order = {"describe": 0, "get": 1, "manifest": 2}
    answers = sorted(asked.values(), key=lambda answer: order.get(answer[0].verb, 3))
    read = _Reading(cluster, _taken_at(output.text for _, output in answers))
    for call, output in answers:
        read.take(call, output)
    return read.finish()


def _question(call: Call, words: str) -> tuple[object, ...]:
    """The same for calls that ask the same."""
    if call.verb in ("reach", "daemon") or (call.verb == "get" and not call.whole):
        return call.verb, words
    wide = call.kind == "pod" and "wide" in words
    return call.verb, call.kind, call.name, call.namespace, wide


def _taken_at(texts: Iterable[str]) -> float | None:
    """When the snapshot was taken, unix seconds: no earlier than its newest stamp."""
    stamps = {stamp for text in texts if manifests.is_structured(text) for stamp in _stamps(text)}
    return parse_stamp(max(stamps)) if stamps else None


def _stamps(text: str) -> Iterator[str]:
    return (found[1] for found in _STAMP.finditer(text, 0, MAX_STRUCTURED))


class _Reading:
    """One snapshot as it is read: objects, what is read out beside them, and what is not."""

    def __init__(self, cluster: str | None, now: float | None) -> None:
        self._draft = Draft(cluster=cluster, now=now)
        self._others = _Others()
        self._cut = self._unread = self._blank = self._early = 0
        self._taken: set[tuple[object, ...]] = set()

    def take(self, call: Call, output: RecordedOutput) -> None:
        structured = manifests.is_structured(output.text)
        limit = MAX_STRUCTURED if structured else MAX_TEXT
        self._cut += len(output.text) > limit
        text = output.text[:limit]
        if _REFUSED.match(text):
            return
        answer = call.verb, call.kind, call.namespace, call.whole, text
        if answer in self._taken:
            return  # another question with the same answer tells nothing more
        self._taken.add(answer)
        if call.verb == "manifest":
            self._manifest(text, output.call)
        elif call.verb == "get" and (ours := told(call, text)) is not None:
            self._told(call, *ours, output.call)
        elif call.verb == "get" and structured:
            self._objects(call, text, output.call)
        elif call.verb == "get":
            self._table(call, text, output.call)
        elif call.verb == "describe":
            self._description(call, text, output.call)
        else:
            self._others.take(self._draft, call, text, output.call)

    def finish(self) -> Recorded:
        counted = (
            (self._cut, "read-outs are longer than is read of one; their end was cut off"),
            (self._unread, "parts of manifests could not be read as YAML or JSON; left out"),
            (self._blank, "descriptions hold no object of their kind; left out"),
            (self._early, "descriptions break off before their events; the rest was read"),
        )
        self._draft.notes += [f"{count} {what}" for count, what in counted if count]
        others = self._others
        return Recorded(
            self._draft.state(), tuple(others.reach), frozenset(others.calls), tuple(others.errors)
        )

    def _manifest(self, text: str, source: str) -> None:
        found, unread = manifests.documents(text)
        self._unread += unread
        for one in found:
            one["kind"] = kind_of(str(one["kind"]))
            self._draft.add(one, source, observed=False)

    def _objects(self, call: Call, text: str, source: str) -> None:
        found, unread = manifests.read_objects(text)
        self._unread += unread
        if call.whole and not unread:
            self._listed(call)
        for one in found:
            one["kind"] = kind_of(str(one["kind"]))
            self._draft.add(one, source)

    def _told(self, call: Call, found: list[Api], whole: bool, source: str) -> None:
        if whole:
            self._listed(call)
        for one in found:
            if call.kind == "event":
                self._draft.event(one, call.namespace, source)
            else:
                one["kind"] = kind_of(str(one.get("kind", call.kind)))
                self._draft.add(one, source)

    def _table(self, call: Call, text: str, source: str) -> None:
        if call.kind == "event":
            for one in tables.events(text, call.namespace):
                self._draft.event(one, call.namespace, source)
            return
        if not call.whole and not text.startswith(("NAME ", "NAMESPACE ")):
            return  # of a selection, the header says that these are the usual columns
        if call.whole:
            self._listed(call)
        for one in tables.api_objects(call.kind, call.namespace, text):
            self._draft.add(one, source)

    def _listed(self, call: Call) -> None:
        namespace = "" if call.kind in NO_NAMESPACE else call.namespace
        self._draft.listed.add((call.kind, namespace))

    def _description(self, call: Call, text: str, source: str) -> None:
        if call.kind == "secret" or not text.strip():
            return
        one = describe.api_object(call.kind, text)
        if one is None:
            self._blank += describe.is_known(call.kind)
            return
        given = one["metadata"]["namespace"] or call.namespace
        namespace = "" if call.kind in NO_NAMESPACE else given
        one["metadata"]["namespace"] = namespace or None
        told = one.pop("events")
        self._early += told is None and call.kind in describe.WITH_EVENTS
        self._draft.add(one, source)
        if told:
            about = (call.kind, namespace, one["metadata"]["name"])
            self._draft.events += described_events(told, about, source)


class _Others:
    """What is read out beside the objects themselves."""

    def __init__(self) -> None:
        self.reach: list[Reach] = []
        self.calls: set[tuple[str, str]] = set()
        self.errors: list[tuple[str, str, str]] = []

    def take(self, draft: Draft, call: Call, text: str, source: str) -> None:
        if call.verb == "reach":
            ok = len(re.findall(r"succe|\bopen\b|connected", text, re.I))
            failed = len(re.findall(r"connection failed|refused|timed out", text, re.I))
            if ok or failed:
                port = str(call.arguments.get("port", ""))
                self.reach.append(Reach(call.name, call.namespace, port, ok, failed, source))
        elif call.verb == "calls":
            self.calls |= set(_calls(call.name, text))
        elif call.verb == "logs" and text.strip() not in ("", "[]", "{}"):
            self.errors.append((call.name, _plain(text), source))
        elif call.verb == "daemon":
            name = str(call.arguments.get("service_name", ""))
            node = str(call.arguments.get("node_name", ""))
            status = re.search(r"Active:\s*(.+)", text)
            if status and name and node:
                active = status[1].startswith(("active", "activating (start", "reloading"))
                draft.daemons.append(Daemon(node, name, active, status[1].strip(), source))


def _calls(service: str, text: str) -> Iterator[tuple[str, str]]:
    """Edges of an answer: "[Upstream (Called By)]: a, b" and a tree of callees."""
    path: list[str] = [service]
    for line in text.splitlines():
        if line.startswith("[Upstream"):
            for caller in line.partition("]:")[2].split(","):
                if re.fullmatch(r"\s*[\w.-]+\s*", caller):
                    yield caller.strip(), service
        found = _TOP.match(line)
        if found:
            depth = len(found["branch"]) // 4 + 1
            path = [*path[:depth], found["name"]]
            if len(path) >= 2:
                yield path[-2], path[-1]


def _plain(text: str) -> str:
    """An error log's answer as lines, whether it came as text, a list or an object."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return "\n".join(texts_in(found))
