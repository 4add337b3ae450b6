"""What is asked of Amazon over real HTTP: moto's server, and answers by hand where it has none."""

import json
from datetime import timedelta

import aws_account
import pytest
from aws_account import PLACE, READER
from aws_tools import NOW, failure, only_reader

from aiops.errors import InvalidInput, UnknownName
from aiops_tools.cloud.aws.options import AwsOptions
from aiops_tools.cloud.options import read


def test_an_impaired_machine_is_told_first_with_its_failing_check(tools, account):
    ids = aws_account.with_machines(account)
    account.instead["DescribeInstanceStatus"] = (
        "<DescribeInstanceStatusResponse><instanceStatusSet><item>"
        f"<instanceId>{ids[1]}</instanceId><systemStatus><status>impaired</status></systemStatus>"
        "<instanceStatus><status>ok</status></instanceStatus>"
        "<instanceState><name>running</name></instanceState>"
        "</item></instanceStatusSet></DescribeInstanceStatusResponse>"
    )
    content, result = tools.read("instances")
    assert content["instances"][0]["id"] == ids[1]
    assert content["instances"][0]["detail"] == ["system check: impaired"]
    assert content["instances"][1]["healthy"] is None
    assert "1 in trouble" in result.summary


def test_status_checks_that_may_not_be_read_leave_the_machines_and_say_so(tools, account):
    aws_account.with_machines(account)
    account.instead["DescribeInstanceStatus"] = (403, "UnauthorizedOperation")
    content, result = tools.read("instances")
    assert len(content["instances"]) == 2
    assert {one["healthy"] for one in content["instances"]} == {None}
    assert [one.what for one in result.unread] == ["status checks"]
    assert "may not" in result.unread[0].reason


def test_functions_are_ranked_by_their_errors(tools, account):
    for name, errors in (("pay", 7), ("mail", 1)):
        label = ("FunctionName", name)
        aws_account.with_metric(account, NOW, "AWS/Lambda/Errors", label, errors, errors)
        aws_account.with_metric(account, NOW, "AWS/Lambda/Invocations", label, 100)
    content, _ = tools.read("function_errors")
    told = [(one["name"], one["errors"], one["calls"]) for one in content["functions"]]
    assert told == [("pay", 14, 100), ("mail", 2, 100)]


def test_ecs_services_name_what_is_missing(tools, account):
    aws_account.with_ecs(account)
    content, result = tools.read("ecs_services", ecs_cluster="prod", services=["web", "nobody"])
    assert content["services"][0]["name"] == "web"
    assert content["services"][0]["desired"] == 2
    assert [one.what for one in result.unread] == ["service nobody"]
    assert tools.read("ecs_services", ecs_cluster="prod")[0]["services"][0]["name"] == "web"
    gone = failure(lambda: tools.read("ecs_services", ecs_cluster="prod", services=["nobody"]))
    assert gone.kind == "not_found"


def test_node_groups_tell_their_size_and_status(tools, account):
    eks = account.client("eks")
    role = f"arn:aws:iam::{aws_account.ACCOUNT}:role/nodes"
    eks.create_cluster(name="main", roleArn=role, resourcesVpcConfig={})
    eks.create_nodegroup(
        clusterName="main", nodegroupName="pool", nodeRole=role, subnets=["subnet-1"]
    )
    content, _ = tools.read("eks_node_groups", eks_cluster="main")
    assert [(one["name"], one["status"]) for one in content["node_groups"]] == [("pool", "active")]
    account.instead["/clusters/no/node-groups"] = (404, "ResourceNotFoundException")  # moto: 500
    assert failure(lambda: tools.read("eks_node_groups", eks_cluster="no")).kind == "not_found"


def test_targets_that_are_not_healthy_say_why(tools, account):
    machine = aws_account.with_machines(account, 1)[0]
    ec2, elb = account.client("ec2"), account.client("elbv2")
    network = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=network)
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": machine}])
    (found,) = tools.read("target_health")[0]["target_groups"]
    assert (found["name"], found["targets"]) == ("web", 1)
    assert found["healthy"] + len(found["sick"]) == 1
    assert all(one["reason"] for one in found["sick"])


def test_a_log_query_brings_rows_without_pointers(tools, account):
    logs = account.client("logs")
    logs.create_log_group(logGroupName="/app/web")
    logs.create_log_stream(logGroupName="/app/web", logStreamName="one")
    at = int((NOW - timedelta(minutes=5)).timestamp() * 1000)
    logs.put_log_events(
        logGroupName="/app/web",
        logStreamName="one",
        logEvents=[{"timestamp": at, "message": "disk full"}],
    )
    content, _ = tools.read(
        "log_query", log_groups=["/app/web"], query="fields @timestamp, @message"
    )
    assert [row["@message"] for row in content["rows"]] == ["disk full"]
    assert not any("@ptr" in row for row in content["rows"])
    missing = failure(lambda: tools.read("log_query", log_groups=["/app/none"]))
    assert missing.kind == "not_found"


# Questions that moto has no answer to


def test_database_events_come_newest_first(tools, account):
    def event(minutes: int, message: str) -> str:
        at = (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            "<Event><SourceIdentifier>orders</SourceIdentifier><SourceType>db-instance</SourceType>"
            f"<Message>{message}</Message><EventCategories><EventCategory>failover</EventCategory>"
            f"</EventCategories><Date>{at}</Date></Event>"
        )

    account.instead["DescribeEvents"] = (
        "<DescribeEventsResponse><DescribeEventsResult><Events>"
        f"{event(20, 'failover started')}{event(19, 'failover completed')}"
        "</Events></DescribeEventsResult></DescribeEventsResponse>"
    )
    content, result = tools.read("database_events")
    assert [one["message"] for one in content["events"]] == [
        "failover completed",
        "failover started",
    ]
    assert "orders" in result.summary


def test_what_people_put_into_calls_is_told_without_its_secrets(tools, account):
    request = {
        "instanceId": "i-0123",
        "userData": "start-up-secret",
        "masterUserPassword": "hunter2",
        "environment": {"variables": {"TOKEN": "hunter2"}},
        "tags": [{"key": "team", "value": "hunter2"}],
    }
    at = NOW - timedelta(minutes=20)
    event = aws_account.trail_event(at, "ModifyInstance", "i-0123", **request)
    account.instead["LookupEvents"] = {"Events": [event]}
    (change,) = tools.read("changes")[0]["changes"]
    assert (change["actor"], change["action"]) == ("dana", "ec2:ModifyInstance")
    detail = json.loads(change["detail"])
    assert detail["instanceId"] == "i-0123"
    assert {detail[key] for key in ("userData", "masterUserPassword", "environment")} == {
        "<hidden>"
    }


def test_changes_of_the_last_minutes_are_said_to_be_late(tools, account):
    account.instead["LookupEvents"] = {"Events": []}
    assert "15 minutes late" in tools.read("changes")[1].unread[0].reason
    assert tools.read("changes", start="-2h", end="-1h")[1].unread == ()


def test_a_later_page_that_fails_keeps_the_pages_before_it(tools, account):
    at = NOW - timedelta(minutes=20)
    first = {"Events": [aws_account.trail_event(at, "StopInstances", "i-1")], "NextToken": "more"}
    account.instead["LookupEvents"] = [first, (400, "ThrottlingException")]
    content, result = tools.read("changes", start="-1h", end="-16m")
    assert len(content["changes"]) == 1
    assert [one.what for one in result.unread] == ["changes after 1"]


def test_quotas_tell_what_is_used_of_them(tools, account):
    account.instead["ListServiceQuotas"] = aws_account.QUOTAS
    usage = ("Resource", "vCPU")
    aws_account.with_metric(account, NOW, "AWS/Usage/ResourceCount", usage, 60, 62)
    first, second = tools.read("quotas", service="ec2")[0]["quotas"]
    assert (first["used"], first["share"]) == (62, 0.9688)
    assert (second["used"], second["share"]) == (None, None)


def test_a_percentile_is_asked_for_by_its_name(tools, account):
    label = ("FunctionName", "pay")
    aws_account.with_metric(account, NOW, "AWS/Lambda/Duration", label, 5)
    answer = {"Id": "m0", "Timestamps": [NOW.timestamp() - 60], "Values": [7.0]}
    account.instead["GetMetricData"] = {
        "MetricDataResults": [{**answer, "StatusCode": "Complete"}],
        "Messages": [],
    }
    found = tools.read("metrics", metric="AWS/Lambda/Duration", statistic="p95")[0]
    assert b"p95" in account.bodies["GetMetricData"]  # moto computes none, and says nothing
    assert [one["last"] for one in found["series"]] == [7]


# What goes wrong


@pytest.mark.parametrize(
    ("status", "code", "kind", "retryable", "advice"),
    [
        (400, "ExpiredToken", "unauthorized", False, "renew"),
        (403, "UnauthorizedOperation", "forbidden", False, "policy"),
        (503, "RequestLimitExceeded", "throttled", True, "later"),
        (400, "InvalidParameterValue", "invalid", False, "does not accept"),
        (500, "InternalError", "failed", True, "status page"),
    ],
)
def test_what_the_api_refuses_is_named(tools, account, status, code, kind, retryable, advice):
    account.instead["DescribeInstances"] = (status, code)
    found = failure(lambda: tools.read("instances"))
    assert (found.kind, found.retryable) == (kind, retryable)
    assert PLACE in str(found)
    assert advice in str(found)


def test_throttling_is_tried_again_and_not_for_ever(account, tmp_path):
    aws_account.with_machines(account, 1)
    toolset = only_reader(account, tmp_path, attempts=2)
    account.instead["DescribeInstances"] = [(503, "RequestLimitExceeded")]
    assert "1 machines" in toolset.check()
    account.instead["DescribeInstances"] = (503, "RequestLimitExceeded")
    account.asked.clear()
    assert failure(toolset.check).kind == "throttled"
    assert [one for one, _ in account.asked].count("DescribeInstances") == 2
    toolset.close()


def test_an_api_that_is_not_there_is_unreachable(account, tmp_path):
    toolset = only_reader(account, tmp_path, endpoint_url="http://127.0.0.1:9")
    found = failure(toolset.check)
    assert (found.kind, found.retryable) == ("unreachable", True)
    toolset.close()


def test_a_profile_that_is_not_there_is_said(account, tmp_path):
    toolset = only_reader(account, tmp_path, profile="nobody")
    assert failure(toolset.check).kind == "unauthorized"
    toolset.close()


def test_credentials_of_another_account_are_refused_before_anything_is_asked(account, tmp_path):
    toolset = only_reader(account, tmp_path, account="999999999999")
    found = failure(toolset.check)
    assert found.kind == "forbidden"
    assert "belongs to account 123456789012" in str(found)
    assert account.operations(READER) == {"GetCallerIdentity"}
    toolset.close()


def test_another_place_than_the_one_served_is_not_found(tools, account):
    other = "aws:123456789012/us-east-1"
    assert failure(lambda: tools.read("instances", cluster=other)).kind == "not_found"
    assert failure(lambda: tools.preview("resize_group", cluster=other, name="a", size=1)).kind == (
        "not_found"
    )
    assert account.asked == []


def test_a_role_is_assumed_by_the_profile(account, tmp_path):
    role = f"arn:aws:iam::{aws_account.ACCOUNT}:role/reader"
    toolset = only_reader(account, tmp_path, role_arn=role)
    assert "assumed-role/reader" in toolset.check()
    assert account.operations(READER) == {"AssumeRole"}
    toolset.close()


def test_without_an_identity_to_write_with_there_is_no_action(account, tmp_path):
    toolset = only_reader(account, tmp_path)
    assert {one.spec.effect for one in toolset.tools()} == {"read"}
    toolset.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"account": "12"}, "tools.aws.account"),
        ({"endpoint_url": "http://elsewhere.example"}, "no credential goes over plain HTTP"),
        ({"profile": "one", "write_profile": "one"}, "another identity"),
        ({"region": None}, "tools.aws.region"),
    ],
)
def test_an_option_that_is_wrong_is_named(changed, said):
    with pytest.raises(InvalidInput, match=said):
        read(AwsOptions, "aws", {"account": "123456789012", "region": "eu-west-1", **changed})


def test_a_key_is_no_option_and_its_value_is_never_said():
    given = {"account": "123456789012", "region": "eu-west-1", "secret_access_key": "hunter2"}
    with pytest.raises(UnknownName) as caught:
        read(AwsOptions, "aws", given)
    assert "hunter2" not in str(caught.value)
