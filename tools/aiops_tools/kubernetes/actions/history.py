"""What a workload ran before, and which of it is in use."""

from dataclasses import replace

from aiops_tools.kubernetes.actions.scene import Scene
from aiops_tools.kubernetes.revisions import Revision, of_controller_revisions, of_replica_sets
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.state_hash import state_hash


def revisions(scene: Scene) -> list[Revision]:
    """The revisions that are kept, ascending; their templates as a workload takes them."""
    of = of_replica_sets if scene.object["kind"] == "Deployment" else of_controller_revisions
    return [replace(one, template=_plain(one.template)) for one in of(scene.history, scene.object)]


def current_revision(scene: Scene) -> int | None:
    """The number of the template in use; None where none is kept of it."""
    now = _same(scene.object["spec"]["template"])
    found = [one.number for one in revisions(scene) if _same(one.template) == now]
    return found[-1] if found else None


def _plain(template: Api) -> Api:
    return {key: value for key, value in template.items() if key != "$patch"}


def _same(template: Api) -> str:
    return state_hash({"spec": template})
