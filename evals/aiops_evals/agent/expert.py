"""How much of an expert's way an investigation went."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from aiops.analyze.state.calls import kind_of
from aiops_datasets.recorded_tools import TOOLSET

Step = tuple[str, ...]
"""Tool, and what it was asked about: ("DescribeResource", "pod", "web")."""
_KINDED: Final = ("GetResources", "DescribeResource")


def expert_paths(case_json: Path) -> tuple[tuple[Step, ...], ...]:
    """The ways that the set's authors give for one case; () where there are none."""
    given = json.loads(case_json.read_text(encoding="utf-8")).get("golden_paths") or {}
    return tuple(tuple(_shown(step) for step in path) for path in given.values())


def coverage(calls: Iterable[str], paths: Sequence[Sequence[Step]]) -> float | None:
    """Share of the steps of the best covered path, in whatever order they were taken.

    A step about an app covers, and is covered by, a call about a pod of it.
    """
    taken = [_taken(call) for call in calls]
    shares = [
        sum(any(_same(step, one) for one in taken) for step in path) / len(path)
        for path in paths
        if path
    ]
    return max(shares, default=None)


def _shown(step: str) -> Step:
    """The step written as "DescribeResource::pods::web"."""
    return _plain(step.split("::"))


def _taken(call: str) -> Step:
    name, _, rest = call.partition(" ")
    given: dict[str, Any] = json.loads(rest)
    order = ("resource_type", "app_name", "node_name", "name", "service_name", "port")
    parts = [str(given[key]) for key in order if given.get(key) not in (None, "")]
    return _plain([name.removeprefix(f"{TOOLSET}."), *parts])


def _plain(parts: Sequence[str]) -> Step:
    tool, *rest = (part for part in parts if part)
    if tool in _KINDED and rest:
        rest[0] = kind_of(rest[0])
    return (tool, *rest)


def _same(step: Step, taken: Step) -> bool:
    if step[0] != taken[0] or len(step) > len(taken):
        return False
    return all(
        own == other or re.fullmatch(rf"{re.escape(own)}(-[a-z0-9]+)+", other) is not None
        for own, other in zip(step[1:], taken[1:], strict=False)
    )
