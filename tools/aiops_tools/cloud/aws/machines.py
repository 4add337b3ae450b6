"""EC2 instances and Auto Scaling groups, as the port has them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiops.errors import ToolFailed
from aiops_tools.cloud.aws.connection import Api, Connection
from aiops_tools.cloud.aws.fields import moment, text
from aiops_tools.cloud.port import Found, Group, Instance, Member
from aiops_tools.cloud.probing import part_of

_LATELY: Final = 10
_PAUSED: Final = frozenset({"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy"})


def instances(account: Connection, names: Sequence[str]) -> Found[Instance]:
    """By id or by the tag Name. What an instance was started with (user data) is never asked."""
    found = account.rows("ec2", "describe_instances", "Reservations", "instances")
    rows = [one for held in found.rows for one in held.get("Instances") or ()]
    for name in names:
        if not any(name in (one["InstanceId"], _name(one)) for one in rows):
            raise ToolFailed(
                "not_found", f"{account.place}: there is no machine {name!r}; list them first"
            )
    rows = [one for one in rows if not names or {one["InstanceId"], _name(one)} & set(names)]
    checks, unread = part_of("status checks", lambda: _checks(account))
    checks = checks or {}
    return Found(
        tuple(_instance(one, checks.get(one["InstanceId"])) for one in rows),
        (*found.unread, *unread),
        found.left_out,
    )


def _checks(account: Connection) -> Mapping[str, Api]:
    found = account.rows(
        "ec2",
        "describe_instance_status",
        "InstanceStatuses",
        "status checks",
        IncludeAllInstances=True,
    )
    return {one["InstanceId"]: one for one in found.rows}


def _instance(one: Api, check: Api | None) -> Instance:
    state = text(one.get("State", {}), "Name")
    detail = list(_troubles(check or {}))
    measured = check is not None and state == "running"
    return Instance(
        id=one["InstanceId"],
        name=_name(one) or one["InstanceId"],
        zone=text(one.get("Placement", {}), "AvailabilityZone"),
        type=text(one, "InstanceType"),
        state=state,
        healthy=not any("check" in each for each in detail) if measured else None,
        detail=(*detail, *filter(None, [text(one.get("StateReason") or {}, "Message")])),
        launched=moment(one.get("LaunchTime")),
    )


def _troubles(check: Api) -> list[str]:
    found = []
    for part, words in (("InstanceStatus", "instance"), ("SystemStatus", "system")):
        status = text(check.get(part) or {}, "Status")
        if status not in ("", "ok", "not-applicable", "initializing"):
            found.append(f"{words} check: {status}")
    announced = (
        f"announced: {text(event, 'Code')} {event.get('NotBefore', '')}".strip()
        for event in check.get("Events") or ()
    )
    return [*found, *announced]


def _name(one: Api) -> str:
    return next((text(tag, "Value") for tag in one.get("Tags") or () if tag["Key"] == "Name"), "")


def groups(account: Connection, names: Sequence[str]) -> Found[Group]:
    """With the activities of each that lately failed."""
    given: dict[str, object] = {"AutoScalingGroupNames": list(names)} if names else {}
    found = account.rows(
        "autoscaling",
        "describe_auto_scaling_groups",
        "AutoScalingGroups",
        "scaling groups",
        **given,
    )
    there = {one["AutoScalingGroupName"] for one in found.rows}
    missing = next((name for name in names if name not in there), None)
    if missing is not None:
        raise ToolFailed(
            "not_found", f"{account.place}: there is no group {missing!r}; list them first"
        )
    return Found(tuple(_group(account, one) for one in found.rows), found.unread, found.left_out)


def _group(account: Connection, one: Api) -> Group:
    name = one["AutoScalingGroupName"]
    automatic, blind = part_of(f"scaling policies of {name}", lambda: _automatic(account, name))
    troubles, deaf = part_of(f"activities of {name}", lambda: _failures(account, name))
    paused = [
        f"{each['ProcessName']} is suspended"
        for each in one.get("SuspendedProcesses") or ()
        if each.get("ProcessName") in _PAUSED
    ]
    return Group(
        name=name,
        uid=text(one, "AutoScalingGroupARN"),
        least=one.get("MinSize"),
        most=one.get("MaxSize"),
        desired=int(one["DesiredCapacity"]),
        members=tuple(map(_member, one.get("Instances") or ())),
        automatic=automatic or (),
        troubles=(*paused, *(troubles or ())),
        unread=(*blind, *deaf),
    )


def _member(one: Api) -> Member:
    life, health = text(one, "LifecycleState"), text(one, "HealthStatus")
    return Member(
        instance=one["InstanceId"],
        zone=text(one, "AvailabilityZone"),
        state=f"{life}, {health}".lower(),
        serving=life == "InService" and health.lower() == "healthy",
    )


def _automatic(account: Connection, name: str) -> tuple[str, ...]:
    policies = account.rows(
        "autoscaling",
        "describe_policies",
        "ScalingPolicies",
        f"scaling policies of {name}",
        AutoScalingGroupName=name,
    )
    return tuple(
        f"policy {text(one, 'PolicyName')}" for one in policies.rows if one.get("Enabled", True)
    )


def _failures(account: Connection, name: str) -> tuple[str, ...]:
    found: Any = account.ask(
        "autoscaling",
        "describe_scaling_activities",
        f"activities of {name}",
        AutoScalingGroupName=name,
        MaxRecords=_LATELY,
    )
    return tuple(
        f"{text(one, 'StatusCode')}: {text(one, 'StatusMessage') or text(one, 'Description')}"
        for one in found.get("Activities") or ()
        if one.get("StatusCode") in ("Failed", "Cancelled")
    )
