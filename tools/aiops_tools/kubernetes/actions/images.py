"""Set image: another version of a container."""

from collections.abc import Sequence

from aiops_tools.kubernetes.actions.asked import ImageReference, OnContainer
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.consequences import images_run
from aiops_tools.kubernetes.actions.containers import container_of, edited
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.history import revisions
from aiops_tools.kubernetes.actions.rollout import rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, around_workload
from aiops_tools.kubernetes.actions.templates import of_rollout, standing_of_rollout
from aiops_tools.kubernetes.sealed import Api


class SetImage(OnContainer):
    """A container and the image it is to run."""

    image: ImageReference


def _edit(asked: SetImage, scene: Scene) -> Api:
    return edited(scene.object, asked, {"image": asked.image})


def _undo(asked: SetImage, scene: Scene, after: Api) -> Inverse:
    del after
    before = container_of(scene.object, asked)["image"]
    return "set_image", {**placed(asked), "container": asked.container, "image": before}


def _warn(asked: SetImage, scene: Scene, after: Api) -> Sequence[str]:
    warnings = list(of_rollout(scene, after))
    past = [one.template for one in revisions(scene)]
    if asked.image not in images_run(scene, past):
        warnings.append(f"{asked.target.name} has not run {asked.image} before")
    last = asked.image.rpartition("/")[2]
    if "@" not in last and (":" not in last or last.endswith(":latest")):
        warnings.append("the image has no fixed tag: what it is may change without a rollout")
    return warnings


SET_IMAGE = Change(
    verb="set_image",
    description="Set the image that one container of a workload runs.",
    asks=SetImage,
    risk="medium",
    look=around_workload,
    edit=_edit,
    undo=_undo,
    radius=rolling_radius,
    warn=_warn,
    standing=standing_of_rollout,
    examples=("run another version of a service",),
)
