"""What a recorded call asked: a kubectl command line, or a tool with arguments as JSON."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

Verb = Literal["get", "describe", "manifest", "logs", "calls", "reach", "daemon", "alerts", "other"]

KINDS = {
    "pod": "pods po",
    "service": "services svc",
    "deployment": "deployments deploy",
    "statefulset": "statefulsets sts",
    "daemonset": "daemonsets ds",
    "replicaset": "replicasets rs",
    "controllerrevision": "controllerrevisions",
    "job": "jobs",
    "cronjob": "cronjobs cj",
    "endpoints": "endpoint ep",
    "node": "nodes no",
    "event": "events ev",
    "claim": "persistentvolumeclaim persistentvolumeclaims pvc",
    "volume": "persistentvolume persistentvolumes pv",
    "storageclass": "storageclasses sc",
    "quota": "resourcequota resourcequotas",
    "limitrange": "limitranges limits",
    "configmap": "configmaps cm",
    "secret": "secrets",
    "serviceaccount": "serviceaccounts sa",
    "networkpolicy": "networkpolicies netpol",
    "ingress": "ingresses ing",
    "autoscaler": "horizontalpodautoscaler horizontalpodautoscalers hpa",
    "disruptionbudget": "poddisruptionbudget poddisruptionbudgets pdb",
    "certificate": "certificates cert",
    "role": "roles",
    "rolebinding": "rolebindings",
    "clusterrole": "clusterroles",
    "clusterrolebinding": "clusterrolebindings",
    "namespace": "namespaces ns",
}
"""Our word for a kind -> the other words it goes by."""
_CANONICAL = {word: kind for kind, words in KINDS.items() for word in (kind, *words.split())}
NO_NAMESPACE = frozenset({"node", "volume", "storageclass", "namespace", "clusterrole"})

_SELECTING = ("-l", "--selector", "--field-selector")
_VALUED = frozenset(
    {
        *("-n", "-o", "-l", "-f", "-c"),
        *("--namespace", "--output", "--selector", "--field-selector", "--sort-by"),
        *("--context", "--cluster", "--kubeconfig", "--request-timeout", "--filename"),
    }
)
"""Options of kubectl that take the next word as their value."""
_READABLE = ("", "wide", "json", "yaml")
"""Shapes of an answer that show whole objects, or their usual columns."""

_TOOLS: tuple[tuple[str, Verb], ...] = (
    ("getappyaml", "manifest"),
    ("getmanifest", "manifest"),
    ("geterrorlogs", "logs"),
    ("getservicedependencies", "calls"),
    ("checkserviceconnectivity", "reach"),
    ("checknodeservicestatus", "daemon"),
    ("getalerts", "alerts"),
    ("describe", "describe"),
    ("getresource", "get"),
)
_OURS: dict[str, Verb] = {"list": "get", "get": "get", "events": "get", "logs": "logs"}
"""Verbs of our own toolsets, which are whole names."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, understood.

    Attributes:
        kind: our word for the kind of object, "" where there is none.
        name: of one object, "" for a list.
        whole: the answer is the full list of a kind, in its usual columns.
        arguments: of a tool.
    """

    verb: Verb
    kind: str = ""
    name: str = ""
    namespace: str = ""
    whole: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)


def kind_of(word: str) -> str:
    """Our word for a kind: "pod" of "pods", "po" or "Pod"; the word itself where it is no kind."""
    plain = word.lower().partition(".")[0]
    return _CANONICAL.get(plain, plain)


def understand(call: str) -> Call:
    """What ``call`` asked; verb "other" where that is not known.

    A tool's call is its name, with or without its toolset before a dot, and its arguments as JSON.
    """
    if call.lstrip().startswith("kubectl"):
        return _command(call)
    name, brace, rest = call.partition("{")
    arguments = _arguments(brace + rest)
    plain = re.sub(r"[^a-z]", "", name.rpartition(".")[2].lower())
    if plain in _OURS:
        return _tool(_OURS[plain], {"kind": plain, **arguments})
    for prefix, verb in _TOOLS:
        if plain.startswith(prefix):
            return _tool(verb, arguments)
    return Call("other", arguments=arguments)


def _command(call: str) -> Call:
    plain, options = _parsed(call.partition("|")[0].split()[1:])
    verbs: dict[str, Verb] = {"get": "get", "describe": "describe"}
    if len(plain) < 2 or plain[0] not in verbs:
        return Call("other")
    kind, _, slash = plain[1].partition("/")
    name = slash or (plain[2] if len(plain) > 2 else "")
    namespace = options.get("-n", "") or options.get("--namespace", "")
    shape = options.get("-o", "") or options.get("--output", "")
    selected = any(word in options for word in _SELECTING) or "|" in call
    whole = not name and not selected and shape in _READABLE
    return Call(verbs[plain[0]], kind_of(kind), name, namespace, whole)


def _parsed(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """The plain words of a command line, and its options with their values."""
    plain, options, waiting = list[str](), dict[str, str](), ""
    for word in words:
        if waiting:
            options[waiting], waiting = word, ""
        elif word.startswith("--"):
            name, given, value = word.partition("=")
            options[name] = value
            waiting = name if not given and name in _VALUED else ""
        elif word.startswith("-"):  # -n shop, -nshop, -n=shop
            options[word[:2]] = word[2:].removeprefix("=")
            waiting = word if word in _VALUED else ""
        else:
            plain.append(word)
    return plain, options


def _tool(verb: Verb, arguments: dict[str, Any]) -> Call:
    def text(*keys: str) -> str:
        return next((str(arguments[key]) for key in keys if arguments.get(key)), "")

    name = text("name", "app_name", "service_name", "node_name", "workload", "pod")
    plain = not any(arguments.get(key) for key in ("label_selector", "field_selector"))
    return Call(
        verb,
        kind_of(text("resource_type", "kind")),
        name,
        text("namespace"),
        verb == "get" and not name and plain,
        arguments,
    )


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
