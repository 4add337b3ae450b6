"""The toolset "telemetry".

[tools.telemetry]
kind = "telemetry"
sources = ["prometheus"]           # asked beside what is kept here; all where none are given

Whoever asks a source probes; with ``sources = []`` only what is kept here is read, which observers
may, too.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import SourceUnavailable, ToolFailed
from aiops.model import Window
from aiops.ports.tools import Tool
from aiops_tools.own_options import SourceOptions, needed_to_ask, read, sources_of
from aiops_tools.questions import Question, asking
from aiops_tools.telemetry import (
    calls,
    comparison,
    excursions,
    logs,
    metrics,
    promql,
    templates,
    traces,
)
from aiops_tools.telemetry.gathering import Readers
from aiops_tools.telemetry.known import names_known

if TYPE_CHECKING:  # the service brings everything, which a toolset has no use for
    from aiops.bootstrap.service import Service

QUESTIONS: Final[tuple[Question[Readers, Any], ...]] = (
    calls.SERVICES,
    calls.GRAPH,
    metrics.QUERY,
    comparison.COMPARE,
    excursions.ANOMALIES,
    logs.SEARCH,
    templates.TEMPLATES,
    traces.SEARCH,
    traces.FOLLOW,
)
CHECKED: Final = timedelta(minutes=30)


class Telemetry:
    """A Toolset over what is kept and the sources it is given."""

    def __init__(self, name: str, readers: Readers) -> None:
        self.name, self._readers = name, readers

    def __repr__(self) -> str:
        return f"Telemetry({self.name!r}, {[name for name, _ in self._readers.sources]})"

    @classmethod
    def connect(cls, name: str, options: Mapping[str, object], service: "Service") -> "Telemetry":
        """A toolset called ``name``.

        Raises:
            InvalidInput: an option that is unknown or wrong, by its key.
        """
        sources = sources_of(read(SourceOptions, name, options), name, service)
        readers = Readers(service.telemetry, sources, service.incidents, service.clock.now)
        return cls(name, readers)

    def tools(self) -> Sequence[Tool]:
        """See Toolset. Expressions are offered where a source takes them."""
        needed = needed_to_ask(self._readers.sources)
        tools = [asking(self.name, each, self._readers, needed) for each in QUESTIONS]
        if promql.expression_sources(self._readers):
            tools.append(asking(self.name, promql.EVALUATE, self._readers, needed))
        return tools

    def check(self) -> str:
        """See Toolset."""
        now, told = self._readers.now(), []
        for name, source in self._readers.sources:
            try:
                told.append(f"{name}: {source.check()}")
            except SourceUnavailable as failure:
                raise ToolFailed("unreachable", str(failure), retryable=True) from failure
        known, _ = names_known(self._readers, Window(now - CHECKED, now))
        return "; ".join([f"{len(known)} services known", *told])

    def close(self) -> None:
        """See Toolset. The sources are the service's, which closes them."""
