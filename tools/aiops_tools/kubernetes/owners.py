"""Who made an object: the workload that people know it by."""

from aiops.analyze.state.api import Api, pairs, part, parts, text


def controller(one: Api) -> tuple[str, str] | None:
    """Kind and name of what controls it; None where nothing does."""
    owners = parts(one, "metadata", "ownerReferences")
    chosen = next((o for o in owners if o.get("controller") is True), owners[0] if owners else None)
    return (text(chosen, "kind"), text(chosen, "name")) if chosen else None


def workload(one: Api) -> tuple[str, str] | None:
    """Kind and name of the workload of a pod: the Deployment behind its ReplicaSet.

    The name of a Deployment's ReplicaSet ends in the hash that its pods are labelled with.
    """
    owner = controller(one)
    hash_ = pairs(one, "metadata", "labels").get("pod-template-hash", "")
    if owner and owner[0] == "ReplicaSet" and hash_ and owner[1].endswith(f"-{hash_}"):
        return "Deployment", owner[1].removesuffix(f"-{hash_}")
    return owner


def template(one: Api) -> Api:
    """The pod template of a workload, a cron job's too."""
    return part(one, "spec", "template") or part(one, "spec", "jobTemplate", "spec", "template")


def containers(spec: Api) -> list[Api]:
    """Init containers and containers of a pod's spec, in the order they start."""
    return parts(spec, "initContainers") + parts(spec, "containers")
