"""How a workload came to be what it is: its versions, and what differs between two."""

from typing import Any

from pydantic import Field

from aiops.errors import ToolFailed
from aiops_tools.kubernetes import revisions
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.probes.places import OfWorkload, workload_of
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.kubernetes.revisions import Revision
from aiops_tools.spec import Result

DIFF = 8000


class Version(Result):
    """One version of a workload."""

    revision: int
    name: str
    made: str
    images: list[str]
    cause: str
    replicas: int | None
    ready: int | None


class HistoryFound(Result):
    """Answer of rollout_history, ascending; the last is what is wanted now."""

    versions: list[Version]


def history(view: View, asked: OfWorkload) -> Answer:
    """All versions the cluster still knows."""
    found = _revisions(view, asked)
    result = HistoryFound(
        versions=[
            Version(
                revision=one.number,
                name=one.name,
                made=one.made,
                images=list(one.images),
                cause=one.cause,
                replicas=one.replicas,
                ready=one.ready,
            )
            for one in found[-20:]
        ]
    )
    said = [
        f"revision {one.revision} of {one.made}: {', '.join(one.images)}"
        + (f"; {one.ready} of {one.replicas} ready" if one.replicas else "")
        + (f" ({one.cause})" if one.cause else "")
        for one in result.versions
    ]
    return Answer(result, "\n".join(said))


class DiffAsked(OfWorkload):
    """Arguments of rollout_diff."""

    before: int | None = Field(default=None, ge=0, description="revision; the last but one")
    after: int | None = Field(default=None, ge=0, description="revision; the last")


class DiffFound(Result):
    """Answer of rollout_diff: a unified diff of the pod templates."""

    before: int
    after: int
    diff: str
    cut: bool


def diff(view: View, asked: DiffAsked) -> Answer:
    """What differs between two versions."""
    found = _revisions(view, asked)
    after = _chosen(found, asked.after, found[-1])
    earlier = [one for one in found if one.number < after.number]
    if asked.before is None and not earlier:
        raise ToolFailed(
            "not_found",
            f"{asked.kind} {asked.name} has one version only ({after.number}): nothing to compare",
        )
    before = _chosen(found, asked.before, (earlier or found)[-1])
    text = revisions.difference(before, after)
    result = DiffFound(
        before=before.number, after=after.number, diff=text[:DIFF], cut=len(text) > DIFF
    )
    return Answer(result, text[:DIFF] or "The pods of both versions are asked for alike.")


def _revisions(view: View, asked: OfWorkload) -> list[Revision]:
    workload = workload_of(view, asked)
    if asked.kind == "Deployment":
        found = revisions.of_replica_sets(
            view.reader.every(kind_named("ReplicaSet"), asked.namespace), workload
        )
    elif asked.kind in ("StatefulSet", "DaemonSet"):
        found = revisions.of_controller_revisions(
            view.reader.every(kind_named("ControllerRevision"), asked.namespace), workload
        )
    else:
        raise ToolFailed("invalid", f"a {asked.kind} has no versions; its owner may have")
    if not found:
        raise ToolFailed("not_found", f"the cluster keeps no version of {asked.kind} {asked.name}")
    return found


def _chosen(found: list[Revision], wanted: int | None, otherwise: Revision) -> Revision:
    if wanted is None:
        return otherwise
    for one in found:
        if one.number == wanted:
            return one
    known = ", ".join(str(one.number) for one in found)
    raise ToolFailed("not_found", f"there is no revision {wanted}; there are {known}")


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "rollout_history",
        "Versions of a workload with images, when they came and how many pods run each.",
        OfWorkload,
        HistoryFound,
        history,
        ("which versions were deployed", "when did the last release go out"),
    ),
    Question(
        "rollout_diff",
        "What differs between two versions of a workload's pods.",
        DiffAsked,
        DiffFound,
        diff,
        ("what did the last deploy change",),
    ),
)
