"""Changes that only Amazon has: tasks of ECS services, and the restart of a machine."""

from collections.abc import Iterator
from typing import Any, Final

from pydantic import Field

from aiops.errors import ToolFailed
from aiops.model.canonical import canonical, digest
from aiops.model.tool import BlastRadius, Preview, Target, Undo
from aiops_tools.cloud.acting import Act, field_diff
from aiops_tools.cloud.aws.cloud import AwsHand
from aiops_tools.cloud.aws.connection import Api
from aiops_tools.cloud.aws.fields import last_part, text
from aiops_tools.cloud.aws.workloads import EcsClusterName, EcsServiceName, described
from aiops_tools.cloud.places import InPlace, InstanceName
from aiops_tools.watching import Standing


class OnEcsService(InPlace):
    """One ECS service."""

    ecs_cluster: EcsClusterName
    name: EcsServiceName

    @property
    def target(self) -> Target:
        """The ECS cluster stands in the place of a namespace."""
        return Target(self.cluster, "EcsService", self.name, self.ecs_cluster)


class SetTasks(OnEcsService):
    """How many tasks it is to have."""

    tasks: int = Field(ge=0, le=5_000)


def _service(hand: AwsHand, asked: OnEcsService) -> Api:
    found = described(hand.account, asked.ecs_cluster, [asked.name]).rows[0]
    if found.get("status") != "ACTIVE":
        raise ToolFailed("conflict", f"{asked.target} is {text(found, 'status').lower()}")
    return found


def _state(service: Api) -> str:
    """What a change of the service depends on; another deployment is another state."""
    deployments = sorted(
        (text(one, "id"), text(one, "status")) for one in service.get("deployments") or ()
    )
    asked = (service["serviceArn"], service["desiredCount"], service.get("taskDefinition"))
    return digest([*asked, [list(one) for one in deployments]])


def _set_preview(toolset: str, hand: AwsHand, asked: SetTasks) -> Preview:
    service = _service(hand, asked)
    if service.get("schedulingStrategy") == "DAEMON":
        raise ToolFailed("invalid", f"{asked.target} runs one task on each machine; add machines")
    now, running = int(service["desiredCount"]), int(service["runningCount"])
    if now == asked.tasks:
        raise ToolFailed("conflict", f"{asked.target} is at {now} already; nothing is to be done")
    warnings = [*_under_way(service)]
    if asked.tasks == 0:
        warnings.append("no task is left: the service stops")
    warnings.append("where the service scales by itself, its policy may change the number again")
    return Preview(
        summary=f"set {asked.target} from {now} to {asked.tasks} tasks",
        targets=(asked.target,),
        diff=field_diff(asked.target, "desiredCount", now, asked.tasks),
        state=_state(service),
        radius=BlastRadius(1, max(0, running - asked.tasks), running),
        undo=Undo(f"{toolset}.ecs_set_tasks", canonical({**asked.model_dump(), "tasks": now})),
        warnings=tuple(warnings),
    )


def _under_way(service: Api) -> Iterator[str]:
    if len(service.get("deployments") or ()) > 1:
        yield "a deployment of it is under way"


def _set_apply(hand: AwsHand, asked: SetTasks, key: str) -> None:
    del key  # the API takes none; a second call with the same number changes nothing
    _update(hand, asked, desiredCount=asked.tasks)


def _update(hand: AwsHand, asked: OnEcsService, **changed: object) -> None:
    hand.account.ask(
        "ecs",
        "update_service",
        f"change of {asked.target}",
        cluster=asked.ecs_cluster,
        service=asked.name,
        **changed,
    )


def _set_standing(hand: AwsHand, asked: SetTasks, preview: Preview) -> Standing:
    del preview
    service = _service(hand, asked)
    wanted, running = int(service["desiredCount"]), int(service["runningCount"])
    if wanted != asked.tasks:
        return Standing(False, f"somebody set it to {wanted} tasks since", hopeless=True)
    seen = f"{running} of {wanted} tasks run, {service.get('pendingCount', 0)} are starting"
    return Standing(running == wanted and not service.get("pendingCount"), seen)


def _redeploy_preview(toolset: str, hand: AwsHand, asked: OnEcsService) -> Preview:
    del toolset
    service = _service(hand, asked)
    running = int(service["runningCount"])
    rules = service.get("deploymentConfiguration") or {}
    least = int(rules.get("minimumHealthyPercent", 100))
    kept = min(running, -(-int(service["desiredCount"]) * least // 100))
    task = last_part(service.get("taskDefinition"))
    return Preview(
        summary=f"start new tasks of {asked.target} in place of all {running}",
        targets=(asked.target,),
        diff=field_diff(asked.target, "deployment", _primary(service), f"new, of {task}"),
        state=_state(service),
        radius=BlastRadius(1, running - kept, running),
        undo=None,
        warnings=(
            "this cannot be taken back: tasks that run now end, with what they keep in memory",
            f"the image is fetched again: where its tag has moved, {task} runs another one",
            *_under_way(service),
        ),
    )


def _primary(service: Api) -> str:
    found = (one for one in service.get("deployments") or () if one.get("status") == "PRIMARY")
    return next((text(one, "id") for one in found), "none")


def _redeploy_apply(hand: AwsHand, asked: OnEcsService, key: str) -> None:
    del key
    _update(hand, asked, forceNewDeployment=True)


def _redeploy_standing(hand: AwsHand, asked: OnEcsService, preview: Preview) -> Standing:
    service = _service(hand, asked)
    primary = _primary(service)
    before = next((line for line in preview.diff.splitlines() if line.startswith("-dep")), "")
    if before == f"-deployment: {primary}":
        return Standing(False, "the new deployment has not begun")
    newest = next(one for one in service["deployments"] if text(one, "id") == primary)
    if newest.get("rolloutState") == "FAILED":
        reason = text(newest, "rolloutStateReason")
        return Standing(False, f"the deployment failed: {reason}", hopeless=True)
    running, wanted = int(newest.get("runningCount", 0)), int(newest.get("desiredCount", 0))
    done = newest.get("rolloutState") == "COMPLETED" and running >= wanted
    return Standing(done, f"{running} of {wanted} new tasks run")


class OneInstance(InPlace):
    """One machine."""

    instance: InstanceName = Field(pattern=r"^i-[0-9a-f]{8,17}$")


_ASKED: Final = "restart of machine {}"
_LOST: Final = (
    "this cannot be taken back: what the machine keeps in memory is lost, and what runs on it "
    "stops meanwhile"
)


def _machine(hand: AwsHand, asked: OneInstance) -> Api:
    found = hand.account.ask(
        "ec2",
        "describe_instances",
        f"machine {asked.instance}",
        InstanceIds=[asked.instance],
    )
    rows = [one for held in found.get("Reservations") or () for one in held["Instances"]]
    if not rows:
        raise ToolFailed("not_found", f"{hand.place}: there is no machine {asked.instance}")
    one: Api = rows[0]
    return one


def _reboot_preview(toolset: str, hand: AwsHand, asked: OneInstance) -> Preview:
    del toolset
    one = _machine(hand, asked)
    state = text(one["State"], "Name")
    target = Target(asked.cluster, "Instance", asked.instance)
    if state != "running":
        raise ToolFailed("conflict", f"{target} is {state}; only a running machine is restarted")
    _would(hand, asked)
    name = next((text(t, "Value") for t in one.get("Tags") or () if t["Key"] == "Name"), "")
    return Preview(
        summary=f"restart {target}" + (f" ({name})" if name else ""),
        targets=(target, *_group_of(one, asked)),
        diff=f"--- {target} (now)\n+++ {target} (then)\n-running\n+restarting, then running",
        state=digest([asked.instance, state, str(one.get("LaunchTime"))]),
        radius=BlastRadius(1, 1, 1),
        undo=None,
        warnings=(_LOST,),
    )


def _group_of(one: Api, asked: OneInstance) -> tuple[Target, ...]:
    """The scaling group that the machine is of: who may not touch it may not touch its machines."""
    names = [t["Value"] for t in one.get("Tags") or () if t["Key"] == "aws:autoscaling:groupName"]
    return tuple(Target(asked.cluster, AwsHand.kind, name) for name in names)


def _would(hand: AwsHand, asked: OneInstance) -> None:
    """EC2's own dry run: it fails with DryRunOperation where the call would be carried out."""
    try:
        hand.account.ask(
            "ec2",
            "reboot_instances",
            _ASKED.format(asked.instance),
            InstanceIds=[asked.instance],
            DryRun=True,
        )
    except ToolFailed as failure:
        code = getattr(failure.__cause__, "response", {}).get("Error", {}).get("Code")
        if code != "DryRunOperation":
            raise


def _reboot_apply(hand: AwsHand, asked: OneInstance, key: str) -> None:
    del key
    hand.account.ask(
        "ec2",
        "reboot_instances",
        _ASKED.format(asked.instance),
        InstanceIds=[asked.instance],
        DryRun=False,
    )


def _reboot_standing(hand: AwsHand, asked: OneInstance, preview: Preview) -> Standing:
    """EC2 does not tell when a machine was restarted: only that it is well afterwards."""
    del preview
    found = hand.account.ask(
        "ec2",
        "describe_instance_status",
        f"machine {asked.instance}",
        InstanceIds=[asked.instance],
        IncludeAllInstances=True,
    )
    one: Api = next(iter(found.get("InstanceStatuses") or ()), {})
    state = text(one.get("InstanceState") or {}, "Name")
    checks = [text(one.get(key) or {}, "Status") for key in ("InstanceStatus", "SystemStatus")]
    gone = state in ("terminated", "shutting-down", "stopped")
    return Standing(
        state == "running" and checks == ["ok", "ok"],
        f"{state or 'not there'}; checks of instance and system: {' and '.join(checks)}",
        hopeless=gone,
    )


ACTS: Final[tuple[Act[AwsHand, Any], ...]] = (
    Act(
        verb="ecs_set_tasks",
        description="Set how many tasks an ECS service has.",
        asks=SetTasks,
        preview=_set_preview,
        apply=_set_apply,
        standing=_set_standing,
        risk="medium",
        examples=("more ECS tasks for a service that cannot keep up",),
    ),
    Act(
        verb="ecs_redeploy",
        description="Start new tasks of an ECS service in place of all it has; cannot be undone.",
        asks=OnEcsService,
        preview=_redeploy_preview,
        apply=_redeploy_apply,
        standing=_redeploy_standing,
        risk="medium",
        reversible=False,
        idempotent=False,
        examples=("restart all tasks of an ECS service, one after the other",),
    ),
    Act(
        verb="reboot_instance",
        description="Restart one EC2 machine; cannot be undone.",
        asks=OneInstance,
        preview=_reboot_preview,
        apply=_reboot_apply,
        standing=_reboot_standing,
        risk="high",
        reversible=False,
        idempotent=False,
        examples=("restart a machine that hangs",),
    ),
)
