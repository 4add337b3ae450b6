"""The toolset "kubernetes": one cluster, probes that read it and actions that change it.

[tools.kubernetes]
kind = "kubernetes"
cluster = "shop-eu"
kubeconfig = "FILE"                # who reads; or in_cluster = true, or server and token_file
context = "NAME"
write_kubeconfig = "FILE"          # who writes; without one nothing can be changed
write_context = "NAME"
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from aiops.ports.tools import Tool
from aiops_tools.kubernetes import options
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.connection import Connection
from aiops_tools.kubernetes.probes import probes
from aiops_tools.kubernetes.reader import Reader
from aiops_tools.kubernetes.writer import Writer

if TYPE_CHECKING:  # the service brings everything, which a toolset has no use for
    from aiops.bootstrap.service import Service


class Kubernetes:
    """A Toolset. Probes hold the reader only, actions the writer only."""

    def __init__(
        self, name: str, reader: Reader, writer: Writer | None, now: Callable[[], datetime]
    ) -> None:
        self.name, self._reader, self._writer, self._now = name, reader, writer, now

    def __repr__(self) -> str:
        return f"Kubernetes({self.name!r}, {self._reader.cluster!r})"

    @classmethod
    def connect(cls, name: str, given: Mapping[str, object], service: "Service") -> "Kubernetes":
        """A toolset called ``name``; opens no connection yet.

        Raises:
            InvalidInput: an option that is missing, unknown or wrong, by its key.
        """
        chosen = options.read("tools", name, given, options.ClusterOptions)
        reader = Reader(Connection(chosen, chosen.reader, "read"))
        writer = Writer(Connection(chosen, chosen.writer, "write")) if chosen.writes else None
        return cls(name, reader, writer, service.clock.now)

    def tools(self) -> Sequence[Tool]:
        """See Toolset."""
        changing = actions(self.name, self._writer) if self._writer else ()
        return [*probes(self.name, self._reader, self._now), *changing]

    def check(self) -> str:
        """See Toolset."""
        version, count = self._reader.version(), len(self._reader.namespaces())
        can = "reads and writes" if self._writer else "reads only"
        return f"cluster {self._reader.cluster}: Kubernetes {version}, {count} namespaces; {can}"

    def close(self) -> None:
        """See Toolset."""
        self._reader.close()
        if self._writer is not None:
            self._writer.close()
