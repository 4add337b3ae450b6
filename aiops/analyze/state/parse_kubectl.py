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
from aiops.analyze.state.parse_objects import Draft, described_events
from aiops.model import RecordedOutput
from aiops.model.cluster import ClusterState, Daemon

MAX_TEXT = 400_000
"""Characters of one read-out that are read; longer ones are cut and counted."""
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
    """What the outputs say. Nothing is raised: unreadable parts are counted in the notes."""
    asked: dict[tuple[object, ...], tuple[Call, RecordedOutput]] = {}
    cut = 0
    for output in outputs:
        call = understand(output.call)
        wide = call.kind == "pod" and "wide" in output.call
        question: tuple[object, ...] = (call.verb, call.kind, call.name, call.namespace, wide)
        if call.verb in ("reach", "daemon"):
            question = (call.verb, output.call)
        if call.verb == "other" or not (call.whole or call.name or call.kind == "event"):
            continue
        if call.verb == "get" and not call.whole and call.kind != "event":
            continue
        if question not in asked:
            asked[question] = (call, output)
            cut += len(output.text) > MAX_TEXT
    draft = Draft(cluster=cluster)
    if cut:
        draft.notes.append(f"{cut} read-outs were longer than {MAX_TEXT} characters; cut there")
    order = {"describe": 0, "get": 1, "manifest": 2}
    answers = sorted(asked.values(), key=lambda answer: order.get(answer[0].verb, 3))
    found = _Others()
    unread = 0
    for call, output in answers:
        text = output.text[:MAX_TEXT]
        if _REFUSED.match(text):
            continue
        if call.verb == "manifest":
            unread += _manifest(draft, text, output.call)
        elif call.verb in ("describe", "get"):
            _TAKERS[call.verb](draft, call, text, output.call)
        else:
            found.take(draft, call, text, output.call)
    if unread:
        draft.notes.append(f"{unread} parts of manifests could not be read as YAML; left out")
    return Recorded(draft.state(), tuple(found.reach), frozenset(found.calls), tuple(found.errors))


def _described(draft: Draft, call: Call, text: str, source: str) -> None:
    if call.kind == "secret":
        return
    one = describe.api_object(call.kind, text)
    if one is None:
        return
    namespace = "" if call.kind in NO_NAMESPACE else one["metadata"]["namespace"] or call.namespace
    one["metadata"]["namespace"] = namespace or None
    told = one.pop("events")
    draft.add(one, source)
    if told:
        about = (call.kind, namespace, one["metadata"]["name"])
        draft.events += described_events(told, about, source)


def _listed(draft: Draft, call: Call, text: str, source: str) -> None:
    if call.kind == "event":
        for one in tables.events(text, call.namespace):
            draft.event(one, call.namespace, source)
        return
    if not call.whole:
        return
    draft.listed.add((call.kind, "" if call.kind in NO_NAMESPACE else call.namespace))
    for one in tables.api_objects(call.kind, call.namespace, text):
        draft.add(one, source)


_TAKERS = {"describe": _described, "get": _listed}


def _manifest(draft: Draft, text: str, source: str) -> int:
    found, unread = manifests.documents(text)
    for one in found:
        one["kind"] = kind_of(str(one["kind"]))
        draft.add(one, source, observed=False)
    return unread


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
    return "\n".join(_strings(found))


def _strings(found: object) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for value in found.values():
            yield from _strings(value)
    elif isinstance(found, list):
        for value in found:
            yield from _strings(value)
