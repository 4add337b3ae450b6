"""The toolset "aws": one account and region, questions that read it and actions that change it.

[tools.aws]
kind = "aws"
account = "123456789012"
region = "eu-west-1"
profile = "reader"                 # who reads; none: the machine this runs on; or role_arn
write_profile = "responder"        # who writes; without one nothing can be changed
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from aiops.ports.tools import Tool
from aiops_tools.cloud.acting import acting
from aiops_tools.cloud.aws import insights, serving, workloads
from aiops_tools.cloud.aws.actions import ACTS
from aiops_tools.cloud.aws.cloud import AwsCloud, AwsHand
from aiops_tools.cloud.aws.connection import Connection
from aiops_tools.cloud.aws.options import AwsOptions
from aiops_tools.cloud.options import must_be_installed, read
from aiops_tools.cloud.probing import View, probing
from aiops_tools.cloud.questions import shared
from aiops_tools.cloud.resizing import RESIZE
from aiops_tools.questions import Question

if TYPE_CHECKING:  # the service brings everything, which a toolset has no use for
    from aiops.bootstrap.service import Service

OWN: Final[tuple[Question[View[AwsCloud], Any], ...]] = (
    *workloads.QUESTIONS,
    *serving.QUESTIONS,
    insights.QUERY,
)


class Aws:
    """A Toolset. Questions hold the identity that reads only, actions the one that writes only."""

    def __init__(self, name: str, options: AwsOptions, now: Callable[[], datetime]) -> None:
        self.name, self._options, self._now = name, options, now
        self._cloud = AwsCloud(Connection(options, "read"), now)
        self._hand = AwsHand(Connection(options, "write")) if options.writes else None

    def __repr__(self) -> str:
        return f"Aws({self.name!r}, {self._options.place!r})"

    @classmethod
    def connect(cls, name: str, given: Mapping[str, object], service: "Service") -> "Aws":
        """A toolset called ``name``; opens no connection yet.

        Raises:
            InvalidInput: an option that is missing, unknown or wrong, by its key; no client.
        """
        must_be_installed(name, "boto3", "aws")
        return cls(name, read(AwsOptions, name, given), service.clock.now)

    def tools(self) -> Sequence[Tool]:
        """See Toolset."""
        own = View(self._cloud, self._now)
        hand, time = self._hand, self._options.action_s
        reads: list[Tool] = [
            *shared(self.name, self._cloud, self._now),
            *(probing(self.name, one, own) for one in OWN),
        ]
        if hand is None:
            return reads
        own_acts = (acting(self.name, one, hand, time) for one in ACTS)
        return [*reads, acting(self.name, RESIZE, hand, time), *own_acts]

    def check(self) -> str:
        """See Toolset."""
        can = "reads and writes" if self._hand else "reads only"
        return f"{self._cloud.check()}; {can}"

    def close(self) -> None:
        """See Toolset."""
        self._cloud.close()
        if self._hand is not None:
            self._hand.account.close()
