"""The toolset "analysis": root causes, and how objectives stand.

[tools.analysis]
kind = "analysis"
sources = ["prometheus"]           # asked beside what is kept here; all where none are given
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from aiops.ports.tools import Tool
from aiops_tools.analysis import causes, objectives
from aiops_tools.own_options import SourceOptions, needed_to_ask, read, sources_of
from aiops_tools.questions import asking
from aiops_tools.telemetry.gathering import Readers

if TYPE_CHECKING:  # the service brings everything, which a toolset has no use for
    from aiops.app.incident_reports import IncidentReports
    from aiops.app.slo_standing import Standings
    from aiops.bootstrap.service import Service


class Analysis:
    """A Toolset over the analyzers, as the service is set to use them."""

    def __init__(self, name: str, service: "Service", readers: Readers) -> None:
        self.name, self._service, self._readers = name, service, readers

    def __repr__(self) -> str:
        return f"Analysis({self.name!r})"

    @classmethod
    def connect(cls, name: str, options: Mapping[str, object], service: "Service") -> "Analysis":
        """A toolset called ``name``.

        Raises:
            InvalidInput: an option that is unknown or wrong, by its key.
        """
        sources = sources_of(read(SourceOptions, name, options), name, service)
        readers = Readers(service.telemetry, sources, service.incidents, service.clock.now)
        return cls(name, service, readers)

    def tools(self) -> Sequence[Tool]:
        """See Toolset."""
        needed = needed_to_ask(self._readers.sources)
        judging = causes.Judging(partial(_reporting, self._service), self._readers)
        return [
            asking(self.name, causes.INVESTIGATE, judging, needed),
            asking(self.name, causes.EXPLAIN_WINDOW, judging, needed),
            # Objectives are judged by whichever source has their metrics.
            asking(
                self.name, objectives.STAND, self._standings, needed_to_ask(self._service.sources)
            ),
        ]

    def check(self) -> str:
        """See Toolset."""
        settings = self._service.settings
        return f"method {settings.method!r}, {len(self._standings())} objectives"

    def close(self) -> None:
        """See Toolset. The sources are the service's, which closes them."""

    @cached_property
    def _standings(self) -> "Standings":
        from aiops.bootstrap.background import standings

        return standings(self._service)


def _reporting(service: "Service") -> "IncidentReports":
    from aiops.bootstrap.working import reporting

    return reporting(service)
