"""Containers and their machines: ECS services with their tasks, EKS node groups, as questions."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field, StringConstraints

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.aws.cloud import AwsCloud
from aiops_tools.cloud.aws.connection import Api, Connection
from aiops_tools.cloud.aws.fields import chunks, last_part, text
from aiops_tools.cloud.places import InPlace
from aiops_tools.cloud.port import Found
from aiops_tools.cloud.probing import View, part_of
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import table

_NAME = StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")
EcsClusterName = Annotated[
    str,
    _NAME,
    Field(description="an ECS cluster, by name", json_schema_extra={"format": "namespace"}),
]
EcsServiceName = Annotated[
    str,
    _NAME,
    Field(description="an ECS service, by name", json_schema_extra={"format": "workload"}),
]
EksClusterName = Annotated[str, _NAME, Field(description="an EKS cluster, by name")]
_MOST_SERVICES: Final = 200
_AT_ONCE: Final = 10
"""Services that one DescribeServices takes."""
_STOPPED: Final = 20


class EcsAsked(InPlace):
    """Which ECS services."""

    ecs_cluster: EcsClusterName
    services: list[EcsServiceName] = Field(default=[], max_length=20)


class EcsFound(Result):
    """A service; ``stopped`` says why tasks of it lately ended, ``events`` what ECS says of it."""

    name: str
    status: str
    desired: int
    running: int
    pending: int
    rollout: str
    task_definition: str
    events: list[str]
    stopped: list[str]


class EcsServices(Result):
    """Services, those that lack tasks first."""

    services: list[EcsFound]
    left_out: bool


def _ecs(view: View[AwsCloud], asked: EcsAsked) -> Answer:
    account = view.cloud.account
    names: Sequence[str] = asked.services
    left_out = False
    if not names:
        listed = account.rows(
            "ecs",
            "list_services",
            "serviceArns",
            f"services of {asked.ecs_cluster}",
            cluster=asked.ecs_cluster,
        )
        names = [last_part(arn) for arn in listed.rows[:_MOST_SERVICES]]
        left_out = listed.left_out or len(listed.rows) > len(names)
    found = described(account, asked.ecs_cluster, names)
    unread = list(found.unread)
    services = []
    for one in found.rows:
        name = one["serviceName"]
        lacks = int(one.get("runningCount", 0)) < int(one.get("desiredCount", 0))
        stopped: list[str] | None = None
        if lacks or asked.services:
            stopped, missing = part_of(
                f"stopped tasks of {name}", partial(_ended, account, asked.ecs_cluster, name)
            )
            unread += missing
        services.append(_service(one, stopped or []))
    services.sort(key=lambda one: (one.running - one.desired, one.name))
    summary = table(
        ("service", "running", "desired", "pending", "rollout", "last event", "why tasks ended"),
        (
            (
                one.name,
                one.running,
                one.desired,
                one.pending,
                one.rollout,
                one.events[0] if one.events else "",
                "; ".join(one.stopped),
            )
            for one in services
        ),
    )
    result = EcsServices(services=services, left_out=left_out)
    return Answer(result, summary or "No service.", tuple(unread))


def described(account: Connection, ecs_cluster: str, names: Sequence[str]) -> Found[Api]:
    """Services by name; those that are not there are unread.

    Raises:
        ToolFailed: "not_found" where none of them is.
    """
    rows: list[Api] = []
    unread: list[Unread] = []
    for some in chunks(names, _AT_ONCE):
        asked = f"services of {ecs_cluster}"
        answer = account.ask(
            "ecs", "describe_services", asked, cluster=ecs_cluster, services=list(some)
        )
        rows += answer.get("services") or ()
        unread += [
            Unread(f"service {last_part(one.get('arn'))}", text(one, "reason").lower())
            for one in answer.get("failures") or ()
        ]
    if names and not rows:
        raise ToolFailed(
            "not_found",
            f"{account.place}: there is no service {', '.join(names)} in {ecs_cluster}; list its "
            "services first",
        )
    return Found(tuple(rows), tuple(unread))


def _service(one: Api, stopped: Sequence[str]) -> EcsFound:
    events = [text(each, "message") for each in (one.get("events") or ())[:5]]
    deployments: Sequence[Api] = one.get("deployments") or ()
    primary: Api = next((each for each in deployments if each.get("status") == "PRIMARY"), {})
    failed = primary.get("failedTasks") or 0
    rollout = text(primary, "rolloutState").lower()
    return EcsFound(
        name=one["serviceName"],
        status=text(one, "status").lower(),
        desired=int(one.get("desiredCount", 0)),
        running=int(one.get("runningCount", 0)),
        pending=int(one.get("pendingCount", 0)),
        rollout=f"{rollout}, {failed} tasks failed".lstrip(", ") if failed else rollout,
        task_definition=last_part(one.get("taskDefinition")),
        events=events,
        stopped=list(stopped),
    )


def _ended(account: Connection, ecs_cluster: str, service: str) -> list[str]:
    listed = account.ask(
        "ecs",
        "list_tasks",
        f"stopped tasks of {service}",
        cluster=ecs_cluster,
        serviceName=service,
        desiredStatus="STOPPED",
        maxResults=_STOPPED,
    )
    arns = listed.get("taskArns") or []
    if not arns:
        return []
    found = account.ask(
        "ecs", "describe_tasks", f"stopped tasks of {service}", cluster=ecs_cluster, tasks=arns
    )
    reasons: dict[str, int] = {}
    for one in found.get("tasks") or ():
        ends = [
            f"{text(each, 'name')} exit {each['exitCode']}"
            for each in one.get("containers") or ()
            if each.get("exitCode")
        ]
        said = "; ".join([text(one, "stoppedReason") or "no reason given", *ends])
        reasons[said] = reasons.get(said, 0) + 1
    return [f"{count}x {said}" for said, count in sorted(reasons.items(), key=lambda r: -r[1])]


class NodeGroupsAsked(InPlace):
    """Of which EKS cluster."""

    eks_cluster: EksClusterName


class NodeGroup(Result):
    """A node group; ``issues`` are EKS's own words."""

    name: str
    status: str
    version: str
    least: int | None
    most: int | None
    desired: int | None
    groups: list[str]
    issues: list[str]


class NodeGroups(Result):
    """Node groups of one cluster, those in trouble first."""

    node_groups: list[NodeGroup]
    left_out: bool


def _node_groups(view: View[AwsCloud], asked: NodeGroupsAsked) -> Answer:
    account, cluster = view.cloud.account, asked.eks_cluster
    listed = account.rows(
        "eks", "list_nodegroups", "nodegroups", f"node groups of {cluster}", clusterName=cluster
    )
    groups: list[NodeGroup] = []
    unread = list(listed.unread)
    for name in listed.rows[:_MOST_SERVICES]:
        found, missing = part_of(
            f"node group {name}",
            partial(
                account.ask,
                "eks",
                "describe_nodegroup",
                f"node group {name}",
                clusterName=cluster,
                nodegroupName=name,
            ),
        )
        unread += missing
        if found is not None:
            groups.append(_node_group(found["nodegroup"]))
    groups.sort(key=lambda one: (not one.issues, one.status == "active", one.name))
    summary = table(
        ("node group", "status", "version", "desired", "least", "most", "issues"),
        (
            (o.name, o.status, o.version, o.desired, o.least, o.most, "; ".join(o.issues))
            for o in groups
        ),
    )
    left_out = listed.left_out or len(listed.rows) > _MOST_SERVICES
    result = NodeGroups(node_groups=groups, left_out=left_out)
    return Answer(result, summary or f"{cluster} has no node group.", tuple(unread))


def _node_group(one: Api) -> NodeGroup:
    size, resources = one.get("scalingConfig") or {}, one.get("resources") or {}
    return NodeGroup(
        name=one["nodegroupName"],
        status=text(one, "status").lower(),
        version=text(one, "version"),
        least=size.get("minSize"),
        most=size.get("maxSize"),
        desired=size.get("desiredSize"),
        groups=[text(each, "name") for each in resources.get("autoScalingGroups") or ()],
        issues=[
            f"{text(each, 'code')}: {text(each, 'message')}"
            for each in (one.get("health") or {}).get("issues") or ()
        ],
    )


QUESTIONS: Final[tuple[Question[View[AwsCloud], Any], ...]] = (
    Question(
        "ecs_services",
        "ECS services with desired and running tasks, rollout, events, and why tasks ended.",
        EcsAsked,
        EcsServices,
        _ecs,
        ("why do tasks of this ECS service keep stopping", "is the ECS deployment finished"),
        timeout_s=90,
    ),
    Question(
        "eks_node_groups",
        "EKS node groups with status, size and health issues.",
        NodeGroupsAsked,
        NodeGroups,
        _node_groups,
        ("why does the EKS cluster get no new nodes", "is the node group degraded"),
        timeout_s=90,
    ),
)
