"""How much one approved action may touch."""

from dataclasses import dataclass

from aiops.model.tool import Preview
from aiops.toolbelt.refusals import Refused


@dataclass(frozen=True, slots=True)
class RadiusLimits:
    """The most that one action touches.

    Attributes:
        objects: that change.
        namespaces: that they are in; without one, a cluster.
        share: of the replicas that serve, those that stop, 0 to 1.
        outage: whether it may stop all that serve.
    """

    objects: int
    namespaces: int
    share: float
    outage: bool = False

    def check(self, preview: Preview) -> None:
        """Raises Refused, "radius", with the figure that is above its limit."""
        radius = preview.radius
        places = {(target.cluster, target.namespace) for target in preview.targets}
        if not preview.targets:
            raise Refused("radius", "the dry run does not say what would change; it is denied")
        objects = max(radius.objects, len(set(preview.targets)))
        if objects > self.objects:
            raise self._refused(f"{objects} objects would change", f"{self.objects}", "objects")
        if len(places) > self.namespaces:
            raise self._refused(
                f"{len(places)} namespaces would be touched", f"{self.namespaces}", "namespaces"
            )
        if radius.serving and radius.interrupted >= radius.serving:
            if not self.outage:
                raise self._refused(
                    f"all {radius.serving} replicas that serve would stop", "some stay", "outage"
                )
        elif radius.share > self.share:
            raise self._refused(
                f"{radius.interrupted} of {radius.serving} replicas would stop",
                f"{self.share:.0%}",
                "share",
            )

    @staticmethod
    def _refused(what: str, limit: str, key: str) -> Refused:
        return Refused(
            "radius",
            f"{what}; the limit is {limit} (gateway.radius.{key}): choose a smaller step, or do "
            "it by hand",
        )
