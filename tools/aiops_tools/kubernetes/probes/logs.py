"""What containers wrote last: of one pod, or of a workload's pods merged by time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from aiops.analyze.state.api import Api, number, parts, text
from aiops.analyze.state.parse_objects import parse_stamp
from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.kubernetes.kinds import POD, kind_named
from aiops_tools.kubernetes.probes.places import InNamespace, one, pods_of
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.kubernetes.standing import pod_ready
from aiops_tools.names import PodName, WorkloadName
from aiops_tools.spec import Result

PODS = 10
"""Pods of a workload whose logs are read; those that are not ready come first."""
LINE = 1000
PARALLEL = 8


class LogsAsked(InNamespace):
    """Arguments of logs: a pod, or a workload."""

    pod: PodName | None = None
    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"] = "Deployment"
    workload: WorkloadName | None = None
    container: str = Field(default="", max_length=63, pattern=r"^[-a-z0-9]*$")
    tail: int = Field(default=100, ge=1, le=1000, description="lines in all")
    minutes: int | None = Field(default=None, ge=1, le=1440, description="no older than this")
    grep: list[str] = Field(
        default=[], max_length=20, description="lines that hold any of these texts, in any case"
    )
    previous: bool = Field(default=False, description="of the container before its last restart")


class LogLine(Result):
    """One line."""

    at: str
    pod: str
    container: str
    text: str


class LogsFound(Result):
    """Answer of logs.

    Attributes:
        read: lines that were read, of which ``matched`` hold what was sought.
        lines: the last of them, ascending in time.
        pods: that were read, of ``of_pods``.
    """

    read: int
    matched: int
    lines: list[LogLine]
    pods: list[str]
    of_pods: int


@dataclass(frozen=True, slots=True)
class _Stream:
    pod: str
    container: str


def logs(view: View, asked: LogsAsked) -> Answer:
    """The last lines, however many pods wrote them."""
    pods = _pods(view, asked)
    chosen = sorted(pods, key=lambda pod: (pod_ready(pod), text(pod, "metadata", "name")))[:PODS]
    streams = [
        _Stream(text(pod, "metadata", "name"), name)
        for pod in chosen
        for name in _containers(pod, asked)
    ]
    if not streams:
        raise ToolFailed(
            "not_found", f"there is no pod with a container {asked.container!r} to read logs of"
        )
    unread: list[Unread] = []
    read: list[LogLine] = []
    with ThreadPoolExecutor(min(PARALLEL, len(streams))) as pool:
        for got in pool.map(lambda stream: _read(view, asked, stream), streams):
            if isinstance(got, Unread):
                unread.append(got)
            else:
                read += got
    if len(unread) == len(streams):
        raise ToolFailed("failed", f"no log could be read; {unread[0].reason}", retryable=True)
    sought = [word.lower() for word in asked.grep]
    matched = [line for line in read if _holds(line.text.lower(), sought)]
    matched.sort(key=lambda line: (parse_stamp(line.at) or 0.0, line.pod))
    result = LogsFound(
        read=len(read),
        matched=len(matched),
        lines=matched[-asked.tail :],
        pods=[text(pod, "metadata", "name") for pod in chosen],
        of_pods=len(pods),
    )
    said = [f"{result.matched} of {result.read} lines of {len(chosen)} of {len(pods)} pods."]
    said += [f"{line.at} {line.pod}: {line.text}" for line in result.lines]
    return Answer(result, "\n".join(said), tuple(unread))


def _pods(view: View, asked: LogsAsked) -> list[Api]:
    if (asked.pod is None) == (asked.workload is None):
        raise ToolFailed("invalid", "say either which pod or which workload")
    if asked.pod is not None:
        return [one(view, POD, asked.namespace, asked.pod)]
    workload = one(view, kind_named(asked.kind), asked.namespace, str(asked.workload))
    pods = pods_of(view, workload, asked.namespace)
    if not pods:
        raise ToolFailed(
            "not_found",
            f"{asked.kind} {asked.workload} in {asked.namespace} has no pods, so nothing is "
            "logged; look at its events and its replicas",
        )
    return pods


def _containers(pod: Api, asked: LogsAsked) -> Sequence[str]:
    """Those asked for; else all, and init containers where one of them ended badly."""
    own = [text(c, "name") for c in parts(pod, "spec", "containers")]
    first = [text(c, "name") for c in parts(pod, "spec", "initContainers")]
    if asked.container:
        return [name for name in (*first, *own) if name == asked.container]
    failed = [
        text(c, "name")
        for c in parts(pod, "status", "initContainerStatuses")
        if number(c, "restartCount") or number(c, "state", "terminated", "exitCode")
    ]
    return failed or own


def _read(view: View, asked: LogsAsked, stream: _Stream) -> list[LogLine] | Unread:
    # What is sought may stand far above the last lines.
    tail = 5000 if asked.grep else asked.tail
    try:
        found = view.reader.log(
            asked.namespace,
            stream.pod,
            container=stream.container,
            tail=tail,
            since_s=asked.minutes * 60 if asked.minutes else None,
            previous=asked.previous,
        )
    except ToolFailed as failure:
        return Unread(f"log of {stream.pod}, container {stream.container}", str(failure))
    return [_line(one, stream) for one in found.splitlines() if one.strip()]


def _line(written: str, stream: _Stream) -> LogLine:
    at, _, rest = written.partition(" ")
    if parse_stamp(at) is None:
        at, rest = "", written
    return LogLine(at=at, pod=stream.pod, container=stream.container, text=rest[:LINE])


def _holds(text_: str, sought: Sequence[str]) -> bool:
    return not sought or any(word in text_ for word in sought)


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "logs",
        "Last log lines of a pod, or of a workload's pods merged by time; filtered by text; of the "
        "container before its restart too.",
        LogsAsked,
        LogsFound,
        logs,
        ("what did this pod write before it crashed", "errors in the output of this deployment"),
    ),
)
