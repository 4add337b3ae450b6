"""The toolset "incidents": what is kept of incidents, and what is added to it.

[tools.incidents]
kind = "incidents"
notifiers = ["NAME"]               # channels of ``aiops.notifiers`` that people may be told by
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field

from aiops import plugins
from aiops.model.incident import IncidentQuery
from aiops.ports.events import Notifier
from aiops.ports.tools import Tool
from aiops_tools.deeds import Deed, doing
from aiops_tools.incidents import acts, alike, reading
from aiops_tools.incidents.scene import Scene
from aiops_tools.own_options import OwnOptions, read
from aiops_tools.questions import Question, asking

if TYPE_CHECKING:  # the service brings everything, which a toolset has no use for
    from aiops.bootstrap.service import Service

QUESTIONS: Final[tuple[Question[Scene, Any], ...]] = (
    reading.FIND,
    reading.GET,
    reading.TIMELINE,
    reading.REPORT,
    alike.ALIKE,
)
DEEDS: Final[tuple[Deed[Scene, Any], ...]] = (acts.ADD_NOTE, acts.SET_VERDICT)


class IncidentOptions(OwnOptions):
    """What ``[tools.<name>]`` of this kind takes."""

    notifiers: tuple[str, ...] = Field(default=(), description="names in aiops.notifiers")


class Incidents:
    """A Toolset over incidents and their reports."""

    def __init__(self, name: str, service: "Service", notifiers: Sequence[Notifier] = ()) -> None:
        channels = {one.name: one for one in notifiers}
        self.name = name
        self._scene = Scene(
            name, service.incidents, service.investigations, channels, service.clock
        )

    def __repr__(self) -> str:
        return f"Incidents({self.name!r}, {sorted(self._scene.notifiers)})"

    @classmethod
    def connect(cls, name: str, options: Mapping[str, object], service: "Service") -> "Incidents":
        """A toolset called ``name``.

        Raises:
            InvalidInput: an option that is unknown or wrong, by its key; an unknown notifier.
        """
        chosen = read(IncidentOptions, name, options)
        notifiers = [plugins.load("aiops.notifiers", each)() for each in chosen.notifiers]
        return cls(name, service, notifiers)

    def tools(self) -> Sequence[Tool]:
        """See Toolset. People can be told where a channel is configured."""
        deeds = (*DEEDS, acts.NOTIFY) if self._scene.notifiers else DEEDS
        return [
            *(asking(self.name, each, self._scene, "observer") for each in QUESTIONS),
            *(doing(self.name, each, self._scene) for each in deeds),
        ]

    def check(self) -> str:
        """See Toolset."""
        newest = self._scene.incidents.find(IncidentQuery(limit=1))
        counts = self._scene.incidents.counts()
        last = f", the newest {newest[0].id}" if newest else ""
        return f"{sum(counts.values())} incidents kept{last}"

    def close(self) -> None:
        """See Toolset. Nothing is open."""
