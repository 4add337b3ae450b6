"""What stands behind a Service: the pods that its selector chooses, and the ports they have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from aiops.errors import ToolFailed
from aiops.model.tool import Target
from aiops_tools.kubernetes.actions.scene import Scene, alone
from aiops_tools.kubernetes.kinds import POD
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.writer import Writer


def around_service(writer: Writer, service: Api) -> Scene:
    """The Service and every pod of its namespace that is not over.

    Raises:
        ToolFailed: they cannot be read; whom a change cuts off would be a guess.
    """
    pods = tuple(
        pod
        for pod in writer.every(POD, service["metadata"]["namespace"])
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    )
    return replace(alone(writer, service), pods=pods)


def selector_of(service: Api, target: Target) -> Mapping[str, str]:
    """Its selector.

    Raises:
        ToolFailed: "invalid"; it has none, so its addresses are somebody's own.
    """
    found: Mapping[str, str] = service["spec"].get("selector") or {}
    if not found:
        raise ToolFailed(
            "invalid", f"{target} has no selector: its addresses are kept by hand, or elsewhere"
        )
    return found


def chosen(service: Api, pods: Sequence[Api]) -> tuple[Api, ...]:
    """Those of ``pods`` that it sends to."""
    wanted: Mapping[str, str] = service["spec"].get("selector") or {}
    return tuple(
        pod
        for pod in pods
        if wanted and wanted.items() <= (pod["metadata"].get("labels") or {}).items()
    )


def declares(pod: Api, target: str) -> bool:
    """Whether a container of ``pod`` says that it listens there, by number or by name."""
    return any(target in port for port in _ports(pod))


def _ports(pod: Api) -> Iterator[tuple[str, str]]:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            yield str(port["containerPort"]), str(port.get("name", ""))
