"""What is worth looking at, whichever tool shows it, and the tool that does.

A tool is chosen by what its spec says it takes (semantic formats: "kind", "object", "workload",
"service", "node", ...) and by the words of its name: never by whose it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiops.agents.policies.policy import Question
from aiops.analyze.state.calls import kind_of
from aiops.model.canonical import canonical, parsed
from aiops.model.tool import ToolSpec

Look = Literal[
    "list",  # all objects of a kind
    "describe",  # one object, with its events where one tool tells both
    "events",  # what was said of one object lately
    "manifest",  # how a workload is declared
    "logs",  # what a workload says of errors
    "calls",  # who calls a service, and whom it calls
    "reach",  # whether a service answers
    "daemon",  # a service of a machine's own init system
    "alerts",  # what moved
]


@dataclass(frozen=True, slots=True)
class Want:
    """One thing to look at.

    Attributes:
        kind: of object, in our words ("pod", "claim"); of a daemon, its name.
        name: of the object, workload, service or node; "" for all of a kind.
        port: of a service.
    """

    look: Look
    kind: str = ""
    name: str = ""
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where an incident is; None where nobody says."""

    cluster: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    """How to tell a tool that shows something.

    Attributes:
        words: of its name; one of them is in it.
        needs: formats that it takes, all of them.
        never: formats that it must not require.
        gives: a property of its result; "" for any: an object can be told from an object, or from
            words, and not from a summary of it.
    """

    words: frozenset[str]
    needs: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    gives: str = ""


def _shown(words: str, needs: str = "", never: str = "", gives: str = "") -> _Shown:
    return _Shown(
        frozenset(words.split()), frozenset(needs.split()), frozenset(never.split()), gives
    )


_TOOLS: Final[Mapping[Look, tuple[_Shown, ...]]] = {
    "list": (_shown("list resources", "kind", "object"),),
    "describe": (
        _shown("describe", "kind object", gives="text"),
        _shown("get", "kind object", gives="object"),
    ),
    "events": (_shown("events", "namespace object"),),
    "manifest": (
        _shown("manifest yaml", "workload"),
        _shown("get", "kind object", gives="object"),
    ),
    "logs": (_shown("logs", "workload"),),
    "calls": (_shown("dependencies calls callers", "service"),),
    "reach": (_shown("connectivity reach", "service port"),),
    "daemon": (_shown("service daemon unit", "node unit"),),
    "alerts": (_shown("alerts"),),
}
_API_KINDS: Final[Mapping[str, str]] = {
    "replicaset": "ReplicaSet",
    "claim": "PersistentVolumeClaim",
    "volume": "PersistentVolume",
    "quota": "ResourceQuota",
}
"""The API's word for a kind where it is not ours with a capital letter."""
_WITH_LABELS: Final = frozenset({"node"})
"""Kinds whose labels are asked for, where a list has to be asked for them: to place a pod is to
match them."""


def question(want: Want, tools: Sequence[ToolSpec], place: Place) -> Question | None:
    """The call that shows what is wanted; None where no tool does."""
    for shown in _TOOLS[want.look]:
        for spec in tools:
            if spec.effect == "read" and _shows(spec, shown):
                arguments = _filled(spec, want, place)
                if arguments is not None:
                    return Question(spec.name, arguments, want.name)
    return None


def _shows(spec: ToolSpec, shown: _Shown) -> bool:
    if not shown.words & set(_words(spec.name.rpartition(".")[2])):
        return False
    taken = dict(_formats(spec))
    required = {name for name, needed in taken.items() if needed}
    given = parsed(spec.result).get("properties", {}) if shown.gives else {shown.gives: None}
    return shown.needs <= taken.keys() and not shown.never & required and shown.gives in given


def _words(name: str) -> Iterator[str]:
    """Of "GetErrorLogs" and "error_logs" alike."""
    return (word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))


def _formats(spec: ToolSpec) -> Iterator[tuple[str, bool]]:
    """The semantic format of each argument, and whether it is required."""
    schema: Mapping[str, Any] = parsed(spec.arguments)
    required = schema.get("required", ())
    for name, rule in schema.get("properties", {}).items():
        yield str(_rule(rule).get("format", name)), name in required


def _rule(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """An argument's rule; of one that may be null, what it is otherwise."""
    others = [one for one in rule.get("anyOf", ()) if one.get("type") != "null"]
    return others[0] if len(others) == 1 else rule


def _filled(spec: ToolSpec, want: Want, place: Place) -> str | None:
    """The arguments, canonical JSON; None where a required one is not known."""
    schema: Mapping[str, Any] = parsed(spec.arguments)
    required, given = frozenset(schema.get("required", ())), dict[str, object]()
    answers = _answers(want, place)
    for name, rule in schema.get("properties", {}).items():
        form = str(_rule(rule).get("format", name))
        value = _kind(_rule(rule), want.kind) if form == "kind" else answers.get(form)
        if value is not None:
            given[name] = value
    return canonical(given) if required <= given.keys() else None


def _answers(want: Want, place: Place) -> Mapping[str, object]:
    named: dict[str, object | None] = {
        "cluster": place.cluster,
        "namespace": place.namespace,
        "object": want.name or None,
        "workload": want.name or None,
        "service": want.name or None,
        "node": want.name or None,
        "unit": want.kind or None,
        "port": want.port,
        "with_node": True if want.kind == "pod" and not want.name else None,
        "with_labels": True if want.kind in _WITH_LABELS and not want.name else None,
    }
    return {form: value for form, value in named.items() if value is not None}


def _kind(rule: Mapping[str, Any], kind: str) -> str | None:
    """The tool's own word for a kind; a manifest is a deployment's unless somebody says."""
    wanted = kind or "deployment"
    if "enum" in rule:
        return next((word for word in rule["enum"] if kind_of(word) == wanted), None)
    return _API_KINDS.get(wanted, wanted.capitalize())
