"""What every cloud keeps to: the twin, Amazon's on moto, Google's on answers made by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aws_account
import gcp_project
import pytest

from aiops.errors import ToolFailed
from aiops.model import Window
from aiops_tools.cloud.aws.cloud import AwsCloud, AwsHand
from aiops_tools.cloud.aws.connection import Connection as AwsConnection
from aiops_tools.cloud.gcp.cloud import GcpCloud, GcpHand
from aiops_tools.cloud.gcp.connection import Connection as GcpConnection
from aiops_tools.cloud.port import (
    Alarm,
    Cloud,
    CloudChange,
    Group,
    Instance,
    Member,
    MetricQuery,
    Quota,
    Resizer,
    Samples,
)
from aiops_tools.cloud.twin import MemoryCloud

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
HOUR = Window(NOW - timedelta(hours=1), NOW)
EARLIER = Window(NOW - timedelta(hours=3), NOW - timedelta(hours=2))
CHANGED = NOW - timedelta(minutes=30)


@dataclass(frozen=True)
class World:
    """The same in every cloud: machines web-0 and web-1, a group of two, CPU that went from 10 to
    90, an alarm called "hot" that fires, a change of web-0 with a secret in it, a quota.
    """

    cloud: Cloud
    hand: Resizer
    group: str
    metric: str
    service: str
    target: str


@contextmanager
def in_memory(folder: Path) -> Iterator[World]:
    del folder
    times = tuple(NOW - timedelta(minutes=back) for back in (3, 2))
    twin = MemoryCloud(
        machines=[Instance(f"i-{n}", f"web-{n}", "a", "small", "running", True) for n in range(2)],
        fleets={
            "fleet": Group(
                "fleet", "u", 0, 5, 2, tuple(Member(f"m{n}", "a", "running", True) for n in "12")
            )
        },
        measured={"cpu": [Samples((("id", "i-0"),), "", times, (10.0, 90.0))]},
        rules=[Alarm("hot", "firing", NOW, "it is hot", "cpu")],
        history=[CloudChange(CHANGED, "dana", "stop", "i-0", "", '{"password":"<hidden>"}')],
        limits={"compute": [Quota("cpus", "cpus", 24, 22, "")]},
    )
    yield World(twin, twin, "fleet", "cpu", "compute", "i-0")


@contextmanager
def on_aws(folder: Path) -> Iterator[World]:
    with aws_account.server() as front:
        account = aws_account.emptied(front)
        ids = aws_account.with_machines(account)
        aws_account.with_group(account)
        aws_account.with_metric(
            account, NOW, "AWS/EC2/CPUUtilization", ("InstanceId", ids[0]), 10, 90
        )
        aws_account.with_alarm(account, "hot", firing=True)
        happened = aws_account.trail_event(CHANGED, "StopInstances", ids[0], password="hunter2")
        account.instead |= {
            "LookupEvents": {"Events": [happened]},
            "ListServiceQuotas": aws_account.QUOTAS,
        }
        options = account.options(folder)
        cloud = AwsCloud(AwsConnection(options, "read"), lambda: NOW)
        hand = AwsHand(AwsConnection(options, "write"))
        yield World(cloud, hand, "fleet", "AWS/EC2/CPUUtilization", "ec2", ids[0])
        cloud.close()
        hand.account.close()


@contextmanager
def on_gcp(folder: Path) -> Iterator[World]:
    with gcp_project.project() as held:
        held.series = [(NOW - timedelta(minutes=back), v) for back, v in ((3, 10.0), (2, 90.0))]
        held.alerting = True
        target = f"projects/{gcp_project.PROJECT}/zones/{gcp_project.ZONE}/instances/web-0"
        held.entries = [
            gcp_project.audit_entry(CHANGED, "compute.instances.stop", target, password="hunter2")
        ]
        options = held.options(folder)
        cloud = GcpCloud(GcpConnection(options, "read"))
        metric = "compute.googleapis.com/instance/cpu/utilization"
        hand = GcpHand(GcpConnection(options, "write"))
        yield World(cloud, hand, f"{gcp_project.ZONE}/fleet", metric, "compute", target)
        cloud.close()
        hand.close()


@pytest.fixture(scope="module", params=[in_memory, on_aws, on_gcp], ids=lambda made: made.__name__)
def world(request: Any, tmp_path_factory: Any) -> Iterator[World]:
    with request.param(tmp_path_factory.mktemp("keys")) as made:
        yield made


def query(world: World, **changed: Any) -> MetricQuery:
    given = {"labels": (), "statistic": "average", "step_s": 60, "window": HOUR}
    return MetricQuery(metric=world.metric, **{**given, **changed})


def test_machines_are_found_by_name_and_by_id(world):
    everyone = world.cloud.instances().rows
    assert {"web-0", "web-1"} <= {one.name for one in everyone}
    one = next(one for one in everyone if one.name == "web-0")
    assert world.cloud.instances(["web-0"]).rows == (one,)
    assert world.cloud.instances([one.id]).rows == (one,)
    assert one.state == "running"
    assert one.zone


def test_a_name_that_nobody_has_is_not_found(world):
    for ask in (
        partial(world.cloud.instances, ["nobody"]),
        partial(world.cloud.groups, ["nobody"]),
        partial(world.hand.group, "nobody"),
    ):
        with pytest.raises(ToolFailed) as caught:
            ask()
        assert caught.value.kind == "not_found", ask
        assert not caught.value.retryable


def test_a_group_tells_its_number_and_who_serves(world):
    found = world.cloud.groups([world.group]).rows[0]
    assert found.name == world.group
    assert (found.desired, len(found.members), found.serving) == (2, 2, 2)
    assert found.uid


def test_reader_and_writer_see_the_same_group(world):
    assert world.hand.group(world.group) == world.cloud.groups([world.group]).rows[0]
    assert world.hand.place == world.cloud.place


def test_series_have_times_that_ascend_and_lie_in_the_window(world):
    series = world.cloud.samples(query(world)).rows
    assert [one.values for one in series] == [(10.0, 90.0)]
    times = series[0].times
    assert list(times) == sorted(times)
    assert all(HOUR.start <= at < HOUR.end for at in times)
    assert series[0].labels


def test_series_are_chosen_by_their_labels(world):
    all_of_them = world.cloud.samples(query(world)).rows
    label = all_of_them[0].labels[0]
    assert world.cloud.samples(query(world, labels=(label,))).rows == all_of_them
    assert world.cloud.samples(query(world, labels=((label[0], "other"),))).rows == ()


def test_alarms_say_which_are_firing_and_why(world):
    (alarm,) = world.cloud.alarms().rows
    assert (alarm.name, alarm.state) == ("hot", "firing")
    assert alarm.since is not None
    assert alarm.reason
    assert alarm.about


def test_changes_name_who_and_what_and_hide_secrets(world):
    (change,) = world.cloud.changes(HOUR).rows
    assert change.at == CHANGED
    assert "dana" in change.actor
    assert change.target == world.target
    assert "hunter2" not in repr(change)
    assert "what-came-back" not in repr(change)


def test_quotas_say_how_much_there_may_be(world):
    found = world.cloud.quotas(world.service).rows
    assert found
    assert all(one.limit > 0 and one.name and one.code for one in found)


def test_a_check_says_where_it_read_and_how_much(world):
    said = world.cloud.check()
    assert world.cloud.place in said
    assert any(letter.isdigit() for letter in said.replace(world.cloud.place, ""))


def test_a_group_is_resized_and_back(world):
    for size in (3, 2):
        world.hand.resize(world.group, size, f"key-{size}")
        assert world.hand.group(world.group).desired == size
