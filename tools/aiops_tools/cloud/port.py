"""The port of clouds: what machines, groups, metrics, alarms, changes and quotas have in common.

A place is an account and a region, written as targets name their cluster:
"aws:123456789012/eu-west-1", "gcp:shop-prod/europe-west1". All methods block, and raise ToolFailed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar

from aiops.model import Window
from aiops.model.tool import Unread

Row = TypeVar("Row")
Statistic = Literal["average", "sum", "minimum", "maximum", "count", "p50", "p90", "p95", "p99"]
AlarmState = Literal["firing", "ok", "unknown"]


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """What a read found.

    Attributes:
        unread: parts that could not be read; the rows stand without them.
        left_out: whether there is more than was read.
    """

    rows: tuple[Row, ...]
    unread: tuple[Unread, ...] = ()
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Instance:
    """A virtual machine.

    Attributes:
        id: as its API names it.
        name: what people call it; its id where they do not.
        zone: within the region.
        state: in the words of its API, lower case: "running", "stopped".
        healthy: by the provider's own checks; None where it has none.
        detail: checks that fail and maintenance that is announced, a sentence each.
    """

    id: str
    name: str
    zone: str
    type: str
    state: str
    healthy: bool | None
    detail: tuple[str, ...] = ()
    launched: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A machine of a group; ``serving`` as far as the group knows."""

    instance: str
    zone: str
    state: str
    serving: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Machines of one sort that are kept at a number.

    Attributes:
        uid: its own; another group may come to have its name.
        least, most: bounds of the number; None where there are none.
        automatic: what sets the number by itself, by name.
        troubles: what lately went wrong with it, a sentence each.
        unread: parts of it that could not be read.
    """

    name: str
    uid: str
    least: int | None
    most: int | None
    desired: int
    members: tuple[Member, ...] = ()
    automatic: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def serving(self) -> int:
        """Members that serve."""
        return sum(one.serving for one in self.members)


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """Which series of a metric, and how they are summed up.

    Attributes:
        metric: as its API names it: "AWS/EC2/CPUUtilization",
            "compute.googleapis.com/instance/cpu/utilization".
        labels: every series that has these is meant.
        step_s: seconds that one value sums up.
    """

    metric: str
    labels: tuple[tuple[str, str], ...]
    statistic: Statistic
    step_s: int
    window: Window


@dataclass(frozen=True, slots=True)
class Samples:
    """One series; times ascend, UTC, and are as many as the values."""

    labels: tuple[tuple[str, str], ...]
    unit: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A rule that watches metrics.

    Attributes:
        since: when it came into this state, UTC.
        reason: in the provider's words.
        about: the metric, or what else it watches.
    """

    name: str
    state: AlarmState
    since: datetime | None
    reason: str
    about: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class CloudChange:
    """A call to the provider's API that changed something.

    Attributes:
        error: why it was refused or failed; "" where it was done.
        detail: canonical JSON of what it asked for, without secrets.
    """

    at: datetime
    actor: str
    action: str
    target: str
    error: str = ""
    detail: str = "{}"


@dataclass(frozen=True, slots=True)
class Quota:
    """How much there may be of something; ``used`` is None where the provider does not tell."""

    code: str
    name: str
    limit: float
    used: float | None
    unit: str


class Cloud(Protocol):
    """Reads one place of one provider; changes nothing."""

    place: str

    def instances(self, names: Sequence[str] = ()) -> Found[Instance]:
        """Machines by id or name, all where none is given; "not_found" for a name nobody has."""
        ...

    def groups(self, names: Sequence[str] = ()) -> Found[Group]:
        """Groups by name, all where none is given; "not_found" for a name nobody has."""
        ...

    def samples(self, query: MetricQuery) -> Found[Samples]:
        """Series with values in the window; none where nothing was measured."""
        ...

    def alarms(self) -> Found[Alarm]:
        """Every alarm."""
        ...

    def changes(self, window: Window, about: str | None = None) -> Found[CloudChange]:
        """Changes in the window, newest first; about one object by its name where one is given."""
        ...

    def quotas(self, service: str) -> Found[Quota]:
        """Quotas of one of the provider's services."""
        ...

    def check(self) -> str:
        """One real read; who asks and what was seen, in a sentence with numbers."""
        ...

    def close(self) -> None:
        """Give connections back."""
        ...


class Resizer(Protocol):
    """Changes the size of groups, with an identity of its own, which it reads them with, too.

    Attributes:
        kind: of groups as targets.
    """

    place: str
    kind: str

    def group(self, name: str) -> Group:
        """One group, as it is now; "not_found" where there is none."""
        ...

    def resize(self, name: str, size: int, key: str) -> None:
        """Ask for another number; the provider adds or ends machines afterwards.

        Args:
            key: the same for the same call, where the API takes one.
        """
        ...
