"""Versions of a workload: what the cluster keeps of each, and what differs between two."""

import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiops.analyze.state.api import Api, number, pairs, part, parts, text
from aiops_tools.kubernetes.owners import containers

_REVISION = "deployment.kubernetes.io/revision"
_CAUSE = "kubernetes.io/change-cause"


@dataclass(frozen=True, slots=True)
class Revision:
    """One version.

    Attributes:
        made: as the API writes it.
        template: of its pods, without the hash the controller adds.
        replicas, ready: pods of it now; None where the cluster does not count them by version.
    """

    number: int
    name: str
    made: str
    template: Api
    images: tuple[str, ...]
    cause: str = ""
    replicas: int | None = None
    ready: int | None = None


def of_replica_sets(found: Sequence[Api], owner: Api) -> list[Revision]:
    """The versions of a Deployment, ascending; a number may be missing."""
    return _ordered(_of_replica_set(one) for one in found if owned(one, owner))


def of_controller_revisions(found: Sequence[Api], owner: Api) -> list[Revision]:
    """The versions of a StatefulSet or DaemonSet, ascending."""
    return _ordered(_of_controller_revision(one) for one in found if owned(one, owner))


def owned(one: Api, owner: Api) -> bool:
    """Whether ``owner`` made it."""
    uid = text(owner, "metadata", "uid")
    return bool(uid) and any(
        text(ref, "uid") == uid for ref in parts(one, "metadata", "ownerReferences")
    )


def difference(before: Revision, after: Revision) -> str:
    """Unified diff of the pod templates; "" where they are equal. Values from Secrets are only
    named in a template, never in it.
    """
    old, new = (
        json.dumps(one.template, indent=1, sort_keys=True).splitlines() for one in (before, after)
    )
    names = f"revision {before.number}", f"revision {after.number}"
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm="", n=2))


def _ordered(found: Iterable[Revision]) -> list[Revision]:
    return sorted(found, key=lambda one: one.number)


def _of_replica_set(one: Api) -> Revision:
    annotations = pairs(one, "metadata", "annotations")
    template = _plain(part(one, "spec", "template"))
    return Revision(
        number=int(annotations.get(_REVISION, "0") or 0),
        name=text(one, "metadata", "name"),
        made=text(one, "metadata", "creationTimestamp"),
        template=template,
        images=_images(template),
        cause=annotations.get(_CAUSE, ""),
        replicas=number(one, "spec", "replicas"),
        ready=number(one, "status", "readyReplicas") or 0,
    )


def _of_controller_revision(one: Api) -> Revision:
    template = _plain(part(one, "data", "spec", "template"))
    return Revision(
        number=number(one, "revision") or 0,
        name=text(one, "metadata", "name"),
        made=text(one, "metadata", "creationTimestamp"),
        template=template,
        images=_images(template),
        cause=pairs(one, "metadata", "annotations").get(_CAUSE, ""),
    )


def _images(template: Api) -> tuple[str, ...]:
    return tuple(text(c, "image") for c in containers(part(template, "spec")))


def _plain(template: Api) -> Api:
    metadata = part(template, "metadata")
    labels = {k: v for k, v in part(metadata, "labels").items() if k != "pod-template-hash"}
    kept = {k: v for k, v in metadata.items() if k != "creationTimestamp" and v is not None}
    return {**template, "metadata": {**kept, "labels": labels}}
