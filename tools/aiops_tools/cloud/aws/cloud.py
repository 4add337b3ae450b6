"""One account and region of Amazon as a Cloud, and its groups as a Resizer."""

from collections.abc import Callable, Sequence
from datetime import datetime

from aiops.model import Window
from aiops_tools.cloud.aws import limits, machines, measured, trail
from aiops_tools.cloud.aws.connection import Connection
from aiops_tools.cloud.port import (
    Alarm,
    CloudChange,
    Found,
    Group,
    Instance,
    MetricQuery,
    Quota,
    Samples,
)


class AwsCloud:
    """A Cloud; ``account`` is what the questions that only Amazon has are asked of."""

    def __init__(self, account: Connection, now: Callable[[], datetime]) -> None:
        self.place, self.account, self._now = account.place, account, now

    def instances(self, names: Sequence[str] = ()) -> Found[Instance]:
        """See Cloud."""
        return machines.instances(self.account, names)

    def groups(self, names: Sequence[str] = ()) -> Found[Group]:
        """See Cloud."""
        return machines.groups(self.account, names)

    def samples(self, query: MetricQuery) -> Found[Samples]:
        """See Cloud."""
        return measured.samples(self.account, query)

    def alarms(self) -> Found[Alarm]:
        """See Cloud."""
        return measured.alarms(self.account)

    def changes(self, window: Window, about: str | None = None) -> Found[CloudChange]:
        """See Cloud."""
        return trail.changes(self.account, window, about, self._now())

    def quotas(self, service: str) -> Found[Quota]:
        """See Cloud."""
        return limits.quotas(self.account, service, self._now())

    def check(self) -> str:
        """See Cloud."""
        who = str(self.account.ask("sts", "get_caller_identity", "identity").get("Arn", ""))
        count = len(self.instances().rows)
        return f"{self.place}: {count} machines, read as {who.rpartition(':')[2]}"

    def close(self) -> None:
        """See Cloud."""
        self.account.close()


class AwsHand:
    """What actions hold: the identity that writes, and a Resizer."""

    kind = "AutoScalingGroup"

    def __init__(self, account: Connection) -> None:
        self.place, self.account = account.place, account

    def group(self, name: str) -> Group:
        """See Resizer."""
        return machines.groups(self.account, [name]).rows[0]

    def resize(self, name: str, size: int, key: str) -> None:
        """See Resizer. The API takes no key; a second call with the same size changes nothing."""
        del key
        self.account.ask(
            "autoscaling",
            "set_desired_capacity",
            f"resize of group {name}",
            AutoScalingGroupName=name,
            DesiredCapacity=size,
            HonorCooldown=False,
        )
