"""Past templates of StatefulSets and DaemonSets, kept as ControllerRevisions."""

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import owned_by, owner_reference, template_hash
from aiops_lab.kubernetes.store import Object

RESOURCE = "controllerrevisions.apps"


def current_revision(cluster: Cluster, owner: Object) -> Object:
    """The revision of the owner's template; made, or made the newest again, where needed."""
    metadata = owner["metadata"]
    namespace = metadata["namespace"]
    past = owned_by(owner, cluster.every(RESOURCE, namespace))
    highest = max((r["revision"] for r in past), default=0)
    template = {**owner["spec"]["template"], "$patch": "replace"}
    content = {"spec": {"template": template}}
    for revision in past:
        if revision["data"] == content:
            if revision["revision"] == highest:
                return revision
            return cluster.change(revision, revision=highest + 1) or revision
    label = template_hash(owner["spec"]["template"])
    labels = dict(owner["spec"]["template"].get("metadata", {}).get("labels") or {})
    made = cluster.insert(
        RESOURCE,
        {
            "metadata": {
                "name": f"{metadata['name']}-{label}",
                "namespace": namespace,
                "labels": {**labels, "controller-revision-hash": label},
                "annotations": {
                    k: v
                    for k, v in (metadata.get("annotations") or {}).items()
                    if k == "kubernetes.io/change-cause"
                },
                "ownerReferences": [owner_reference(owner)],
            },
            "data": content,
            "revision": highest + 1,
        },
    ).object
    keep = owner["spec"].get("revisionHistoryLimit", 10)
    for old in sorted(past, key=lambda r: int(r["revision"]))[: max(0, len(past) - keep)]:
        cluster.store.remove((RESOURCE, namespace, old["metadata"]["name"]))
    return made


def hash_of(obj: Object) -> str:
    """The revision an object or pod belongs to."""
    return str((obj["metadata"].get("labels") or {}).get("controller-revision-hash", ""))
