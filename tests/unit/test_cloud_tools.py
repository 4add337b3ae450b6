"""Questions and the resize over the cloud in memory, and what is hidden of people's calls."""

import asyncio
import json
import re
import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_world import NOON, answer, context, world

from aiops import plugins
from aiops.errors import Drifted, InvalidInput, ToolFailed
from aiops.model.tool import Unread
from aiops_tools.cloud.acting import acting
from aiops_tools.cloud.port import Alarm, CloudChange, Group, Instance, Member, Quota, Samples
from aiops_tools.cloud.questions import shared
from aiops_tools.cloud.resizing import RESIZE
from aiops_tools.cloud.sealed import LONGEST, sealed
from aiops_tools.cloud.twin import MemoryCloud

SECRET = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12, max_size=20)


def group(**changed: Any) -> Group:
    members = tuple(Member(f"m{number}", "a", "running", True) for number in range(2))
    return replace(Group("fleet", "uid-1", 0, 5, 2, members), **changed)


def cloud(**held: Any) -> MemoryCloud:
    return MemoryCloud(**{"fleets": {"fleet": group()}, **held})


def ask(twin: MemoryCloud, verb: str, **arguments: Any) -> Any:
    one = next(t for t in shared("c", twin, lambda: NOON) if t.spec.name == f"c.{verb}")
    return json.loads(answer(one, {"cluster": twin.place, **arguments}).content)


def resize(twin: MemoryCloud, method: str, *more: Any, size: int, timeout_s: float = 5) -> Any:
    one = acting("c", RESIZE, twin, timeout_s)
    arguments = {"cluster": twin.place, "name": "fleet", "size": size}
    return asyncio.run(getattr(one, method)(arguments, *more, context()))


def test_machines_in_trouble_come_first_and_alone_where_only_they_are_asked_for():
    well = Instance("i-1", "a", "z", "small", "running", True)
    sick = replace(well, id="i-2", name="b", healthy=False)
    twin = cloud(machines=[well, sick, replace(well, id="i-3", name="c", healthy=None)])
    assert [one["id"] for one in ask(twin, "instances")["instances"]] == ["i-2", "i-1", "i-3"]
    alone = ask(twin, "instances", unhealthy_only=True)
    assert [one["id"] for one in alone["instances"]] == ["i-2"]
    assert alone["read"] == 3


def test_a_long_list_is_cut_and_says_so():
    one = Instance("i", "n", "z", "small", "running", True)
    twin = cloud(machines=[replace(one, id=f"i-{number}") for number in range(150)])
    found = ask(twin, "instances")
    assert (found["read"], len(found["instances"]), found["left_out"]) == (150, 100, True)


def test_groups_that_lack_machines_come_first():
    short = group(name="short", desired=4)
    twin = cloud(fleets={"fleet": group(), "short": short})
    assert [one["name"] for one in ask(twin, "scaling_groups")["groups"]] == ["short", "fleet"]


def test_a_day_is_summed_up_in_steps_that_fit_into_an_answer():
    twin = cloud(measured={"cpu": [Samples((("id", "1"),), "", (NOON,), (1.0,))]})
    assert ask(twin, "metrics", metric="cpu", start="-30m")["step_s"] == 60
    found = ask(twin, "metrics", metric="cpu", start="-1d")
    assert found["step_s"] == 720
    assert found["series"] == []  # its only value is at the end, which is no part of the window


def test_only_firing_alarms_are_told_unless_all_are_asked_for():
    firing = Alarm("b", "firing", NOON, "hot", "cpu")
    twin = cloud(rules=[Alarm("a", "ok", None, "", "cpu"), firing])
    assert [one["name"] for one in ask(twin, "alarms")["alarms"]] == ["b"]
    assert [one["name"] for one in ask(twin, "alarms", state="all")["alarms"]] == ["b", "a"]


def test_changes_come_newest_first_and_of_the_window_only():
    times = [NOON - timedelta(minutes=back) for back in (5, 1, 90)]
    twin = cloud(history=[CloudChange(at, "dana", f"did-{at:%M}", "i-1") for at in times])
    assert [one["action"] for one in ask(twin, "changes")["changes"]] == ["did-59", "did-55"]


def test_the_fullest_quota_comes_first():
    rows = [Quota("a", "a", 10, 1, ""), Quota("b", "b", 10, 9, ""), Quota("c", "c", 10, None, "")]
    found = ask(cloud(limits={"x": rows}), "quotas", service="x")
    assert [one["share"] for one in found["quotas"]] == [0.9, 0.1, None]


def test_a_resize_is_done_once_and_verified():
    twin = cloud()
    preview = resize(twin, "preview", size=4)
    assert twin.keys == []
    resize(twin, "apply", preview, size=4)
    assert resize(twin, "verify", preview, size=4).reached
    assert twin.keys == ["key-1"]


def test_a_group_made_anew_under_its_name_is_another_group():
    twin = cloud()
    preview = resize(twin, "preview", size=4)
    twin.fleets["fleet"] = group(uid="uid-2")
    with pytest.raises(Drifted):
        resize(twin, "apply", preview, size=4)
    assert twin.keys == []


def test_a_size_that_somebody_else_sets_since_is_not_waited_for():
    twin = cloud()
    preview = resize(twin, "preview", size=4)
    resize(twin, "apply", preview, size=4)
    twin.resize("fleet", 3, "other")
    verified = resize(twin, "verify", preview, size=4, timeout_s=600)
    assert not verified.reached
    assert "somebody set it to 3" in verified.seen


@pytest.mark.parametrize(
    ("changed", "size", "warning"),
    [
        ({}, 0, "whatever runs on the group stops"),
        ({}, 1, "chosen by the provider"),
        ({}, 3, "paid for"),
        ({"automatic": ("policy p",)}, 3, "policy p sets this number too"),
        ({"troubles": ("no capacity",)}, 3, "no capacity"),
        ({"unread": (Unread("policies", "denied"),)}, 3, "not read: policies (denied)"),
    ],
)
def test_whoever_approves_is_told_the_consequences(changed, size, warning):
    preview = resize(cloud(fleets={"fleet": group(**changed)}), "preview", size=size)
    assert any(warning in one for one in preview.warnings)
    assert preview.radius.interrupted == max(0, 2 - size)


@pytest.mark.parametrize("size", [-1, 6, 2, 10_001])
def test_a_size_that_cannot_be_is_refused_before_anything_is_done(size):
    twin = cloud()
    with pytest.raises(ToolFailed):
        resize(twin, "preview", size=size)
    assert twin.keys == []


def test_the_configuration_that_is_written_down_is_read():
    page = Path(__file__).parents[2] / "docs" / "clouds.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text(), re.DOTALL)
    written = [tomllib.loads(block)["tools"] for block in blocks]
    for tools in written:
        for name, options in tools.items():
            made = plugins.load("aiops.toolsets", options.pop("kind")).connect(
                name, options, world()
            )
            named = set(re.findall(rf"`({name}\.[a-z_]+)`", page.read_text()))
            assert named == {one.spec.name for one in made.tools()}
            made.close()
    assert len(written) == 2


@pytest.mark.parametrize(("kind", "module"), [("aws", "boto3"), ("gcp", "googleapiclient")])
def test_a_client_that_is_not_installed_is_said_with_what_to_do(kind, module, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(InvalidInput, match=rf"pip install 'aiops\[{kind}\]'"):
        plugins.load("aiops.toolsets", kind).connect("mine", {}, world())


@given(
    secret=SECRET,
    name=st.sampled_from(
        ["userData", "UserData", "masterUserPassword", "secretString", "metadata", "privateKey"]
    ),
    depth=st.integers(0, 20),
)
def test_fields_that_hold_secrets_are_hidden_however_deep(secret, name, depth):
    value: Any = {name: {"in": [secret]}, "plain": "kept"}
    for _ in range(depth):
        value = {"item": [value]}
    found = sealed(value)
    assert f'"{secret}"' not in found
    json.loads(found)


def test_what_is_too_long_is_named_and_not_shown():
    found = json.loads(sealed({"list": ["word"] * 1000, "kept": 1}))
    assert found["too_long_to_show"] == ["kept", "list"]
    assert found["characters"] > LONGEST
