"""Tools that answer from what was recorded of an incident, exactly as recorded, and nothing else.

They stand for the tools of Cloud-OpsBench, whose answers were frozen with each broken cluster: the
same names and arguments, with semantic formats, so that a policy can choose among them. A call
that nobody recorded fails and says so; nothing is made up, and nothing else is read.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiops.analyze.state.calls import kind_of
from aiops.errors import ToolFailed
from aiops.model import RecordedOutput
from aiops.model.canonical import canonical
from aiops.model.tool import ToolResult, ToolSpec
from aiops.ports.tools import ToolContext

TOOLSET: Final = "recorded"
NOT_RECORDED: Final = "not recorded"
_KINDS: Final = (
    *("pods", "services", "deployments", "statefulsets", "daemonsets", "replicasets", "jobs"),
    *("endpoints", "nodes", "events", "configmaps", "secrets", "serviceaccounts", "namespaces"),
    *("persistentvolumeclaims", "persistentvolumes", "storageclasses", "resourcequota"),
    *("networkpolicies", "ingresses", "rolebindings"),
)
_TEXT: Final = {"type": "string"}
_KIND: Final = {"enum": list(_KINDS), "format": "kind", "type": "string"}
_NAMESPACE: Final = {"format": "namespace", "type": "string"}
_OBJECT: Final = {"format": "object", "type": "string"}
_RESULT: Final = {
    "type": "object",
    "properties": {"text": _TEXT},
    "required": ["text"],
}


def _taking(form: str, of: str = "string") -> dict[str, str]:
    return {"type": of, "format": form}


_TOOLS: Final[Mapping[str, tuple[str, Mapping[str, Any], tuple[str, ...]]]] = {
    "GetResources": (
        "Objects of one kind in a namespace as a table.",
        {
            "resource_type": _KIND,
            "namespace": _NAMESPACE,
            "name": _OBJECT,
            "output_wide": _taking("with_node", "boolean"),
            "show_labels": _taking("with_labels", "boolean"),
            "output_yaml": {"type": "boolean"},
            "label_selector": _TEXT,
        },
        ("resource_type",),
    ),
    "DescribeResource": (
        "One object as kubectl describes it, with its events.",
        {"resource_type": _KIND, "name": _OBJECT, "namespace": _NAMESPACE},
        ("resource_type", "name"),
    ),
    "GetAppYAML": (
        "The manifests that an application was deployed from.",
        {"app_name": _taking("workload")},
        ("app_name",),
    ),
    "GetErrorLogs": (
        "Error lines of a service's log, alike ones counted.",
        {"namespace": _NAMESPACE, "service_name": _taking("workload")},
        ("namespace", "service_name"),
    ),
    "GetServiceDependencies": (
        "Who calls a service, and whom it calls.",
        {"service_name": _taking("service")},
        ("service_name",),
    ),
    "CheckServiceConnectivity": (
        "Whether a service answers on a port, tried from inside the cluster.",
        {
            "namespace": _NAMESPACE,
            "service_name": _taking("service"),
            "port": _taking("port", "integer"),
        },
        ("namespace", "service_name", "port"),
    ),
    "CheckNodeServiceStatus": (
        "The status of a service of a node's init system: kubelet, containerd, kube-proxy, ...",
        {"node_name": _taking("node"), "service_name": _taking("unit")},
        ("node_name", "service_name"),
    ),
    "GetClusterConfiguration": ("Nodes with roles, taints, labels and what they can give.", {}, ()),
    "GetAlerts": ("What moved in the metrics of services and nodes.", {}, ()),
}


def specs() -> tuple[ToolSpec, ...]:
    """Of every tool, in the order of their names."""
    return tuple(_spec(verb) for verb in sorted(_TOOLS))


def namespace_of(outputs: Iterable[RecordedOutput]) -> str | None:
    """The namespace that the recorded calls asked for most; None where none names one."""
    asked = Counter(
        str(given["namespace"])
        for output in outputs
        if (given := _arguments(output.call)) and given.get("namespace")
    )
    return asked.most_common(1)[0][0] if asked else None


@dataclass(frozen=True, slots=True)
class RecordedTool:
    """A Reading that looks an answer up."""

    spec: ToolSpec
    answers: Mapping[str, str] = field(repr=False)

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """See Reading; ToolFailed "not_found" where nobody asked that while recording."""
        del context
        verb = self.spec.name.removeprefix(f"{TOOLSET}.")
        text = self.answers.get(_key(verb, arguments))
        if text is None:
            raise ToolFailed("not_found", f"{NOT_RECORDED}: {verb} {canonical(dict(arguments))}")
        return ToolResult(canonical({"text": text}), text)


def tools(outputs: Iterable[RecordedOutput]) -> Sequence[RecordedTool]:
    """The tools over one incident's recorded calls; those of which nothing is known are left out.

    Of two recorded answers to one question the first counts.
    """
    answers: dict[str, str] = {}
    for output in outputs:
        given = _arguments(output.call)
        verb = output.call.partition(":")[0]
        if given is not None and verb in _TOOLS:
            answers.setdefault(_key(verb, given), output.text)
    return [RecordedTool(spec, answers) for spec in specs()]


def _spec(verb: str) -> ToolSpec:
    words, properties, required = _TOOLS[verb]
    return ToolSpec(
        name=f"{TOOLSET}.{verb}",
        description=words,
        arguments=canonical(
            {"type": "object", "properties": dict(properties), "required": list(required)}
        ),
        result=canonical(_RESULT),
        effect="read",
        capability="probe",
    )


def _key(verb: str, arguments: Mapping[str, Any]) -> str:
    """The same for calls that ask the same: what is empty or off is not asked for."""
    asked = {name: value for name, value in arguments.items() if value not in ("", False, None)}
    if "resource_type" in asked:
        asked["resource_type"] = kind_of(str(asked["resource_type"]))
    return f"{verb} {canonical(asked)}"


def _arguments(call: str) -> Mapping[str, Any] | None:
    """Of a recorded call "Tool:{...}"; None where it is none."""
    _, colon, rest = call.partition(":")
    try:
        found = json.loads(rest) if colon else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
