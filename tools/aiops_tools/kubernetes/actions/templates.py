"""What all changes of a pod template have in common: their rollout, and the way back by it."""

from collections.abc import Iterator, Sequence

from aiops_tools.kubernetes.actions.asked import OnWorkload
from aiops_tools.kubernetes.actions.change import Inverse
from aiops_tools.kubernetes.actions.consequences import of_interruption
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.history import current_revision
from aiops_tools.kubernetes.actions.rollout import rolled_out, rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.watching import Standing


def of_rollout(scene: Scene, after: Api) -> Iterator[str]:
    """What a rollout brings about."""
    yield from of_interruption(scene, rolling_radius(scene, after))
    spec = after["spec"]
    if spec.get("paused"):
        yield "its rollout is paused: no pod changes until it is resumed"
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        yield "its pods change only when they are deleted, as its strategy says"


def warn_of_rollout(asked: OnWorkload, scene: Scene, after: Api) -> Sequence[str]:
    """As a Change warns."""
    del asked
    return list(of_rollout(scene, after))


def standing_of_rollout(asked: OnWorkload, now: Api, pods: Sequence[Api]) -> Standing:
    """As a Change stands."""
    del asked
    return rolled_out(now, pods)


def back_to_revision(asked: OnWorkload, scene: Scene, after: Api) -> Inverse | None:
    """The way back by the revision in use before; None where none is kept of it."""
    number = current_revision(scene)
    if number is None or after["spec"].get("revisionHistoryLimit", 10) == 0:
        return None
    return "rollout_undo", {**placed(asked), "to_revision": number}
