"""What whoever approves has to know of an action's consequences, a sentence each."""

from collections.abc import Iterator, Mapping, Sequence

from aiops.analyze.state.quantities import quantity
from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.scene import Scene
from aiops_tools.kubernetes.sealed import Api


def of_interruption(scene: Scene, radius: BlastRadius) -> Iterator[str]:
    """Downtime, and disruption budgets that nobody but an eviction asks."""
    if radius.interrupted and radius.interrupted >= radius.serving:
        few = "the only pod stops" if radius.serving == 1 else f"all {radius.serving} pods stop"
        yield f"{few} serving at once: there is downtime"
    for budget in scene.budgets:
        allowed = (budget.get("status") or {}).get("disruptionsAllowed", 0)
        if radius.interrupted > allowed:
            yield (
                f"the disruption budget {budget['metadata']['name']} allows {allowed} pods less "
                f"and this takes {radius.interrupted}; it is not asked for this"
            )


def of_autoscalers(scene: Scene) -> Iterator[str]:
    """An autoscaler that sets the number of replicas itself."""
    for one in scene.autoscalers:
        least, most = one["spec"].get("minReplicas", 1), one["spec"]["maxReplicas"]
        yield (
            f"the autoscaler {one['metadata']['name']} ({least} to {most} replicas) sets this "
            "number too and will undo the change; set its bounds instead"
        )


def of_quotas(scene: Scene, more: Mapping[str, float]) -> Iterator[str]:
    """Quotas that what is asked for in addition goes beyond.

    Args:
        more: by the quota's name of the resource: "pods", "requests.cpu"; cores, bytes, counts.
    """
    for quota in scene.quotas:
        status = quota.get("status") or {}
        for name, hard in (status.get("hard") or {}).items():
            asked = more.get({"cpu": "requests.cpu", "memory": "requests.memory"}.get(name, name))
            most, used = quantity(hard), quantity((status.get("used") or {}).get(name, "0"))
            if asked and most is not None and used is not None and used + asked > most:
                yield (
                    f"the quota {quota['metadata']['name']} has no room for it: {name} {hard}, "
                    f"{(status.get('used') or {}).get(name, '0')} used"
                )


def requested(template: Api) -> dict[str, float]:
    """What one pod of ``template`` counts for against a quota."""
    total = {"pods": 1.0}
    for container in template["spec"]["containers"]:
        for place, amounts in (container.get("resources") or {}).items():
            if place not in ("requests", "limits"):
                continue
            for name, amount in (amounts or {}).items():
                key = f"{place}.{name}"
                total[key] = total.get(key, 0.0) + (quantity(amount) or 0.0)
    return total


def images_run(scene: Scene, past: Sequence[Api]) -> frozenset[str]:
    """Images that this workload has run, as far as templates ``past`` are kept."""
    pods = [pod["spec"] for pod in scene.pods]
    specs = [*pods, *(template["spec"] for template in past)]
    return frozenset(one["image"] for spec in specs for one in spec["containers"])
