"""From settings to a gateway: what is wrong is named before anything is called."""

from pathlib import Path
from typing import Any

import pytest

from aiops.bootstrap.service import in_memory
from aiops.bootstrap.tools import rules_of, toolbelt_of, toolsets_of
from aiops.errors import InvalidInput, UnknownName
from aiops.settings import Settings, load
from aiops.toolbelt.policy import load_policy

pytestmark = pytest.mark.anyio


def settings(**given: Any) -> Settings:
    return load(**given)


def refusal(**given: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        rules_of(settings(gateway=given).gateway)
    assert "\n" not in str(refused.value)
    return str(refused.value)


async def test_a_new_installation_changes_nothing_but_notes_what_it_would() -> None:
    service = in_memory(settings())
    assert rules_of(service.settings.gateway).mode == "shadow"
    with toolbelt_of(service) as gateway:
        names = {spec.name for spec in await gateway.specs()}
    assert {"calls.progress", "plan.carry_out"} <= names


def test_a_toolset_without_a_known_kind_is_named() -> None:
    for options in ({}, {"kind": "shell"}):
        with pytest.raises(InvalidInput, match=r"tools\.mine\.kind"):
            toolsets_of(in_memory(settings(tools={"mine": options})))


@pytest.mark.parametrize("name", ["calls", "plan", "My", "a.b", ""])
def test_a_toolset_is_not_called_what_the_gateway_brings_itself(name: str) -> None:
    with pytest.raises(InvalidInput, match="choose another name"):
        toolsets_of(in_memory(settings(tools={name: {"kind": "kubernetes"}})))


def test_a_toolset_that_is_asked_for_and_not_configured_is_unknown() -> None:
    with pytest.raises(UnknownName, match="toolset 'mine'"):
        toolsets_of(in_memory(settings()), only=["mine"])


def test_a_freeze_that_cannot_be_understood_is_named() -> None:
    assert "gateway.freezes" in refusal(freezes=[{"name": "sale"}])
    assert "gateway.freezes.0.cron" in refusal(
        freezes=[{"name": "sale", "cron": "never", "hours": 1}]
    )
    assert "gateway.freezes.0.zone" in refusal(
        freezes=[{"name": "sale", "cron": "0 0 * * *", "hours": 1, "zone": "Mars/Olympus"}]
    )
    naive = {"name": "sale", "since": "2026-11-20T00:00", "until": "2026-11-21T00:00"}
    assert "gateway.freezes" in refusal(freezes=[naive])


def test_an_unknown_key_deep_in_the_gateway_says_which_there_are() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'share'"):
        settings(gateway={"radius": {"shar": 0.2}})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rules = 3", "rules"),
        ("", "rules"),
        ("rules = [", "TOML"),
        ('[[rules]]\nsays = "x"\nverdict = "maybe"', "rules.0.verdict"),
        ('[[rules]]\nsays = "x"\nverdict = "allow"', "reads only"),
        ('[[rules]]\nsays = "x"\nverdict = "allow"\neffect = "write"', "reads only"),
        ('[[rules]]\nsays = "x"\nverdict = "deny"\nnames = ["x"]', "rules.0.names"),
        ('[[rules]]\nsays = "x"\nverdict = "deny"\ntools = []', "rules.0.tools"),
        ('[[rules]]\nsays = "x"\nverdict = "deny"\ntools = ["\u0430*"]', "rules.0.tools"),
    ],
)
def test_a_policy_that_cannot_be_used_is_refused_by_file_and_key(
    tmp_path: Path, text: str, named: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        load_policy(file)
    assert named in str(refused.value)
    assert "policy.toml" in str(refused.value)


def test_a_policy_that_is_not_there_is_named_with_its_setting(tmp_path: Path) -> None:
    assert "gateway.policy" in refusal(policy=tmp_path / "none.toml")
