"""The toolset "gcp": one project and region, questions that read it and one action.

[tools.gcp]
kind = "gcp"
project = "shop-prod"
region = "europe-west1"
credentials_file = "FILE"          # who reads; none: the machine this runs on; or impersonate
write_credentials_file = "FILE"    # who writes; without one nothing can be changed
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from aiops.ports.tools import Tool
from aiops_tools.cloud.acting import acting
from aiops_tools.cloud.gcp.cloud import GcpCloud, GcpHand
from aiops_tools.cloud.gcp.connection import Connection
from aiops_tools.cloud.gcp.options import GcpOptions
from aiops_tools.cloud.options import must_be_installed, read
from aiops_tools.cloud.questions import shared
from aiops_tools.cloud.resizing import RESIZE

if TYPE_CHECKING:  # the service brings everything, which a toolset has no use for
    from aiops.bootstrap.service import Service


class Gcp:
    """A Toolset. Questions hold the identity that reads only, actions the one that writes only."""

    def __init__(self, name: str, options: GcpOptions, now: Callable[[], datetime]) -> None:
        self.name, self._options, self._now = name, options, now
        self._cloud = GcpCloud(Connection(options, "read"))
        self._hand = GcpHand(Connection(options, "write")) if options.writes else None

    def __repr__(self) -> str:
        return f"Gcp({self.name!r}, {self._options.place!r})"

    @classmethod
    def connect(cls, name: str, given: Mapping[str, object], service: "Service") -> "Gcp":
        """A toolset called ``name``; opens no connection yet.

        Raises:
            InvalidInput: an option that is missing, unknown or wrong, by its key; no client.
        """
        must_be_installed(name, "googleapiclient", "gcp")
        return cls(name, read(GcpOptions, name, given), service.clock.now)

    def tools(self) -> Sequence[Tool]:
        """See Toolset."""
        reads: list[Tool] = [*shared(self.name, self._cloud, self._now)]
        if self._hand is None:
            return reads
        return [*reads, acting(self.name, RESIZE, self._hand, self._options.action_s)]

    def check(self) -> str:
        """See Toolset."""
        can = "reads and writes" if self._hand else "reads only"
        return f"{self._cloud.check()}; {can}"

    def close(self) -> None:
        """See Toolset."""
        self._cloud.close()
        if self._hand is not None:
            self._hand.close()
