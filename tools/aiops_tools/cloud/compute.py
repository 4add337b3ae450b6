"""Machines and the groups that keep them at a number, as questions."""

from datetime import datetime
from typing import Any, Final

from pydantic import Field

from aiops_tools.cloud.places import GroupName, InPlace, InstanceName
from aiops_tools.cloud.port import Cloud, Group, Instance
from aiops_tools.cloud.probing import View, more_than_read
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, table

MOST_TOLD: Final = 100


class InstancesAsked(InPlace):
    """Which machines."""

    names: list[InstanceName] = Field(default=[], max_length=50)
    unhealthy_only: bool = False


class InstanceFound(Result):
    """A machine; ``healthy`` is null where the provider has no check of it."""

    id: str
    name: str
    zone: str
    type: str
    state: str
    healthy: bool | None
    detail: list[str]
    launched: datetime | None


class InstancesFound(Result):
    """Machines, those in trouble first; ``read`` counts all that were looked at."""

    read: int
    instances: list[InstanceFound]
    left_out: bool


def _instances(view: View[Cloud], asked: InstancesAsked) -> Answer:
    found = view.cloud.instances(asked.names)
    rows = [one for one in found.rows if one.healthy is False or not asked.unhealthy_only]
    rows.sort(key=lambda one: (one.healthy is not False, one.name, one.id))
    told = rows[:MOST_TOLD]
    left_out = found.left_out or len(rows) > len(told)
    sick = sum(one.healthy is False for one in rows)
    result = InstancesFound(
        read=len(found.rows), instances=[_told(one) for one in told], left_out=left_out
    )
    summary = paragraphs(
        f"{len(found.rows)} machines read, {sick} in trouble.",
        table(
            ("machine", "name", "zone", "type", "state", "healthy", "detail"),
            ((o.id, o.name, o.zone, o.type, o.state, o.healthy, "; ".join(o.detail)) for o in told),
        ),
        more_than_read(left_out),
    )
    return Answer(result, summary, found.unread)


def _told(one: Instance) -> InstanceFound:
    return InstanceFound(
        id=one.id,
        name=one.name,
        zone=one.zone,
        type=one.type,
        state=one.state,
        healthy=one.healthy,
        detail=list(one.detail),
        launched=one.launched,
    )


class GroupsAsked(InPlace):
    """Which groups."""

    names: list[GroupName] = Field(default=[], max_length=50)


class MemberFound(Result):
    """A machine of a group that does not serve."""

    instance: str
    zone: str
    state: str


class GroupFound(Result):
    """A group: its number, its bounds, who serves and who does not."""

    name: str
    least: int | None
    most: int | None
    desired: int
    members: int
    serving: int
    idle: list[MemberFound]
    automatic: list[str]
    troubles: list[str]


class GroupsFound(Result):
    """Groups, those that lack machines first."""

    groups: list[GroupFound]
    left_out: bool


def _groups(view: View[Cloud], asked: GroupsAsked) -> Answer:
    found = view.cloud.groups(asked.names)
    rows = sorted(found.rows, key=lambda one: (one.serving - one.desired, one.name))
    told = rows[:MOST_TOLD]
    left_out = found.left_out or len(rows) > len(told)
    summary = paragraphs(
        table(
            ("group", "serving", "desired", "least", "most", "set by", "troubles"),
            (
                (
                    one.name,
                    one.serving,
                    one.desired,
                    one.least,
                    one.most,
                    ", ".join(one.automatic),
                    "; ".join(one.troubles),
                )
                for one in told
            ),
        )
        or "No scaling group.",
        more_than_read(left_out),
    )
    unread = (*found.unread, *(missing for one in told for missing in one.unread))
    return Answer(GroupsFound(groups=list(map(_group, told)), left_out=left_out), summary, unread)


def _group(one: Group) -> GroupFound:
    idle = [member for member in one.members if not member.serving][:MOST_TOLD]
    return GroupFound(
        name=one.name,
        least=one.least,
        most=one.most,
        desired=one.desired,
        members=len(one.members),
        serving=one.serving,
        idle=[MemberFound(instance=m.instance, zone=m.zone, state=m.state) for m in idle],
        automatic=list(one.automatic),
        troubles=list(one.troubles),
    )


QUESTIONS: Final[tuple[Question[View[Cloud], Any], ...]] = (
    Question(
        "instances",
        "Virtual machines with state, failed checks and announced maintenance.",
        InstancesAsked,
        InstancesFound,
        _instances,
        ("are any machines impaired", "is this VM still running"),
        timeout_s=60,
    ),
    Question(
        "scaling_groups",
        "Scaling groups with desired and serving machines, bounds, and what lately failed.",
        GroupsAsked,
        GroupsFound,
        _groups,
        ("why are new machines not starting", "how many machines does the fleet have"),
        timeout_s=60,
    ),
)
