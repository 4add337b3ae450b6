"""The cloud in memory: the port's twin, for tests of whatever stands on it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from aiops.errors import ToolFailed
from aiops.model import Window
from aiops_tools.cloud.port import (
    Alarm,
    CloudChange,
    Found,
    Group,
    Instance,
    Member,
    MetricQuery,
    Quota,
    Samples,
)

_Named = TypeVar("_Named", Instance, Group)


@dataclass(slots=True)
class MemoryCloud:
    """A Cloud and a Resizer; a group that is resized has its machines at once.

    Attributes:
        measured: series by metric.
        limits: quotas by service.
        keys: of every call that changed something, in order.
    """

    place: str = "aws:123456789012/eu-west-1"
    kind: str = "AutoScalingGroup"
    machines: list[Instance] = field(default_factory=list)
    fleets: dict[str, Group] = field(default_factory=dict)
    measured: dict[str, list[Samples]] = field(default_factory=dict)
    rules: list[Alarm] = field(default_factory=list)
    history: list[CloudChange] = field(default_factory=list)
    limits: dict[str, list[Quota]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def instances(self, names: Sequence[str] = ()) -> Found[Instance]:
        """See Cloud."""
        return Found(_chosen(self.machines, names, "machine"))

    def groups(self, names: Sequence[str] = ()) -> Found[Group]:
        """See Cloud."""
        return Found(_chosen(list(self.fleets.values()), names, "group"))

    def samples(self, query: MetricQuery) -> Found[Samples]:
        """See Cloud; statistics are not computed: what is held is taken to be summed up."""
        wanted = set(query.labels)
        rows = (one for one in self.measured.get(query.metric, ()) if wanted <= set(one.labels))
        cut = (_within(one, query.window) for one in rows)
        return Found(tuple(one for one in cut if one.times))

    def alarms(self) -> Found[Alarm]:
        """See Cloud."""
        return Found(tuple(self.rules))

    def changes(self, window: Window, about: str | None = None) -> Found[CloudChange]:
        """See Cloud."""
        rows = [
            one
            for one in self.history
            if window.start <= one.at < window.end and about in (None, one.target)
        ]
        return Found(tuple(sorted(rows, key=lambda one: one.at, reverse=True)))

    def quotas(self, service: str) -> Found[Quota]:
        """See Cloud."""
        if service not in self.limits:
            raise ToolFailed("not_found", f"{self.place}: there is no service {service!r}")
        return Found(tuple(self.limits[service]))

    def check(self) -> str:
        """See Cloud."""
        return f"{self.place}: {len(self.machines)} machines in memory"

    def close(self) -> None:
        """See Cloud."""

    def group(self, name: str) -> Group:
        """See Resizer."""
        return self.groups([name]).rows[0]

    def resize(self, name: str, size: int, key: str) -> None:
        """See Resizer."""
        group = self.group(name)
        kept = group.members[:size]
        new = (Member(f"{name}-{number}", "a", "running", True) for number in range(size))
        members = (*kept, *new)[:size]
        self.fleets[name] = replace(group, desired=size, members=members)
        self.keys.append(key)


def _chosen(rows: Sequence[_Named], names: Sequence[str], what: str) -> tuple[_Named, ...]:
    for name in names:
        if not any(name in (one.name, getattr(one, "id", None)) for one in rows):
            raise ToolFailed("not_found", f"there is no {what} {name!r}; list them first")
    return tuple(
        one for one in rows if not names or {one.name, getattr(one, "id", None)} & set(names)
    )


def _within(one: Samples, window: Window) -> Samples:
    pairs = [
        (at, value)
        for at, value in zip(one.times, one.values, strict=True)
        if window.start <= at < window.end
    ]
    return replace(one, times=tuple(at for at, _ in pairs), values=tuple(v for _, v in pairs))
