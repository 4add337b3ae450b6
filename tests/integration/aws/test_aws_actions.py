"""What is done at Amazon over real HTTP, and through the gateway."""

import asyncio
import json
from typing import Any

import aws_account
import pytest
from aws_account import PLACE, READER, WRITER
from aws_tools import failure
from small_world import world

from aiops.bootstrap.tools import toolbelt_of
from aiops.errors import Drifted
from aiops.model.canonical import canonical
from aiops.model.tool import Caller, Outcome, ToolCall


def test_a_group_is_resized_verified_and_taken_back(tools, account):
    aws_account.with_group(account)
    preview, verified = tools.do("resize_group", name="fleet", size=3)
    assert verified.reached, verified.seen
    assert "-desired: 2\n+desired: 3" in preview.diff
    assert (preview.radius.interrupted, preview.radius.serving) == (0, 2)
    assert [str(one) for one in preview.targets] == [f"{PLACE}/AutoScalingGroup/fleet"]
    assert preview.undo is not None
    assert preview.undo.tool == "aws.resize_group"
    back, again = tools.do("resize_group", **json.loads(preview.undo.arguments))
    assert again.reached
    assert back.radius.interrupted == 1
    assert "ended with what is on their disks" in " ".join(back.warnings)
    assert tools.preview("resize_group", name="fleet", size=3).state == preview.state


def test_a_preview_changes_nothing(tools, account):
    aws_account.with_group(account)
    aws_account.with_ecs(account)
    machine = aws_account.with_machines(account, 1)[0]
    tools.preview("resize_group", name="fleet", size=3)
    tools.preview("ecs_set_tasks", ecs_cluster="prod", name="web", tasks=4)
    tools.preview("ecs_redeploy", ecs_cluster="prod", name="web")
    tools.preview("reboot_instance", instance=machine)
    writes = {one for one in account.operations(WRITER) if not one.startswith(("Describe", "Get"))}
    assert writes == {"RebootInstances"}  # with DryRun


def test_a_size_outside_the_bounds_or_the_same_is_refused_with_advice(tools, account):
    aws_account.with_group(account)
    outside = failure(lambda: tools.preview("resize_group", name="fleet", size=6))
    assert outside.kind == "invalid"
    assert "between 0 and 5" in str(outside)
    same = failure(lambda: tools.preview("resize_group", name="fleet", size=2))
    assert same.kind == "conflict"
    missing = failure(lambda: tools.preview("resize_group", name="nobody", size=2))
    assert missing.kind == "not_found"


def test_a_group_that_somebody_changed_meanwhile_is_left_alone(tools, account):
    aws_account.with_group(account)
    preview = tools.preview("resize_group", name="fleet", size=3)
    account.client("autoscaling").set_desired_capacity(
        AutoScalingGroupName="fleet", DesiredCapacity=4
    )
    with pytest.raises(Drifted):
        tools.apply("resize_group", preview, name="fleet", size=3)
    assert "SetDesiredCapacity" not in account.operations(WRITER)


def test_tasks_of_a_service_are_set_verified_and_taken_back(tools, account):
    aws_account.with_ecs(account)
    preview, verified = tools.do("ecs_set_tasks", ecs_cluster="prod", name="web", tasks=3)
    assert verified.reached, verified.seen
    assert preview.targets[0].namespace == "prod"
    assert preview.undo is not None
    _, again = tools.do("ecs_set_tasks", **json.loads(preview.undo.arguments))
    assert again.reached
    found = account.client("ecs").describe_services(cluster="prod", services=["web"])
    assert found["services"][0]["desiredCount"] == 2


def ecs_service(*deployments: tuple[str, str, str]) -> dict[str, Any]:
    """As DescribeServices writes it; moto's deployments do not go on."""
    arn = f"arn:aws:ecs:{aws_account.REGION}:{aws_account.ACCOUNT}"
    told = [
        {
            "id": name,
            "status": status,
            "rolloutState": state,
            "rolloutStateReason": "circuit breaker",
            "desiredCount": 2,
            "runningCount": 2 if state == "COMPLETED" else 0,
        }
        for name, status, state in deployments
    ]
    return {
        "services": [
            {
                "serviceName": "web",
                "serviceArn": f"{arn}:service/prod/web",
                "status": "ACTIVE",
                "desiredCount": 2,
                "runningCount": 2,
                "pendingCount": 0,
                "taskDefinition": f"{arn}:task-definition/web:1",
                "deploymentConfiguration": {"minimumHealthyPercent": 50},
                "deployments": told,
            }
        ]
    }


BEFORE = ecs_service(("one", "PRIMARY", "COMPLETED"))
UNDER_WAY = ecs_service(("two", "PRIMARY", "IN_PROGRESS"), ("one", "ACTIVE", "COMPLETED"))


@pytest.mark.parametrize(
    ("end", "reached"),
    [
        (ecs_service(("two", "PRIMARY", "COMPLETED")), True),
        (ecs_service(("two", "PRIMARY", "FAILED"), ("one", "ACTIVE", "COMPLETED")), False),
    ],
    ids=["completed", "failed"],
)
def test_a_redeployment_is_watched_to_its_end(tools, account, end, reached):
    account.instead |= {
        "DescribeServices": [BEFORE, BEFORE, BEFORE, UNDER_WAY, end],
        "UpdateService": {"service": UNDER_WAY["services"][0]},
    }
    preview, verified = tools.do("ecs_redeploy", ecs_cluster="prod", name="web")
    assert verified.reached is reached
    assert ("circuit breaker" in verified.seen) is not reached
    assert preview.undo is None
    assert preview.warnings[0].startswith("this cannot be taken back")
    assert (preview.radius.interrupted, preview.radius.serving) == (1, 2)


def test_a_deployment_that_began_since_the_preview_is_drift(tools, account):
    account.instead["DescribeServices"] = [BEFORE, UNDER_WAY]
    preview = tools.preview("ecs_redeploy", ecs_cluster="prod", name="web")
    with pytest.raises(Drifted):
        tools.apply("ecs_redeploy", preview, ecs_cluster="prod", name="web")


def test_a_restart_says_that_it_cannot_be_undone_and_names_the_group(tools, account):
    aws_account.with_group(account, size=1)
    machine = account.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"][0][
        "Instances"
    ][0]["InstanceId"]
    preview, verified = tools.do("reboot_instance", instance=machine)
    assert verified.reached, verified.seen
    assert preview.undo is None
    assert "cannot be taken back" in preview.warnings[0]
    assert [one.kind for one in preview.targets] == ["Instance", "AutoScalingGroup"]


def test_a_restart_that_would_be_refused_is_refused_at_the_preview(tools, account):
    machine = aws_account.with_machines(account, 1)[0]
    account.instead["RebootInstances"] = (403, "UnauthorizedOperation")
    found = failure(lambda: tools.preview("reboot_instance", instance=machine))
    assert found.kind == "forbidden"
    assert "identity to write with" in str(found)


def test_a_machine_that_is_stopped_is_not_restarted(tools, account):
    machine = aws_account.with_machines(account, 1)[0]
    account.client("ec2").stop_instances(InstanceIds=[machine])
    assert failure(lambda: tools.preview("reboot_instance", instance=machine)).kind == "conflict"
    unknown = "i-0123456789abcdef0"
    assert failure(lambda: tools.preview("reboot_instance", instance=unknown)).kind == "not_found"


def test_reads_are_signed_by_the_reader_and_writes_by_the_writer(tools, account):
    aws_account.with_group(account)
    tools.read("scaling_groups")
    assert account.operations(WRITER) == set()
    before = account.operations(READER)
    tools.do("resize_group", name="fleet", size=3)
    assert "SetDesiredCapacity" in account.operations(WRITER)
    assert account.operations(READER) == before
    assert not any(one.startswith(("Set", "Update", "Reboot")) for one in before)


# The gateway


def test_through_the_gateway_a_read_is_done_and_a_resize_waits_for_a_person(account, tmp_path):
    aws_account.with_group(account)
    given = account.options(tmp_path).model_dump(mode="json", exclude_none=True)
    service = world(tools={"aws": {"kind": "aws", **given}}, gateway={"mode": "approve"})
    caller = Caller("crew", "executor", "run-1")
    place = {"cluster": PLACE}

    async def called() -> list[Outcome]:
        with toolbelt_of(service, only=["aws"]) as belt:
            return [
                await belt.call(ToolCall(name, name, canonical(arguments), caller, name))
                for name, arguments in (
                    ("aws.scaling_groups", place),
                    ("aws.resize_group", {**place, "name": "fleet", "size": 1}),
                    ("aws.scaling_groups", {"names": ["fleet"]}),
                )
            ]

    read, write, nowhere = asyncio.run(called())
    assert (read.status, write.status) == ("done", "waits"), (read.summary, write.summary)
    assert (nowhere.status, nowhere.reason) == ("denied", "schema")
    assert "SetDesiredCapacity" not in account.operations(WRITER)
    assert len(list(service.audit.entries())) == 3
    (waiting,) = service.approvals.listed()
    assert waiting.action.preview.targets[0].name == "fleet"
