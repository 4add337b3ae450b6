"""An account of Amazon's over real HTTP: moto's server, and in front of it what moto cannot do.

moto 5.2 has neither CloudTrail's LookupEvents nor ListServiceQuotas, has no RDS events and ECS
deployments that do not go on; for these, answers in the form of the API's documentation stand
here. Answers that are errors can be put in the way of any operation.
"""

import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from aiops_tools.cloud.aws.options import AwsOptions

ACCOUNT, REGION = "123456789012", "eu-west-1"
PLACE = f"aws:{ACCOUNT}/{REGION}"
IMAGE = "ami-12c6146b"  # one of those that moto knows
READER, WRITER = "AKIAREADERREADER1234", "AKIAWRITERWRITER1234"
_KEY = re.compile(r"Credential=([A-Z0-9]+)/")


@dataclass
class Account:
    """The front: records who asked for what, and answers instead of moto where it is told to.

    Attributes:
        instead: answers by operation; an error is (status, code), JSON is a dict, XML a text.
            A list is used up, one answer a call.
        asked: (operation, access key), in order.
        bodies: of the last request for each operation.
    """

    url: str
    instead: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)

    def operations(self, key: str) -> set[str]:
        return {operation for operation, by in self.asked if by == key}

    def client(self, service: str) -> Any:
        """Of somebody else, who may do anything."""
        return _client(self.url, service)

    def options(self, folder: Path, **more: Any) -> AwsOptions:
        """A reader and a writer, each with a key of its own in a profile."""
        keys = folder / "credentials"
        keys.write_text(
            "".join(
                f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = secret-of-{name}\n"
                for name, key in (("reader", READER), ("writer", WRITER))
            )
        )
        given = {
            "account": ACCOUNT,
            "region": REGION,
            "endpoint_url": self.url,
            "credentials_file": keys,
            "profile": "reader",
            "write_profile": "writer",
            "attempts": 1,
            **more,
        }
        return AwsOptions.model_validate(given)


@cache
def _client(url: str, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=url,
        aws_access_key_id="AKIASOMEBODYELSE1234",
        aws_secret_access_key="nobody-knows",
    )


class _Front:
    """WSGI: what ``account`` says instead, else what moto says."""

    def __init__(self, behind: Any) -> None:
        self._behind, self.account = behind, Account("")

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        import io

        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        operation = _operation(environ, body)
        key = _KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
        self.account.asked.append((operation, key[1] if key else ""))
        self.account.bodies[operation] = body
        answer = self.account.instead.get(operation)
        if isinstance(answer, list):
            answer = answer.pop(0) if answer else None
        if answer is None:
            return self._behind(environ, start)
        status, kind, text = _written(answer, environ)
        start(status, [("Content-Type", kind), ("Content-Length", str(len(text)))])
        return [text]


def _operation(environ: dict[str, Any], body: bytes) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target).rpartition(".")[2]
    form = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    action = parse_qs(body.decode()).get("Action", [""])[0] if form else ""
    if action:
        return action
    path = environ["PATH_INFO"]
    # Of CloudWatch's newer protocol the operation stands at the end of the path.
    return str(path.rpartition("/operation/")[2] if "/operation/" in path else path)


def _written(answer: Any, environ: dict[str, Any]) -> tuple[str, str, bytes]:
    if isinstance(answer, tuple):
        status, code = answer
        if "HTTP_X_AMZ_TARGET" in environ or environ["PATH_INFO"] != "/":
            return str(status) + " X", "application/x-amz-json-1.1", _json({"__type": code})
        one = f"<Error><Code>{code}</Code><Message>{code}: told by a test</Message></Error>"
        wide = f"<Response><Errors>{one}</Errors><RequestID>r</RequestID></Response>"
        narrow = f"<ErrorResponse>{one}<RequestId>r</RequestId></ErrorResponse>"
        ec2 = "/ec2/" in environ.get("HTTP_AUTHORIZATION", "")
        return str(status) + " X", "text/xml", (wide if ec2 else narrow).encode()
    if isinstance(answer, str):
        return "200 OK", "text/xml", answer.encode()
    return "200 OK", "application/x-amz-json-1.1", _json(answer)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


@contextmanager
def server() -> Iterator[_Front]:
    """One for the session; what is in it is thrown away by ``emptied``."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    front = _Front(DomainDispatcherApplication(create_backend_app))
    listening = make_server("127.0.0.1", 0, front, threaded=True)
    front.account.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        _client.cache_clear()
        listening.shutdown()
        listening.server_close()
        thread.join()


def emptied(front: _Front) -> Account:
    """The account with nothing in it; moto takes a while to forget, where there is something."""
    if any(by != READER for _, by in front.account.asked):
        httpx.post(f"{front.account.url}/moto-api/reset", timeout=60).raise_for_status()
    front.account = Account(front.account.url)
    return front.account


def with_machines(account: Account, count: int = 2) -> list[str]:
    """Machines called web-0, web-1, ... whose start-up script holds a secret; their ids."""
    ec2 = account.client("ec2")
    found = []
    for number in range(count):
        made = ec2.run_instances(
            ImageId=IMAGE,
            MinCount=1,
            MaxCount=1,
            InstanceType="t3.small",
            UserData="export DB_PASSWORD=start-up-secret",
            TagSpecifications=[
                {
                    "ResourceType": "instance",
                    "Tags": [{"Key": "Name", "Value": f"web-{number}"}],
                }
            ],
        )
        found.append(made["Instances"][0]["InstanceId"])
    return found


def with_group(account: Account, name: str = "fleet", size: int = 2) -> None:
    """A scaling group of 0 to 5 machines."""
    scaling = account.client("autoscaling")
    scaling.create_launch_configuration(
        LaunchConfigurationName=f"{name}-machines", ImageId=IMAGE, InstanceType="t3.small"
    )
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=5,
        DesiredCapacity=size,
        LaunchConfigurationName=f"{name}-machines",
        AvailabilityZones=[f"{REGION}a"],
    )


def with_metric(
    account: Account, now: datetime, metric: str, label: tuple[str, str], *values: float
) -> None:
    """One value a minute, the last one two minutes ago."""
    namespace, _, name = metric.rpartition("/")
    account.client("cloudwatch").put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": label[0], "Value": label[1]}],
                "Timestamp": now - timedelta(minutes=len(values) + 1 - number),
                "Value": value,
            }
            for number, value in enumerate(values)
        ],
    )


def with_alarm(account: Account, name: str, *, firing: bool) -> None:
    """An alarm over the CPU of machines."""
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=60,
        Threshold=80,
        Statistic="Average",
    )
    state = "ALARM" if firing else "OK"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason=f"it is {state}")


def trail_event(at: datetime, name: str, target: str, **request: object) -> dict[str, Any]:
    """As LookupEvents writes it."""
    told = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/dana"},
        "requestParameters": request,
        "responseElements": {"password": "what-came-back"},
    }
    return {
        "EventId": f"event-{name}",
        "EventName": name,
        "ReadOnly": "false",
        "EventTime": at.astimezone(UTC).timestamp(),
        "EventSource": "ec2.amazonaws.com",
        "Username": "dana",
        "Resources": [{"ResourceType": "AWS::EC2::Instance", "ResourceName": target}],
        "CloudTrailEvent": json.dumps(told),
    }


QUOTAS: dict[str, Any] = {
    "Quotas": [
        {
            "ServiceCode": "ec2",
            "QuotaCode": "L-1216C47A",
            "QuotaName": "Running On-Demand Standard instances",
            "Value": 64.0,
            "Unit": "None",
            "UsageMetric": {
                "MetricNamespace": "AWS/Usage",
                "MetricName": "ResourceCount",
                "MetricDimensions": {"Resource": "vCPU"},
                "MetricStatisticRecommendation": "Maximum",
            },
        },
        {
            "ServiceCode": "ec2",
            "QuotaCode": "L-0263D0A3",
            "QuotaName": "EC2-VPC Elastic IPs",
            "Value": 5.0,
            "Unit": "None",
        },
    ]
}


def with_ecs(account: Account, tasks: int = 2) -> None:
    ecs = account.client("ecs")
    ecs.create_cluster(clusterName="prod")
    container = {"name": "web", "image": "shop/web:1", "memory": 64}
    ecs.register_task_definition(family="web", containerDefinitions=[container])
    ecs.create_service(cluster="prod", serviceName="web", taskDefinition="web", desiredCount=tasks)
