"""The toolset "gcp": the official client over real HTTP, answers made by hand."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import gcp_project
import pytest
from gcp_project import PLACE, PROJECT, ZONE, Project
from jsonschema import Draft202012Validator
from small_world import context

from aiops.errors import Drifted, InvalidInput, ToolFailed
from aiops.model.canonical import parsed
from aiops_tools.cloud.gcp.options import GcpOptions
from aiops_tools.cloud.gcp.toolset import Gcp
from aiops_tools.cloud.options import read

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUP = f"{ZONE}/fleet"
READER, WRITER = "reader", "writer"


@dataclass
class Tools:
    """The toolset's tools, called the way the gateway calls them."""

    toolset: Gcp

    def run(self, method: str, verb: str, *more: Any, **arguments: Any) -> Any:
        every: list[Any] = list(self.toolset.tools())
        one = next(each for each in every if each.spec.name == f"gcp.{verb}")
        given = {"cluster": PLACE, **arguments}
        found = asyncio.run(getattr(one, method)(given, *more, context()))
        if hasattr(found, "content"):
            Draft202012Validator(parsed(one.spec.result)).validate(parsed(found.content))
        assert "start-up-secret" not in repr(found)
        return found

    def read(self, verb: str, **arguments: Any) -> Any:
        return parsed(self.run("read", verb, **arguments).content)


@pytest.fixture(scope="module")
def server() -> Iterator[Project]:
    with gcp_project.project() as held:
        yield held


@pytest.fixture(scope="module")
def toolset(server: Project, tmp_path_factory: Any) -> Iterator[Gcp]:
    """One for all: its clients take a while to be made."""
    found = Gcp("gcp", server.options(tmp_path_factory.mktemp("keys")), lambda: NOW)
    yield found
    found.close()


@pytest.fixture
def project(server: Project) -> Project:
    vars(server).update(vars(Project(server.url)))
    return server


@pytest.fixture
def tools(toolset: Gcp, project: Project) -> Tools:
    return Tools(toolset)


def failure(call: Any) -> ToolFailed:
    with pytest.raises(ToolFailed) as caught:
        call()
    return caught.value


def test_a_machine_under_repair_is_told_first(tools):
    first, second = tools.read("instances")["instances"]
    assert (first["name"], first["healthy"], first["zone"]) == ("web-1", False, ZONE)
    assert second["healthy"] is None
    assert datetime.fromisoformat(second["launched"]) == datetime(
        2026, 11, 1, 11, 4, 5, 678000, tzinfo=UTC
    )


def test_every_page_is_read(tools, project):
    project.pages = True
    assert tools.read("instances")["read"] == 2


def test_a_zone_that_does_not_answer_is_unread_and_other_regions_are_not_told(tools, project):
    project.unreachable = (f"{gcp_project.REGION}-c", "us-east1-d")
    found = tools.run("read", "instances")
    assert [one.what for one in found.unread] == [f"instances of {gcp_project.REGION}-c"]


def test_a_group_says_what_is_wrong_and_who_sets_its_size(tools, project):
    project.sick, project.autoscaled, project.settled = True, True, False
    (group,) = tools.read("scaling_groups")["groups"]
    assert (group["name"], group["least"], group["most"]) == (GROUP, 1, 5)
    assert group["automatic"] == ["autoscaler fleet-scaler"]
    assert group["troubles"] == ["QUOTA_EXCEEDED: no CPUs left"]
    assert (group["serving"], len(group["idle"])) == (0, 2)


def test_series_are_told_in_the_order_of_time(tools, project):
    project.series = [(NOW - timedelta(minutes=m), v) for m, v in ((4, 1.0), (3, 2.0), (2, 5.0))]
    metric = "compute.googleapis.com/instance/cpu/utilization"
    (line,) = tools.read("metrics", metric=metric)["series"]
    assert (line["least"], line["most"], line["last"]) == (1, 5, 5)
    assert [one["value"] for one in line["points"]] == [1, 2, 5]


def test_what_is_asked_for_cannot_leave_its_place_in_a_filter(tools, project):
    metric = "compute.googleapis.com/instance/cpu/utilization"
    label = {"key": "resource.labels.instance_id", "value": '1" OR metric.type = "x'}
    tools.read("metrics", metric=metric, labels=[label])
    assert '\\"x"' in project.filters[-1]
    assert failure(lambda: tools.read("metrics", metric='x" OR "y')).kind == "invalid"
    odd = {"key": 'a" = "b', "value": "c"}
    assert failure(lambda: tools.read("metrics", metric=metric, labels=[odd])).kind == "invalid"
    tools.read("changes", about='web" OR timestamp>"2000')
    assert '\\" OR' in project.filters[-1]


def test_policies_whose_alerts_may_not_be_read_are_unknown_not_fine(tools, project):
    project.instead["alerts"] = (403, "forbidden", "monitoring.alerts.list is missing")
    found = tools.run("read", "alarms", state="all")
    (alarm,) = parsed(found.content)["alarms"]
    assert alarm["state"] == "unknown"
    assert [one.what for one in found.unread] == ["open alerts"]
    project.instead.clear()
    assert tools.read("alarms", state="all")["alarms"][0]["state"] == "ok"


def test_changes_hide_what_people_put_into_them(tools, project):
    metadata = {"items": [{"key": "startup-script", "value": "start-up-secret"}]}
    entry = gcp_project.audit_entry(
        NOW - timedelta(minutes=5), "compute.instances.insert", "x/web-0", metadata=metadata, n=1
    )
    project.entries = [entry]
    (change,) = tools.read("changes")["changes"]
    assert json.loads(change["detail"]) == {"metadata": "<hidden>", "n": 1}
    assert (change["actor"], change["action"]) == ("dana@example.com", "compute.instances.insert")


def test_the_fullest_quota_is_told_first(tools):
    first = tools.read("quotas", service="compute")["quotas"][0]
    assert (first["name"], first["share"]) == ("cpus", 0.9167)
    assert failure(lambda: tools.read("quotas", service="pubsub")).kind == "not_found"


@pytest.mark.parametrize(
    ("status", "reason", "kind", "retryable"),
    [
        (401, "authError", "unauthorized", False),
        (403, "forbidden", "forbidden", False),
        (403, "rateLimitExceeded", "throttled", True),
        (404, "notFound", "not_found", False),
        (429, "rateLimitExceeded", "throttled", True),
        (400, "invalid", "invalid", False),
        (503, "backendError", "failed", True),
    ],
)
def test_what_the_api_refuses_is_named(tools, project, status, reason, kind, retryable):
    project.instead["instances"] = (status, reason, "told by a test")
    found = failure(lambda: tools.read("instances"))
    assert (found.kind, found.retryable) == (kind, retryable)
    assert PLACE in str(found)


def test_a_key_file_that_cannot_be_read_is_said_without_its_content(project, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text('{"private_key": "hunter2"}')
    for file in (broken, tmp_path / "none.json"):
        options = project.options(tmp_path, credentials_file=file, write_credentials_file=None)
        toolset = Gcp("gcp", options, lambda: NOW)
        found = failure(toolset.check)
        assert found.kind == "unauthorized"
        assert "hunter2" not in str(found)
        toolset.close()


def test_an_api_that_is_not_there_is_unreachable(project, tmp_path):
    options = project.options(tmp_path, endpoint_url="http://127.0.0.1:9")
    toolset = Gcp("gcp", options, lambda: NOW)
    found = failure(toolset.check)
    assert (found.kind, found.retryable) == ("unreachable", True)
    toolset.close()


def test_a_group_is_resized_verified_and_taken_back(tools, project):
    preview = tools.run("preview", "resize_group", name=GROUP, size=3)
    assert project.keys == []
    tools.run("apply", "resize_group", preview, name=GROUP, size=3)
    assert tools.run("verify", "resize_group", preview, name=GROUP, size=3).reached
    assert [str(one) for one in preview.targets] == [f"{PLACE}/InstanceGroupManager/{GROUP}"]
    assert preview.undo is not None
    undo = json.loads(preview.undo.arguments)
    back = tools.run("preview", "resize_group", **undo)
    tools.run("apply", "resize_group", back, **undo)
    assert project.size == 2
    assert tools.run("preview", "resize_group", name=GROUP, size=3).state == preview.state


def test_machines_that_never_start_are_not_verified(project, tmp_path):
    project.settled = False
    toolset = Gcp("gcp", project.options(tmp_path, action_s=2), lambda: NOW)
    tools = Tools(toolset)
    preview = tools.run("preview", "resize_group", name=GROUP, size=3)
    tools.run("apply", "resize_group", preview, name=GROUP, size=3)
    verified = tools.run("verify", "resize_group", preview, name=GROUP, size=3)
    assert not verified.reached
    assert "0 of 3 machines serve" in verified.seen
    toolset.close()


def test_a_group_that_somebody_changed_meanwhile_is_left_alone(tools, project):
    preview = tools.run("preview", "resize_group", name=GROUP, size=3)
    project.size = 4
    with pytest.raises(Drifted):
        tools.run("apply", "resize_group", preview, name=GROUP, size=3)
    assert project.keys == []


def test_the_same_call_is_the_same_request_to_the_api(project, tmp_path):
    from aiops_tools.cloud.gcp.cloud import GcpHand
    from aiops_tools.cloud.gcp.connection import Connection

    hand = GcpHand(Connection(project.options(tmp_path), "write"))
    for key in ("one", "one", "two"):
        hand.resize(GROUP, 3, key)
    first, second, other = project.keys
    assert first == second != other
    hand.close()


def test_an_autoscaler_is_warned_of_and_its_bounds_hold(tools, project):
    project.autoscaled = True
    preview = tools.run("preview", "resize_group", name=GROUP, size=3)
    assert any("autoscaler fleet-scaler" in one for one in preview.warnings)
    outside = failure(lambda: tools.run("preview", "resize_group", name=GROUP, size=6))
    assert "between 1 and 5" in str(outside)


def test_reads_carry_the_readers_token_and_writes_the_writers(tools, project):
    tools.read("scaling_groups")
    assert {who for what, who in project.asked if "/token/" not in what} == {READER}
    project.asked.clear()
    preview = tools.run("preview", "resize_group", name=GROUP, size=3)
    tools.run("apply", "resize_group", preview, name=GROUP, size=3)
    assert {who for what, who in project.asked if "/token/" not in what} == {WRITER}


def test_a_group_elsewhere_is_not_found_and_nothing_is_asked(tools, project):
    for name in ("us-east1-b/fleet", "fleet", f"{ZONE}/", "../fleet"):
        found = failure(lambda name=name: tools.run("preview", "resize_group", name=name, size=1))
        assert found.kind == "not_found", name
    assert project.asked == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"project": "X"}, "tools.gcp.project"),
        ({"endpoint_url": "http://elsewhere.example"}, "no credential goes over plain HTTP"),
        ({"impersonate": "a@b", "write_impersonate": "a@b"}, "another identity"),
    ],
)
def test_an_option_that_is_wrong_is_named(changed, said):
    with pytest.raises(InvalidInput, match=said):
        read(GcpOptions, "gcp", {"project": PROJECT, "region": "europe-west1", **changed})
