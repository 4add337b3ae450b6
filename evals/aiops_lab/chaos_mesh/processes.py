"""StressChaos and TimeChaos: what a process has to live with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.chaos_mesh.attack import CannotEnact, Experiment, strained
from aiops_lab.chaos_mesh.scope import read_scope
from aiops_lab.faults.compute import MOST_CORES
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from aiops_lab.chaos_mesh.attack import Hit
    from aiops_lab.chaos_mesh.fields import Fields
    from aiops_lab.chaos_mesh.scope import Target
    from aiops_lab.faults.effects import Effect

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
REALTIME = "CLOCK_REALTIME"


@dataclass(frozen=True, slots=True)
class Stress:
    """Workers that burn CPU or hold memory in the container, within its limits.

    Attributes:
        cores: burnt in all; at most what the lab lets one process burn.
        bytes: held in all; share: of the memory limit, in its place.
    """

    cores: float = 0.0
    bytes: int = 0
    share: float = 0.0

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        return tuple(
            effect for pod in hit.pods for effect in strained((pod,), self._behaviour(pod))
        )

    def _behaviour(self, pod: Target) -> Behaviour:
        size = self.bytes
        if self.share:
            if pod.memory is None:
                raise CannotEnact(
                    f"{pod.id} has no memory limit to take a percentage of; give a size in bytes"
                )
            size += int(pod.memory * self.share)
        return Behaviour(hog_cores=min(self.cores, MOST_CORES), ballast_bytes=size)


@dataclass(frozen=True, slots=True)
class ClockShift:
    """The time of day that processes see is another one."""

    offset_s: float
    clocks: tuple[str, ...]

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        if self.clocks and REALTIME not in self.clocks:
            listed = ", ".join(self.clocks)
            raise CannotEnact(f"{listed} are not shifted in the lab; only {REALTIME} is")
        return strained(hit.pods, Behaviour(clock_offset_s=self.offset_s))


def read_stress_chaos(fields: Fields, namespace: str) -> Experiment:
    """A StressChaos."""
    if fields.text("stressngStressors"):
        fields.refuse("stressngStressors", "is not supported in the lab; use stressors")
    fields.require("stressors")
    stressors = fields.inner("stressors")
    if fields.whole().get("stressors") and not {"cpu", "memory"} & set(stressors.names()):
        stressors.require("cpu")
    cores, size, share = 0.0, 0, 0.0
    if "cpu" in stressors:
        cpu = stressors.inner("cpu")
        cores = _workers(cpu) * cpu.percent("load")
    if "memory" in stressors:
        memory = stressors.inner("memory")
        memory.require("size")
        # stress-ng divides the size by its workers.
        size, share = _size(memory)
        _workers(memory)
    containers = fields.texts("containerNames")
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=Stress(cores, size, share),
        duration_s=fields.seconds("duration"),
        containers=containers,
        by_container=True,
    )


def _workers(fields: Fields) -> float:
    fields.require("workers")
    workers = fields.number("workers", 1.0)
    if workers < 1:
        fields.refuse("workers", "must be at least 1")
    return workers


def _size(fields: Fields) -> tuple[int, float]:
    """Bytes, or a share of what there is."""
    text = fields.text("size").strip()
    if text.endswith("%"):
        try:
            share = float(text[:-1]) / 100
        except ValueError:
            share = -1.0
        if 0 < share <= 1:
            return 0, share
        fields.refuse("size", "must be a size such as 256MB, or from 1% to 100%")
    elif found := _SIZE.fullmatch(text):
        return int(float(found[1]) * 1024 ** _POWERS[found[2].upper()]), 0.0
    elif text:
        fields.refuse("size", "must be a size such as 256MB, or from 1% to 100%")
    return 0, 0.0


def read_time_chaos(fields: Fields, namespace: str) -> Experiment:
    """A TimeChaos."""
    fields.require("timeOffset")
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=ClockShift(fields.seconds("timeOffset") or 0.0, fields.texts("clockIds")),
        duration_s=fields.seconds("duration"),
        containers=fields.texts("containerNames"),
        by_container=True,
    )
