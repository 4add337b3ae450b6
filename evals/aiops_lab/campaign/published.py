"""A finished campaign as a data set: campaign.json, and a card for people and programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from aiops_datasets.cards import OWN
from aiops_datasets.describe import describe
from aiops_datasets.verify import digests, measured
from aiops_lab.campaign.plan import kinds_of
from aiops_lab.campaign.run import WORK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aiops_lab.campaign.journal import Attempt
    from aiops_lab.campaign.plan import PlannedCase

FILE = "campaign.json"
LICENCE = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Told:
    """What a card says that cannot be counted.

    Attributes:
        system: what was running, in words.
        campaign: what identifies it, with "phases".
        command: that records one like it.
    """

    system: str
    campaign: Mapping[str, Any]
    command: str
    busiest_cpu: float


def publish(
    folder: Path, cases: Sequence[PlannedCase], attempts: Sequence[Attempt], told: Told
) -> None:
    """Write campaign.json and README.md beside the cases."""
    document = {
        "schema": "aiops.campaign/1",
        "command": told.command,
        "commits": _commits(attempts),
        "busiest_cpu_allowed": told.busiest_cpu,
        "campaign": dict(told.campaign),
        "cases": [
            {
                "id": case.id,
                "attempts": [_without_case(one) for one in attempts if one.case == case.id],
            }
            for case in cases
        ],
    }
    _write(folder / FILE, json.dumps(document, indent=1) + "\n")
    _write(folder / "README.md", card(folder, cases, attempts, told))


def card(
    folder: Path, cases: Sequence[PlannedCase], attempts: Sequence[Attempt], told: Told
) -> str:
    """The text of README.md; what it counts is counted in the folder."""
    counted = describe(folder.parent, folder.name)
    sums = {
        name: digest
        for name, digest in measured(folder.parent, folder.name).items()
        if not name.startswith(f"{folder.name}/{WORK}/")
    }
    valid = {one.case for one in attempts if one.outcome == "recorded"}
    recorded = [case for case in cases if case.id in valid]
    lost = [case.id for case in cases if case.id not in valid]
    phases = told.campaign["phases"]
    text = (files("aiops_lab.campaign") / "card.md").read_text(encoding="utf-8")
    return text.format(
        name=folder.name,
        system=told.system,
        repository=OWN,
        commit=_commits(attempts)[-1] if _commits(attempts) else "none",
        path=f"datasets/{folder.name}",
        licence=LICENCE,
        modalities=json.dumps(list(counted.modalities)),
        cases=len(recorded),
        files=len(sums),
        sha256=digests(sums)[folder.name],
        healthy=sum(not case.orders for case in recorded),
        doubles=sum(len(case.orders) > 1 for case in recorded),
        services=counted.services,
        kinds=len(kinds_of(recorded)),
        baseline=phases["baseline_s"],
        fault=phases["fault_s"],
        recovery=phases["recovery_s"],
        busiest=told.busiest_cpu,
        invalid=f"- Not valid in any attempt, and left out: {', '.join(lost)}.\n" if lost else "",
        command=told.command,
    )


def _commits(attempts: Sequence[Attempt]) -> list[str]:
    """Each once, as they came."""
    return list(dict.fromkeys(one.commit[:12] for one in attempts if one.commit))


def _without_case(attempt: Attempt) -> dict[str, Any]:
    return {name: value for name, value in asdict(attempt).items() if name != "case"}


def _write(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
