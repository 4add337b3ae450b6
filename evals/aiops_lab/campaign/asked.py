"""A campaign as it is asked for on the command line: read, checked, planned."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aiops.errors import InvalidInput
from aiops_lab.campaign.budget import Limits, Turn, cores_of
from aiops_lab.campaign.plan import PlannedCase, Wish, draw
from aiops_lab.campaign.process import Setting
from aiops_lab.faults.ports import Ground
from aiops_lab.kubernetes.server import LAB_NODE
from aiops_lab.recording.record import Phases
from aiops_lab.topology.load import SHOP, load

if TYPE_CHECKING:
    from pathlib import Path

    from aiops_lab.topology.model import Topology

PHASES = {"full": Phases(60, 60, 30), "short": Phases(15, 20, 10)}
HEAVY_SHARE = 0.5
# From the start of a lab to its first recorded second, and from the last one to its end.
AROUND_S = 25.0


@dataclass(frozen=True, slots=True)
class Words:
    """The options as typed; ``None``: not given."""

    cases: int
    seed: int
    topology: Path | None
    out: Path
    labs: int | None
    doubles: int
    intensities: str
    phases: str
    baseline: float | None
    fault: float | None
    recovery: float | None
    rate: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A campaign that can be recorded.

    Attributes:
        campaign: what identifies it, as plain JSON: two with equal values are one.
        command: that asks for it, without what depends on the machine.
    """

    topology: Topology
    cases: tuple[PlannedCase, ...]
    turns: tuple[Turn, ...]
    setting: Setting
    limits: Limits
    out: Path
    campaign: dict[str, Any]
    command: str

    @property
    def expected_s(self) -> float:
        """Seconds that all of it takes where no case is repeated."""
        phases = self.setting.phases
        one = phases.baseline_s + phases.fault_s + phases.recovery_s + AROUND_S
        return one * -(-len(self.cases) // self.limits.labs)


def read(words: Words) -> Asked:
    """The campaign.

    Raises:
        InvalidInput: an option, or the topology's file, cannot be used.
    """
    file = (words.topology or SHOP).absolute()
    topology = load(file)
    ground = Ground(topology, (LAB_NODE.name,))
    mild, severe = _intensities(words.intensities)
    wish = Wish(words.cases, words.seed, words.doubles, mild, severe)
    cases = draw(ground, wish)
    phases = _phases(words)
    cores = len(os.sched_getaffinity(0))
    return Asked(
        topology=topology,
        cases=cases,
        turns=tuple(Turn(case, 1, cores_of(case, ground, words.rate)) for case in cases),
        setting=Setting(file, phases, words.rate),
        limits=Limits(labs=words.labs or cores, cores=HEAVY_SHARE * cores),
        out=words.out.absolute(),
        campaign={
            **asdict(wish),
            "topology": topology.name,
            "topology_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "phases": asdict(phases),
            "rate": words.rate,
            "plan": [asdict(case) for case in cases],
        },
        command=_command(words, phases),
    )


def _intensities(text: str) -> tuple[float, float]:
    mild, colon, severe = text.partition(":")
    try:
        return float(mild), float(severe if colon else mild)
    except ValueError:
        raise InvalidInput(
            f"--intensities {text!r} cannot be read; give MILD:SEVERE, such as 0.3:1"
        ) from None


def _phases(words: Words) -> Phases:
    base = PHASES[words.phases]
    return Phases(
        words.baseline or base.baseline_s,
        words.fault or base.fault_s,
        words.recovery or base.recovery_s,
    )


def _command(words: Words, phases: Phases) -> str:
    parts = [f"aiops lab campaign --seed {words.seed} --cases {words.cases}"]
    if words.topology:
        parts.append(f"--topology {words.topology.name}")
    if words.doubles:
        parts.append(f"--doubles {words.doubles}")
    parts.append(f"--intensities {words.intensities}")
    parts.append(f"--baseline {phases.baseline_s:g} --fault {phases.fault_s:g}")
    parts.append(f"--recovery {phases.recovery_s:g} --rate {words.rate:g}")
    return " ".join(parts)
