"""What every action on a cluster declares about itself."""

import json
from dataclasses import dataclass
from typing import Any, cast

import pytest

from aiops.model.tool import ToolSpec
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.writer import Writer


@dataclass
class Nowhere:
    cluster: str = "c"


SPECS = [one.spec for one in actions("k", Writer(cast("Any", Nowhere())))]
IDS = [spec.name for spec in SPECS]


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_an_action_writes_for_executors_only_and_has_a_risk(spec: ToolSpec) -> None:
    assert (spec.effect, spec.capability, spec.toolset) == ("write", "executor", "k")
    assert spec.risk != "none"
    assert spec.examples


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_an_action_names_its_cluster_and_one_object_and_takes_nothing_else(spec: ToolSpec) -> None:
    schema = json.loads(spec.arguments)

    assert schema["additionalProperties"] is False
    assert {"cluster", "name"} <= set(schema["required"])
    assert "namespace" in schema["required"] or "cordon" in spec.name
    assert "Secret" not in str(schema["properties"].get("kind", ""))


def test_only_pods_that_go_cannot_be_brought_back() -> None:
    final = {spec.name for spec in SPECS if not spec.reversible}

    assert final == {"k.evict_pod", "k.delete_pod"}


def test_repeating_an_action_that_is_not_idempotent_does_more() -> None:
    repeated = {spec.name for spec in SPECS if not spec.idempotent}

    assert repeated == {"k.evict_pod", "k.delete_pod", "k.rollout_restart"}
